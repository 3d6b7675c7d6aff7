#include <sluice/pipeline/detail/gate.hpp>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

#include <sluice/pipeline/detail/clock.hpp>
#include <sluice/pipeline/errors.hpp>

namespace sluice::detail {

Gate::Gate(flow::graph& graph, Stage& stage, Context& context)
    : Node(graph, stage, context, 0), row_(stage.row()), numbering_(numbering(stage.verb, stage.shards)) {
  for (const Stage* producer : stage.inputs) {
    auto& input = inputs.emplace_back(std::make_unique<Input>());
    input->gate = this;
    input->producer = producer;
    input->shards = numbering_.takes;
    input->endless = producer->endless;
  }
  // With nothing else to end by, the end of the feedback is the end.
  if (std::all_of(inputs.begin(), inputs.end(), [](const auto& i) { return i->endless; }))
    for (auto& input : inputs) input->endless = false;
}

void Gate::reset() {
  next_ = taken_ = room_until_ = 0;
  segment.emitted.set(0);
  end_ = unknown;
  holds_input_ = finishing_ = finished_ = holds_ticket_ = false;
  segment.wants_room.store(false, std::memory_order_relaxed);
  for (auto& input : inputs) input->reset();
  left_at_ = ticks();
  why_ = Why::starved;
  state_.store(idle, std::memory_order_relaxed);
}

void Gate::start() {
  if (wake()) flow_node().try_put({.stamp = ticks()});
}

std::string Gate::waiting_for() const {
  if (why_ == Why::blocked) {
    std::vector<std::string> slow;
    const Number consumed = segment.consumed();
    for (const auto& c : segment.consumers)
      if (c.input->position.load() * c.multiply / c.divide == consumed)
        slow.push_back(fmt::format("'{} -> {}'", c.input->producer->name, c.input->gate->stage().name));
    return fmt::format("'{}' waits for room for message {} (capacity {}, edge {})", stage_.name, next_,
                       segment.capacity, fmt::join(slow, ", "));
  }
  std::vector<std::string> edges;
  for (const auto& input : inputs)
    if (input->ready == turns_taken() && input->end.load() == unknown)
      edges.push_back(fmt::format("message {} of edge '{} -> {}'", input->ready, input->producer->name, stage_.name));
  return fmt::format("'{}' waits for {}", stage_.name, fmt::join(edges, " and "));
}

void Gate::add_to(StageStats& stats, double, double seconds_per_tick) const {
  stats.items += items_.get();
  stats.busy += static_cast<double>(busy_.get()) * seconds_per_tick;
  stats.starved += static_cast<double>(starved_.get()) * seconds_per_tick;
  stats.blocked += static_cast<double>(blocked_.get()) * seconds_per_tick;
  stats.ready += static_cast<double>(ready_.get()) * seconds_per_tick;
  std::array<Number, 256> bodies{};
  bodies_.add_to(bodies);
  stats.p50 = Histogram::quantile(bodies, 0.5) * seconds_per_tick;
  stats.p99 = Histogram::quantile(bodies, 0.99) * seconds_per_tick;
  if (stats.items == 1) stats.p50 = stats.p99 = stats.busy;
  if (!begins_segment()) return;
  // Capacity counts messages before the cut, whichever of their shards are there: for every gate whose output is
  // shards.
  const Number cut = segment.capacity / stage_.capacity;
  stats.high_water = (segment.high_water.get() + cut - 1) / cut;
  stats.queued = (segment.held() + cut - 1) / cut;
}

bool Gate::accept(const Ticket& ticket) {
  bool arrived = false;
  for (auto& input : inputs)
    if (input->producer->id == ticket.stream) arrived |= input->arrive(ticket);
  return arrived && wake();
}

Next Gate::run(const Ticket& ticket, Later& later) {
  state_.exchange(running, std::memory_order_seq_cst);
  now_ = ticks();
  const Number woken = std::clamp(ticket.stamp, left_at_, std::max(left_at_, now_));
  (why_ == Why::blocked ? blocked_ : starved_).add(woken - left_at_);
  if (now_ > woken) ready_.add(now_ - woken);
  for (;;) {
    work(later);
    offer_room(true, later);
    left_at_ = now_;
    const bool holds = std::exchange(holds_ticket_, false);
    const Ticket held = ticket_;
    const bool more = stage_.is_map() && holds && goes_on();
    unsigned expected = running;
    if (!more && state_.compare_exchange_strong(expected, idle, std::memory_order_seq_cst))
      // From here on another thread may be at work here.
      return holds ? deliver(held, true) : Next{};
    if (stage_.is_map() && holds) {
      state_.store(look, std::memory_order_seq_cst);
      flow_node().try_put({.stamp = now_});
      return deliver(held, true);
    }
    holds_ticket_ = holds;
    state_.exchange(running, std::memory_order_seq_cst);
  }
}

void Gate::work(Later& later) {
  try {
    if (finished_) consume(later);
    while (!context_.stopping() && !finished_ && go_on(later)) {
    }
  } catch (...) {
    context_.fail(stage_, finishing_ ? std::nullopt : std::optional(failed_at_), std::current_exception());
  }
}

bool Gate::go_on(Later& later) {
  if (numbering_.fixed) return advance(later);
  return stage_.verb == Verb::filter ? sift(later) : expand(later);
}

// Messages that the inputs allow to have been made.
Number Gate::available() {
  if (inputs.empty()) return unknown;
  Number least = unknown;
  for (auto& input : inputs) {
    input->scan();
    least = std::min(least, input->ready);
  }
  return numbering_.made(least);
}

// The number of messages that there will be, once it is known.
Number Gate::length() {
  if (inputs.empty()) return end_;
  Number length = unknown;
  bool known = true;
  const Input* first = nullptr;
  for (auto& input : inputs) {
    if (input->endless) continue;
    const Number end = input->end.load(std::memory_order_acquire);
    known &= end != unknown;
    if (end == unknown) continue;
    if (length != unknown && length != end && !context_.is_ending()) unequal(*first, *input);
    if (length == unknown || end < length) length = end, first = input.get();
  }
  for (auto& endless : inputs) {
    const Number end = endless->endless ? endless->end.load(std::memory_order_acquire) : unknown;
    if (end == unknown) continue;
    if (context_.is_ending()) length = std::min(length, end);
    for (auto& input : inputs)
      if (!input->endless && input->ready > end && !context_.is_ending()) unequal(*endless, *input);
  }
  if (length == unknown) return unknown;
  if (!known && !context_.is_ending())
    for (auto& input : inputs)
      if (!input->endless && input->ready > length) unequal(*first, *input);
  // Where sources were stopped, the shortest is the end of it, however long the others become.
  if (!known && !context_.is_ending()) return unknown;
  return numbering_.made(length);
}

void Gate::unequal(const Input& a, const Input& b) {
  failed_at_ = std::min(a.end.load(), b.end.load());
  const auto said = [](const Input& i) {
    const Number end = i.end.load();
    return end == unknown ? fmt::format("'{}' has more", i.producer->name)
                          : fmt::format("'{}' ended after {} messages", i.producer->name, end);
  };
  throw UnequalStreams(fmt::format("streams of unequal length: {}, {}", said(a), said(b)));
}

Number Gate::room() {
  if (!begins_segment()) return unknown;
  if (next_ < room_until_) return room_until_;
  return room_until_ = segment.consumed() + segment.capacity;
}

// Says that room is wanted, then looks again: whoever consumed meanwhile has seen either the wish or is seen here.
bool Gate::blocked() {
  segment.wants_room.store(true, std::memory_order_seq_cst);
  if (room() > next_) {
    segment.wants_room.store(false, std::memory_order_relaxed);
    return false;
  }
  why_ = Why::blocked;
  return true;
}

// Messages of a ticket: what the bodies up to the next gate do in some ten microseconds.
Number Gate::grain() const {
  if (!stage_.has_output()) return unknown;
  Number cost = cost_.get();
  if (cost == 0) return 1;
  for (const Cost* map : segment.costs) {
    if (map->get() == 0) return 1;
    cost += map->get();
  }
  Number most = std::max<Number>(1, segment.capacity / 2);
  // Shards that are worth a thread do not share a ticket while there are threads for them.
  if (hand_out && cost >= shard_ticks) most = std::min(most, hand_out->per_thread(stage_.shards));
  return std::clamp<Number>(ticket_ticks / cost, 1, most);
}

// Where a turn makes a fixed number: makes (takes) as many messages as there are inputs, room and patience for. False:
// no progress.
bool Gate::advance(Later& later) {
  if (inputs.empty() && end_ == unknown && context_.is_ending()) end_ = next_;
  Number limit = available();
  if (next_ == length()) return finish(0, later);
  if (next_ >= limit) {
    why_ = Why::starved;
    return false;
  }
  if (next_ >= room() && blocked()) return false;
  limit = std::min(limit, room());
  ticket_length_ = grain();
  const Number most = std::max(ticket_length_, rest_of_group());
  if (limit - next_ > most) limit = next_ + most;

  make_way(later);
  const Number first = next_;
  failed_at_ = next_;
  bool more = true;
  try {
    more = isolated([&] { return stage_.body->run(failed_at_, limit, context_.stop); });
  } catch (...) {
    tick(first, failed_at_ - first);
    throw;
  }
  next_ = failed_at_;
  const Number count = next_ - first;
  tick(first, count);
  if (context_.stopping()) return false;
  if (!more) end_ = next_;
  if (!more || next_ == length()) return finish(count, later);
  if (stage_.has_output()) emit(count, false);
  consume(later);
  return !stage_.is_map();
}

bool Gate::goes_on() {
  if (context_.stopping() || finished_) return false;
  return next_ < available() || next_ == length();
}

// All shards of a message are cut before the first is handed on, where cutting is quick: so that this thread may keep
// the one that it had the last time, whose memory lies in its caches.
Number Gate::rest_of_group() const {
  const Number makes = numbering_.makes;
  if (makes == 1 || cost_.get() * makes > ticket_ticks) return 0;
  return makes - next_ % makes;
}

bool Gate::finish(Number count, Later& later) {
  if (stage_.has_output()) {
    emit(count, true);
  } else {
    finishing_ = true;
    isolated([&] { stage_.body->finish(); });
  }
  finished_ = true;
  why_ = Why::starved;
  consume(later);
  return false;
}

bool Gate::expand(Later& later) {
  Input& input = *inputs[0];
  const Number first = next_;
  bool idle_now = false;
  if (next_ >= room() && blocked()) return false;
  const Number limit = std::min(room(), next_ + grain());
  const Number taken_before = taken_;
  make_way(later);
  isolated([&] {
    while (next_ < limit && !context_.stopping()) {
      failed_at_ = taken_;
      if (!holds_input_ && !finishing_) {
        input.scan();
        if (context_.stopping()) break;  // what has arrived may not have been made
        if (taken_ < input.ready) {
          holds_input_ = true;
          stage_.body->push(taken_);
        } else if (taken_ == input.end.load(std::memory_order_acquire)) {
          finishing_ = true;
          stage_.body->finish();
        } else {
          why_ = Why::starved;
          idle_now = true;
          break;
        }
      }
      if (stage_.body->pull(next_)) {
        ++next_;
      } else if (finishing_) {
        finished_ = true;
        break;
      } else {
        holds_input_ = false;
        ++taken_;
        if (taken_ - taken_before >= std::max<Number>(1, (input.mask + 1) / 2)) break;  // give the room back meanwhile
      }
    }
  });
  return pass_on(first, taken_before, idle_now, later);
}

// What a turn that makes as many messages as its body says has made, and whether there is more to do.
bool Gate::pass_on(Number first, Number taken_before, bool idle_now, Later& later) {
  const Number count = next_ - first;
  tick(first, count, taken_ + (holds_input_ ? 1 : 0) - taken_before);
  if (context_.stopping()) return false;
  if (count > 0 || finished_) emit(count, finished_);
  consume(later);
  return !idle_now && !finished_;
}

bool Gate::sift(Later& later) {
  Input& input = *inputs[0];
  const Number first = next_, taken_before = taken_;
  if (next_ >= room() && blocked()) return false;
  const Number limit = std::min(room(), next_ + grain());
  input.scan();
  if (context_.stopping()) return false;  // what has arrived may not have been made
  if (taken_ == input.ready) {
    if (taken_ == input.end.load(std::memory_order_acquire))
      finished_ = true;
    else
      why_ = Why::starved;
    return pass_on(first, taken_before, true, later);
  }
  make_way(later);
  // Not all at once, so that room is given back meanwhile.
  const Number last = std::min(input.ready, taken_ + std::max<Number>(1, (input.mask + 1) / 2));
  failed_at_ = taken_;
  next_ = isolated([&] { return stage_.body->sift(failed_at_, last, next_, limit, context_.stop); });
  taken_ = failed_at_;
  return pass_on(first, taken_before, false, later);
}

void Gate::tick(Number first, Number count, Number taken) {
  const Number then = now_;
  now_ = ticks();
  busy_.add(now_ - then);
  items_.add(count);
  if (count > 0) {
    cost_.update(now_ - then, count);
    bodies_.add(now_ - then, count);
  }
  if (context_.recorder && count + taken > 0)
    context_.recorder->body(tbb::this_task_arena::current_thread_index(),
                            {.begin = then,
                             .end = now_,
                             .first = first,
                             .taken_first = taken_ + (holds_input_ ? 1 : 0) - taken,
                             .count = static_cast<std::uint32_t>(count),
                             .taken = static_cast<std::uint32_t>(taken),
                             .stage = static_cast<std::uint16_t>(stage_.id)});
}

// Hands the messages before next_ on.
void Gate::emit(Number count, bool last) {
  if (begins_segment()) {
    segment.emitted.set(next_);
    segment.high_water.at_least(segment.held());
    if (context_.recorder) context_.recorder->queue(stage_.id, next_, stage_.id, now_, segment.held());
  }
  if (numbering_.makes == 1 || count <= ticket_length_) return hand_on(next_ - count, count, last);
  // In several tickets; this thread goes on with the first that is for it, or with the last.
  const int me = tbb::this_task_arena::current_thread_index();
  Number mine = next_ - count;
  while (segment.worker_of(mine) != me && mine + ticket_length_ < next_) mine += ticket_length_;
  flush();
  (*hand_out)({.first = next_ - count,
               .stamp = now_,
               .count = static_cast<std::uint32_t>(count),
               .stream = static_cast<std::uint16_t>(stage_.id),
               .last = last},
              ticket_length_, mine);
  const Number n = std::min(ticket_length_, next_ - mine);
  hand_on(mine, n, last && mine + n == next_);
}

// The ticket is kept until there is something else to do, so that this thread may go on with it.
void Gate::hand_on(Number first, Number count, bool last) {
  if (count == 0 && holds_ticket_ && ticket_.first + ticket_.count == first) {
    ticket_.last = last;
    return;
  }
  flush();
  ticket_ = {.first = first,
             .stamp = now_,
             .count = static_cast<std::uint32_t>(count),
             .stream = static_cast<std::uint16_t>(stage_.id),
             .last = last};
  holds_ticket_ = true;
}

// What was made, and gates that have got room, do not wait for a body.
void Gate::make_way(Later& later) {
  flush();
  if (!quick()) later.send();
}

void Gate::flush() {
  if (std::exchange(holds_ticket_, false)) deliver(ticket_, false);
}

Number Gate::turns_taken() const {
  return numbering_.fixed ? numbering_.turns(next_) : taken_;
}

void Gate::consume(Later& later) {
  for (auto& input : inputs) {
    // What is still to come of a feedback, or of the longer of two streams whose sources were stopped, is for nobody,
    // and must not be held back. It passes when it arrives, not before: until then maps read it in its slot.
    const bool passes = finished_ && (input->endless || context_.is_ending());
    if (passes) input->scan();
    const Number position = passes ? input->ready : turns_taken();
    if (position != input->position.load(std::memory_order_relaxed))
      input->position.store(position, std::memory_order_seq_cst);
  }
  if (context_.recorder)
    for (auto& input : inputs)
      for (auto& up : input->upstream)
        context_.recorder->queue(stage_.id, next_, up.gate->stage().id, now_, up.segment->held());
  offer_room(false, later);
}

// Wakes the gates that wait for room here: when half of their segment is free; and before going idle unless more of the
// segment's messages are on their way here, whose arrival starts this gate again. (Waking for every message would make
// the queue a lock-step of tickets of one message; never waking would stall a diamond; waking where there is no room
// would go round for ever in a cycle that has stalled.)
void Gate::offer_room(bool going_idle, Later& later) {
  for (auto& input : inputs) {
    if (going_idle && !input->upstream.empty()) input->scan();
    for (auto& up : input->upstream) {
      Segment& s = *up.segment;
      if (!s.wants_room.load(std::memory_order_seq_cst)) continue;
      const Number emitted = s.emitted.get();
      const Number room_until = s.consumed() + s.capacity;
      const bool half = room_until >= emitted + (s.capacity + 1) / 2;
      const bool more_to_come = up.direct && input->ready * input->shards < emitted;
      if (!half && (!going_idle || more_to_come || room_until <= emitted)) continue;
      if (s.wants_room.exchange(false, std::memory_order_seq_cst) && up.gate->wake()) later.add(*up.gate, *up.edge);
    }
  }
}

}  // namespace sluice::detail
