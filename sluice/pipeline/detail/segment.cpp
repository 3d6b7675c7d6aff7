#include <sluice/pipeline/detail/segment.hpp>

#include <algorithm>

#include <sluice/pipeline/detail/node.hpp>

namespace sluice::detail {

Input::Input() = default;
Input::~Input() = default;

Number Segment::consumed() const {
  Number least = unknown;
  for (const Consumer& c : consumers) {
    const Number position = c.input->position.load(std::memory_order_seq_cst) * c.multiply;
    least = std::min(least, c.divide == 1 ? position : position / c.divide);
  }
  return least;
}

void Segment::release() {
  // Whoever finds another at it may leave: that one looks again.
  while (released_.load(std::memory_order_seq_cst) < consumed() &&
         !releasing_.exchange(true, std::memory_order_seq_cst)) {
    // Relaxed: it is written by whoever has `releasing_`, and was seen with it.
    const Number first = released_.load(std::memory_order_relaxed), last = consumed();
    const struct Over {
      std::atomic<bool>& releasing;
      ~Over() { releasing.store(false, std::memory_order_seq_cst); }  // also where a message throws for being put away
    } over{releasing_};
    for (Body* body : releases) body->release(first, last);
    released_.store(last, std::memory_order_seq_cst);
  }
}

void Segment::reset() {
  emitted.set(0);
  // Relaxed, as in all resets: no run is on, and what begins one hands everything over.
  wants_room.store(false, std::memory_order_relaxed);
  released_.store(0, std::memory_order_relaxed);
  releasing_.store(false, std::memory_order_relaxed);
}

Number Segment::held() const {
  const Number done = consumed(), made = emitted.get();
  return made - std::min(made, done);
}

void Input::reset() {
  // Relaxed: as above.
  for (Number i = 0; i <= mask; ++i) marks[i].tickets.store(shards > 1 ? 0 : unknown, std::memory_order_relaxed);
  end.store(unknown, std::memory_order_relaxed);
  position.store(0, std::memory_order_relaxed);
  ready = ticket_end = 0;
}

Birth Input::look_up_birth(Number k) {
  // Relaxed, here and below: the message has arrived, and by that, which scan() acquired, the mark was seen.
  if (shards > 1) {
    ticket_end = k + 1;
    return ticket_born = Birth::of(marks[k & mask].born.load(std::memory_order_relaxed));
  }
  // Looked at when the first message of a ticket is: its mark may be another's when the last one is consumed.
  while (k >= ticket_end) {
    const Mark& mark = marks[ticket_end & mask];
    ticket_born = Birth::of(mark.born.load(std::memory_order_relaxed));
    ticket_end += mark.tickets.load(std::memory_order_relaxed) & ((Number{1} << count_bits) - 1);
  }
  return ticket_born;
}

bool Input::arrive(const Ticket& ticket) {
  bool look = ticket.last();
  if (look) end.store((ticket.first + ticket.count) / shards, std::memory_order_release);
  if (ticket.count == 0) return look;
  // Relaxed: the count of tickets that is written next releases it.
  if (shards == 1) {
    marks[ticket.first & mask].born.store(ticket.born().bits(), std::memory_order_relaxed);
    marks[ticket.first & mask].tickets.store(ticket.first << count_bits | ticket.count, std::memory_order_release);
    return true;
  }
  for (Number k = ticket.first, last = ticket.first + ticket.count; k < last;) {
    const Number group = k / shards, here = std::min(last, (group + 1) * shards) - k;
    marks[group & mask].born.store(ticket.born().bits(), std::memory_order_relaxed);
    look |= marks[group & mask].tickets.fetch_add(here, std::memory_order_acq_rel) + here == shards;
    k += here;
  }
  return look;
}

void Input::scan() {
  for (;;) {
    auto& mark = marks[ready & mask].tickets;
    if (shards == 1) {
      const Number m = mark.load(std::memory_order_acquire);
      if (m >> count_bits != (ready << count_bits) >> count_bits) return;
      ready += m & ((Number{1} << count_bits) - 1);
    } else {
      if (mark.load(std::memory_order_acquire) != shards) return;
      mark.store(0, std::memory_order_relaxed);  // the position, stored later, tells who may mark it again
      ++ready;
    }
  }
}

}  // namespace sluice::detail
