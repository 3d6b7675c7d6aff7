#include <sluice/pipeline/detail/gate.hpp>

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

#include <sluice/pipeline/detail/clock.hpp>
#include <sluice/pipeline/detail/lookout.hpp>
#include <sluice/pipeline/detail/slept.hpp>
#include <sluice/pipeline/errors.hpp>

namespace sluice::detail {

// For what is called from several places for every ticket: some nanoseconds each.
#define SLUICE_INLINE [[gnu::always_inline]] inline

Gate::Gate(flow::graph& graph, Stage& stage, Context& context)
    : Node(graph, stage, context, 0),
      graph_(graph),
      row_(stage.row()),
      numbering_(numbering(stage.verb, stage.shards)),
      feed_(stage.body->feed()),
      may_skip_(stage.may_skip()) {
  if (!stage.has_output()) latency_ = std::make_unique<Histogram>();
  if (is_branch()) return;  // its messages are made by the first one
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
  if (inputs.size() == 1) only_input_ = inputs[0].get();
  const auto dated = std::find_if(inputs.begin(), inputs.end(), [](const auto& i) { return !i->endless; });
  if (dated != inputs.end() && !row_.ahead) dated_by_ = dated->get();
}

void Gate::reset() {
  next_ = taken_ = room_until_ = 0;
  segment.reset();
  end_ = unknown;
  holds_input_ = finishing_ = finished_ = holds_ticket_ = cut_short_ = false;
  // Relaxed, all of them: no run is on, and what begins one hands everything over.
  handed_.store(0, std::memory_order_relaxed);
  progress_.at.store(0, std::memory_order_relaxed);
  progress_.since.store(Progress::idle, std::memory_order_relaxed);
  for (auto& input : inputs) input->reset();
  left_at_ = ticks();
  why_ = Why::starved;
  state_.store(idle, std::memory_order_relaxed);
}

void Gate::start() {
  if (wake()) flow_node().try_put({.stamp = ticks()});
}

void Gate::attach() {
  feed_->begin(*this);
  context_.ends.add(*this);
  graph_.reserve_wait();
  run_waits_.store(true);
  attached_.store(true);
}

void Gate::leave() {
  if (!attached_.exchange(false)) return;
  if (feed_->has_thread()) cut_short_ = context_.is_ending();  // what else it would have made nobody knows
  context_.ends.remove(*this);
  feed_->over();
  if (run_waits_.exchange(false)) graph_.release_wait();  // last: nobody rings any more
}

// The run waits for the outside as long as something may come from there. While there is no room nothing can, and only
// what is in the graph can make some: if that comes to a stop, the run has stalled.
void Gate::wait_for_outside() {
  bool full = next_ == feed_->accepted() && next_ >= room();
  if (full) {
    // Not taken back where there is room after all: it may be the wish of somebody else, too.
    wish_for_room();
    full = next_ >= room();
    if (!full) feed_->offer_room();
  }
  // Relaxed: only whoever works here writes it, and from one to the next `state_` hands it over.
  if (full == run_waits_.load(std::memory_order_relaxed)) {
    if (full)
      graph_.release_wait();
    else
      graph_.reserve_wait();
    run_waits_.store(!full, std::memory_order_relaxed);
  }
}

void Gate::fill(const std::stop_token& token) {
  const WorksHere here(context_);
  feed_->begin_filling();
  Number at = 0;
  try {
    feed_->fill(at, token);
  } catch (...) {
    context_.fail(stage_, at, std::current_exception());
  }
  feed_->end_filling();
  feed_->close();
}

// From outside, also from within Ends. Where there is no memory for a task it is tried again: nobody else would.
void Gate::ring() noexcept {
  graph_.reserve_wait();  // whoever offers room and finds this gate woken goes, and the run must not end meanwhile
  if (wake())
    for (bool put = false; !put;) {
      try {
        flow_node().try_put({.stamp = ticks()});
        put = true;
      } catch (...) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }
  graph_.release_wait();
}

std::string Gate::waiting_for() const {
  const bool branch_blocks = branch_ && branch_->why_ == Why::blocked;
  if (branch_blocks || (is_branch() && why_ != Why::blocked)) return {};  // said of the other
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
  stats.waiting += static_cast<double>(waiting_.get()) * seconds_per_tick;
  stats.left_over += left_over_.get();
  if (feed_) {
    // Its own thread's time is not the outside's.
    const double busy = std::min(stats.waiting, feed_->busy());
    stats.busy += busy;
    stats.waiting -= busy;
  }
  if (latency_) {
    std::array<Number, 256> latencies{};
    latency_->add_to(latencies);
    stats.latency_p50 = Histogram::quantile(latencies, 0.5) * seconds_per_tick;
    stats.latency_p99 = Histogram::quantile(latencies, 0.99) * seconds_per_tick;
  }
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

bool Gate::accept(const Ticket& ticket, std::size_t producer) {
  bool arrived = false;
  for (auto& input : inputs)
    if (input->producer->id == producer) arrived |= input->arrive(ticket);
  return arrived && wake();
}

Next Gate::run(const Next& next, Later& later) {
  state_.exchange(running, std::memory_order_seq_cst);
  now_ = context_.time_of(next);
  const Number woken = std::clamp(next.ticket.stamp, left_at_, std::max(left_at_, now_));
  (why_ == Why::blocked ? blocked_ : why_ == Why::waiting ? waiting_ : starved_).add(woken - left_at_);
  if (now_ > woken) ready_.add(now_ - woken);
  for (;;) {
    work(later);
    offer_room(true, later);
    // Relaxed: the lookout, should it see it late, looks once more in vain.
    if (lookout_) progress_.since.store(Progress::idle, std::memory_order_relaxed);
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
  if (feed_) tend();
  try {
    if (finished_) consume(later);
    while (!context_.stopping() && !finished_ && go_on(later)) {
    }
  } catch (...) {
    context_.fail(stage_, finishing_ ? std::nullopt : std::optional(failed_at_), std::current_exception());
  }
  if (!feed_) return;
  if (finished_ || context_.stopping())
    leave();
  else if (attached_.load(std::memory_order_relaxed))  // written before the run, and by whoever works here
    wait_for_outside();
}

// Whoever fills the source hears of room, and of an end that was asked for. (A source with a thread has a token.)
void Gate::tend() {
  if (context_.is_ending() && !feed_->has_thread() && !feed_->closed()) {
    feed_->close();
    cut_short_ = true;
  }
  feed_->offer_room();
}

bool Gate::go_on(Later& later) {
  if (numbering_.fixed) return advance(later);
  return stage_.verb == Verb::filter ? sift(later) : branch_ ? part(later) : expand(later);
}

// Messages that the inputs allow to have been made.
SLUICE_INLINE Number Gate::available() {
  if (only_input_) {
    only_input_->scan();
    return numbering_.made(only_input_->ready);
  }
  if (feed_) return feed_->accepted();
  if (inputs.empty()) return unknown;
  Number least = unknown;
  for (auto& input : inputs) {
    input->scan();
    least = std::min(least, input->ready);
  }
  return numbering_.made(least);
}

// The number of messages that there will be, once it is known.
SLUICE_INLINE Number Gate::length() {
  if (only_input_) {
    const Number end = only_input_->end.load(std::memory_order_acquire);
    return end == unknown ? unknown : numbering_.made(end);
  }
  if (feed_) return feed_->closed() ? feed_->accepted() : unknown;
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

SLUICE_INLINE Number Gate::room() {
  if (!begins_segment()) return unknown;
  if (next_ < room_until_) return room_until_;
  return room_until_ = segment.given_back() + segment.capacity;
}

// Says that room is wanted, then looks again: whoever consumed meanwhile has seen either the wish or is seen here.
bool Gate::blocked() {
  segment.wants_room.store(true, std::memory_order_seq_cst);
  if (room() > next_) {
    // Relaxed: who still sees the wish wakes this gate in vain.
    segment.wants_room.store(false, std::memory_order_relaxed);
    return false;
  }
  why_ = Why::blocked;
  return true;
}

// Messages of a ticket: what the bodies up to the next gate do in some ten microseconds. A sink takes as many at a
// time.
Number Gate::grain() const {
  Number cost = cost_.get();
  if (cost == 0) return 1;
  const Number ticket = Cost::of(durations().ticket);
  if (!stage_.has_output()) return std::max<Number>(1, ticket / cost);
  for (const Cost* map : segment.costs) {
    if (map->get() == 0) return 1;
    cost += map->get();
  }
  Number most = std::max<Number>(1, segment.capacity / 2);
  // Shards that are worth a thread do not share a ticket while there are threads for them.
  if (hand_out && cost >= Cost::of(durations().shard)) most = std::min(most, hand_out->per_thread(stage_.shards));
  return std::clamp<Number>(ticket / cost, 1, most);
}

// Room that is worth a wake-up, in messages: a ticket's. But half of the segment where messages wait for a thread in
// the queues of oneTBB, whose owners take the newest first: a thread that made one more would go on with that, while
// the oldest, which everybody behind waits for, lie there. (Searching 40 files with 2 threads and capacity 4 took a
// fifth longer.)
Number Gate::worth_waking() const {
  const Number half = (segment.capacity + 1) / 2;
  return hand_out || !segment.prompt ? half : std::min(half, grain());
}

// Where a turn makes a fixed number: makes (takes) as many messages as there are inputs, room and patience for. False:
// no progress.
bool Gate::advance(Later& later) {
  if (inputs.empty() && !feed_ && end_ == unknown && context_.is_ending()) {
    end_ = next_;
    cut_short_ = true;
  }
  Number limit = available();
  if (next_ == length()) return finish(0, later);
  if (next_ >= limit) {
    why_ = !feed_ ? Why::starved : room() > next_ ? Why::waiting : Why::blocked;
    return false;
  }
  if (next_ >= room() && blocked()) return false;
  limit = std::min(limit, room());
  ticket_length_ = grain();
  const Number most = std::max(ticket_length_, rest_of_group());
  if (limit - next_ > most) limit = next_ + most;

  make_way(later);
  const bool asks = inputs.empty() && !feed_;
  const bool measured = asks && timed_ > 0;
  if (asks) about_to_ask(limit);
  const Number first = next_, began = now_;
  const Number absent = Mishaps::absent_here;
  failed_at_ = next_;
  bool more = true;
  try {
    more = isolated([&] { return stage_.body->run(failed_at_, limit, context_.ends.halt_flag()); });
  } catch (...) {
    if (lookout_) handed_.exchange(unknown, std::memory_order_seq_cst);  // nothing more is handed on
    tick(first, failed_at_ - first);
    throw;
  }
  next_ = failed_at_;
  Number count = next_ - first;
  if (may_skip_) absent_ = Mishaps::absent_here - absent;
  tick(first, count);
  if (asks) has_asked(began, measured, count);
  if (latency_) count_latency(first);
  if (context_.stopping()) return false;
  if (!more) {
    if (stage_.has_output())
      end_ = next_;
    else
      context_.ends.end_early(stage_.name);
  }
  if (!more || next_ == length()) return finish(count, later);
  if (stage_.has_output()) emit(count, false);
  consume(later);
  return !stage_.is_map();
}

// A source's body may wait for the outside: what it has made does not wait with it, and its time is not busy.
void Gate::about_to_ask(Number limit) {
  if (lookout_ && limit - next_ > 1) {
    if (progress_.since.load(std::memory_order_relaxed) == Progress::idle)  // written by whoever works here
      progress_.since.store(Progress::begun, std::memory_order_seq_cst);
    if (lookout_->resting()) lookout_->wake();
  }
  if (timed_ > 0) SleptSoFar::note();
}

// count: becomes what the lookout has not handed on.
void Gate::has_asked(Number began, bool measured, Number& count) {
  const Number took = now_ - began;
  if (took > durations().slow) {
    const Number outside = std::min(SleptSoFar::since(began, now_), took);
    waiting_.add(outside);
    busy_.set(busy_.get() - outside);
    timed_ = most_timed;
  } else if (measured) {
    --timed_;
  }
  const Number left = lookout_ ? unhanded(count) : count;
  born_ = Birth::at(count > 1 && left == count ? began : now_);
  count = left;
}

// The call is over: how many of the last `count` messages the lookout has not handed on.
Number Gate::unhanded(Number count) {
  // Of the next call, until this gate goes idle. Relaxed: the exchange releases it, and a lookout that is late finds
  // nothing that was not handed on.
  progress_.since.store(Progress::begun, std::memory_order_relaxed);
  const Number handed = handed_.exchange(next_, std::memory_order_seq_cst);
  return std::min(count, next_ - std::min(next_, handed));
}

Gate::Asking Gate::asking() const {
  const Number since = progress_.since.load(std::memory_order_seq_cst);
  if (since == Progress::idle) return Asking::no;
  // A call that has lasted longer than a ticket is the ticket's last.
  const Number now = ticks();
  return since == Progress::begun || now - std::min(since, now) < durations().slow ? Asking::busy : Asking::slow;
}

// Asked by the lookout when it is about to rest.
bool Gate::needs_looking_after() const {
  const Asking now = asking();
  return now == Asking::busy || (now == Asking::slow && progress_.at.load(std::memory_order_acquire) >
                                                            handed_.load(std::memory_order_acquire));
}

// By the lookout, while the body runs, or may.
void Gate::hand_on_what_is_made() {
  graph_.reserve_wait();  // what is to be handed on is part of the run, whoever gets to it first
  Number first = handed_.load(std::memory_order_acquire);
  // `since` relaxed: `at`, which was stored behind it, was acquired; a later one is at most a younger age.
  const Number made = progress_.at.load(std::memory_order_acquire),
               since = progress_.since.load(std::memory_order_relaxed);
  if (made > first && !context_.stopping() && handed_.compare_exchange_strong(first, made, std::memory_order_acq_rel)) {
    Ticket ticket{.first = first, .stamp = ticks(), .count = static_cast<std::uint32_t>(made - first)};
    // The call may be over, and the time of the message gone.
    ticket.set(Birth::at(since > Progress::begun ? since : ticket.stamp), false);
    try {
      deliver(ticket, false);
    } catch (...) {
      context_.fail(std::current_exception());
    }
  }
  graph_.release_wait();
}

// When the source made what message `first` of this stage is made of.
Birth Gate::born(Number first) {
  if (dated_by_ && numbering_.fixed) return dated_by_->born(numbering_.turns(first));
  return row_.ahead ? Birth::at(now_) : feed_ ? Birth::at(feed_->oldest()) : born_;
}

void Gate::count_latency(Number first) {
  if (!dated_by_) return;
  for (Number k = first; k < next_;) {
    const Birth born = dated_by_->born(k);
    const Number until = std::min(dated_by_->born_until(), next_);
    latency_->add_each(born.age(now_), until - k);
    k = until;
  }
}

bool Gate::goes_on() {
  if (context_.stopping() || finished_) return false;
  return next_ < available() || next_ == length();
}

// All shards of a message are cut before the first is handed on, where cutting is quick: so that this thread may keep
// the one that it had the last time, whose memory lies in its caches.
Number Gate::rest_of_group() const {
  const Number makes = numbering_.makes;
  if (makes == 1 || cost_.get() > Cost::of(durations().ticket) / makes) return 0;
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
  bool idle_now = false, born_known = false;
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
      if (!std::exchange(born_known, true)) born_ = finishing_ ? Birth::at(now_) : input.born(taken_);
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
  born_ = input.born(taken_);
  next_ = isolated([&] { return stage_.body->sift(failed_at_, last, next_, limit, context_.ends.halt_flag()); });
  taken_ = failed_at_;
  return pass_on(first, taken_before, false, later);
}

// As sift(), for two streams: this gate's and that of its branch, which is never woken itself.
bool Gate::part(Later& later) {
  Input& input = *inputs[0];
  Gate& other = *branch_;
  const Number first[] = {next_, other.next_}, taken_before = taken_;
  if (next_ >= room() && blocked()) return false;
  if (other.next_ >= other.room() && other.blocked()) {
    why_ = Why::blocked;
    return false;
  }
  other.why_ = Why::starved;  // whatever it was when this gate was woken
  Body::Branches to{{next_, other.next_},
                    {std::min(room(), next_ + grain()), std::min(other.room(), other.next_ + other.grain())}};
  input.scan();
  if (context_.stopping()) return false;  // what has arrived may not have been made
  bool idle_now = false;
  if (taken_ == input.ready) {
    idle_now = true;
    finished_ = other.finished_ = taken_ == input.end.load(std::memory_order_acquire);
    why_ = Why::starved;
  } else {
    make_way(later);
    const Number last = std::min(input.ready, taken_ + std::max<Number>(1, (input.mask + 1) / 2));
    failed_at_ = taken_;
    born_ = other.born_ = input.born(taken_);
    isolated([&] { stage_.body->part(failed_at_, last, to, context_.ends.halt_flag()); });
    taken_ = failed_at_;
    next_ = to.made[0];
    other.next_ = to.made[1];
  }
  const Number count = next_ - first[0], others = other.next_ - first[1], judged = taken_ - taken_before;
  const Number began = now_;
  tick(first[0], count, judged, judged);
  other.now_ = now_;
  other.items_.add(others);
  if (judged > 0) other.cost_.update(now_ - began, judged);
  if (context_.stopping()) return false;
  if (others > 0 || finished_) {
    other.emit(others, finished_);
    other.flush();
  }
  if (count > 0 || finished_) emit(count, finished_);
  consume(later);
  return !idle_now && !finished_;
}

SLUICE_INLINE void Gate::tick(Number first, Number count, Number taken, Number worked) {
  const Number then = now_;
  now_ = ticks();
  busy_.add(now_ - then);
  items_.add(count - absent_);
  if (worked > 0) {
    cost_.update(now_ - then, worked);
    bodies_.add(now_ - then, worked);
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
  Ticket whole{.first = next_ - count, .stamp = now_, .count = static_cast<std::uint32_t>(count)};
  whole.set(born(next_ - count), last);
  (*hand_out)(whole, ticket_length_, mine);
  const Number n = std::min(ticket_length_, next_ - mine);
  hand_on(mine, n, last && mine + n == next_);
}

// The ticket is kept until there is something else to do, so that this thread may go on with it.
SLUICE_INLINE void Gate::hand_on(Number first, Number count, bool last) {
  if (count == 0 && holds_ticket_ && ticket_.first + ticket_.count == first) {
    ticket_.set_last(last);
    return;
  }
  flush();
  ticket_ = {.first = first, .stamp = now_, .count = static_cast<std::uint32_t>(count)};
  ticket_.set(count == 0 ? Birth() : born(first), last);
  holds_ticket_ = true;
}

// What was made, and gates that have got room, do not wait for a body.
SLUICE_INLINE void Gate::make_way(Later& later) {
  flush();
  if (!quick()) later.send();
}

SLUICE_INLINE void Gate::flush() {
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
    // Relaxed: this gate writes it.
    const Number before = input->position.load(std::memory_order_relaxed), mine = turns_taken();
    const Number position = passes ? input->ready : mine;
    if (position == before) continue;
    if (passes && !input->endless) left_over_.add(position - std::max(before, mine));
    if (input.get() == dated_by_ && !passes) input->born(position - 1);  // while its ticket is known
    input->position.store(position, std::memory_order_seq_cst);
  }
  for (Segment* upstream : releasing_) upstream->release();
  if (context_.recorder)
    for (auto& input : inputs)
      for (auto& up : input->upstream)
        context_.recorder->queue(stage_.id, next_, up.gate->stage().id, now_, up.segment->held());
  offer_room(false, later);
}

// Wakes the gates that wait for room here: when there is room for a ticket, or half of their segment is free; and
// before going idle unless more of the segment's messages are on their way here, whose arrival starts this gate again:
// for a fold a whole group, since shards of one that is not yet cut in full start nothing. (It may be the last to know
// of the room: who puts messages away does so for other readers, too, that have left meanwhile; Segment::release().)
// (Waking for every message would make the queue a lock-step of tickets of one message; waking slow ones only by halves
// keeps a quarter of the segment empty; never waking would stall a diamond; waking where there is no room would go
// round for ever in a cycle that has stalled.)
void Gate::offer_room(bool going_idle, Later& later) {
  for (auto& input : inputs) {
    if (going_idle && !input->upstream.empty()) input->scan();
    for (auto& up : input->upstream) {
      Segment& s = *up.segment;
      if (!s.wants_room.load(std::memory_order_seq_cst)) continue;
      const Number emitted = s.emitted.get();
      const Number room_until = s.given_back() + s.capacity;
      const bool enough = room_until >= emitted + up.gate->worth_waking();
      const bool more_to_come = up.direct && input->ready < emitted / input->shards;
      if (!enough && (!going_idle || more_to_come || room_until <= emitted)) continue;
      if (s.wants_room.exchange(false, std::memory_order_seq_cst) && up.worker->wake()) later.add(*up.worker, *up.edge);
    }
  }
}

}  // namespace sluice::detail
