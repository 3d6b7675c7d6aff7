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

Number Segment::held() const {
  const Number done = consumed(), made = emitted.get();
  return made - std::min(made, done);
}

void Input::reset() {
  for (Number i = 0; i <= mask; ++i) marks[i].store(shards > 1 ? 0 : unknown, std::memory_order_relaxed);
  end.store(unknown, std::memory_order_relaxed);
  position.store(0, std::memory_order_relaxed);
  ready = 0;
}

bool Input::arrive(const Ticket& ticket) {
  bool look = ticket.last;
  if (ticket.last) end.store((ticket.first + ticket.count) / shards, std::memory_order_release);
  if (ticket.count == 0) return look;
  if (shards == 1) {
    marks[ticket.first & mask].store(ticket.first << count_bits | ticket.count, std::memory_order_release);
    return true;
  }
  for (Number k = ticket.first, last = ticket.first + ticket.count; k < last;) {
    const Number group = k / shards, here = std::min(last, (group + 1) * shards) - k;
    look |= marks[group & mask].fetch_add(here, std::memory_order_acq_rel) + here == shards;
    k += here;
  }
  return look;
}

void Input::scan() {
  for (;;) {
    auto& mark = marks[ready & mask];
    if (shards == 1) {
      const Number m = mark.load(std::memory_order_acquire);
      if (m >> count_bits != (ready << count_bits) >> count_bits) return;
      ready += m & ((Number{1} << count_bits) - 1);
    } else {
      if (mark.load(std::memory_order_acquire) != shards) return;
      mark.store(0, std::memory_order_relaxed);
      ++ready;
    }
  }
}

}  // namespace sluice::detail
