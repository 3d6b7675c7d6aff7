#include "pipeline/detail/engine.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <oneapi/tbb/flow_graph.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <limits>
#include <mutex>
#include <numeric>
#include <optional>
#include <stdexcept>
#include <utility>

#include "pipeline/detail/arena.hpp"
#include "pipeline/detail/clock.hpp"
#include "pipeline/errors.hpp"

namespace sluice::detail {
namespace {

namespace flow = tbb::flow;
using Number = std::uint64_t;
constexpr Number unknown = std::numeric_limits<Number>::max();
constexpr Number drained = Number{1} << 42;  // a position beyond any message's

struct Ticket {
  enum Kind : std::uint8_t { messages, room, start };
  Number first = 0;
  Number stamp = 0;  // ticks at which it was emitted
  std::uint32_t count = 0;
  std::uint16_t stream = 0;  // the stage that emitted it
  Kind kind = messages;
  bool last = false;  // the stream ends with first + count
};

// One writer at a time, read by anybody.
class Counter {
 public:
  void set(Number n) { value_.store(n, std::memory_order_relaxed); }
  void add(Number n) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  void at_least(Number n) {
    if (n > value_.load(std::memory_order_relaxed)) value_.store(n, std::memory_order_relaxed);
  }
  Number get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<Number> value_{0};
};

// Ticks a message, smoothed: what the length of tickets is chosen by. Any thread may update it; a lost update is
// harmless.
class Cost {
 public:
  void update(Number elapsed, Number count) {
    const Number sample = std::max<Number>(1, elapsed / count), old = get();
    value_.store(old == 0 ? sample : (7 * old + sample) / 8, std::memory_order_relaxed);
  }
  Number get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<Number> value_{0};
};

// Calls bodies. One that waits for parallel work of its own must not run another body meanwhile: what it keeps in
// thread-locals would be lost, and its time counted twice.
template <class F>
auto isolated(F&& f) {
  return tbb::this_task_arena::isolate(std::forward<F>(f));
}

class Gate;
struct Segment;

// The stream that a gate reads through one of its ports.
struct Input {
  Gate* gate = nullptr;
  const Stage* producer = nullptr;
  std::size_t shards = 1;  // of a fold: messages of the stream that make one of its own
  bool endless = false;    // a feedback's stream: it ends when its consumer ends

  // A ticket that begins with message k and has n messages is marked at k modulo the size, as k * 2^20 + n. For a fold:
  // how many shards of group g have arrived, counted at g modulo the size.
  std::unique_ptr<std::atomic<Number>[]> marks;
  Number mask = 0;
  static constexpr unsigned count_bits = 20;

  std::atomic<Number> end{unknown};             // its length, once known; of a fold in groups
  Number ready = 0;                             // messages (groups) 0 .. ready - 1 have arrived; the gate's own
  alignas(64) std::atomic<Number> position{0};  // messages (groups) 0 .. position - 1 were consumed

  // Segments whose room depends on this input, each with the edge on which room travels back.
  struct Upstream {
    Segment* segment;
    bool direct;  // the input reads this segment itself, not shards cut from its messages
    std::unique_ptr<flow::broadcast_node<Ticket>> edge;
  };
  std::vector<Upstream> upstream;

  void allocate(Number window) {
    mask = std::bit_ceil(window) - 1;
    marks = std::make_unique<std::atomic<Number>[]>(mask + 1);
  }

  void reset() {
    for (Number i = 0; i <= mask; ++i) marks[i].store(shards > 1 ? 0 : unknown, std::memory_order_relaxed);
    end.store(unknown, std::memory_order_relaxed);
    position.store(0, std::memory_order_relaxed);
    ready = 0;
  }

  // From any thread. Returns whether the gate should look: of a fold only when a group is complete or the end is known.
  bool arrive(const Ticket& ticket) {
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

  // The gate's own: how far everything has arrived.
  void scan() {
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
};

// From a gate to the gates that read what it emits, through maps or directly.
struct Segment {
  Number capacity = 1;  // messages of the gate's stream
  struct Consumer {     // its position counts as position * multiply / divide messages of this segment
    Input* input;
    Number multiply, divide;
  };
  std::vector<Consumer> consumers;
  std::vector<const Cost*> costs;  // of the maps inside
  std::atomic<bool> wants_room{false};
  Counter emitted;
  Counter high_water;

  Number consumed() const {
    Number least = unknown;
    for (const Consumer& c : consumers) {
      const Number position = c.input->position.load(std::memory_order_seq_cst) * c.multiply;
      least = std::min(least, c.divide == 1 ? position : position / c.divide);
    }
    return least;
  }
};

struct Context {
  const std::string& graph;
  std::atomic<bool>& stop;
  std::mutex mutex;
  std::optional<StageError> error;  // the first

  bool stopping() const { return stop.load(std::memory_order_relaxed); }
  void fail(const Stage& stage, std::optional<Number> sequence, std::exception_ptr cause) {
    stop.store(true);  // first: with no memory left for the address, the run ends all the same
    const std::lock_guard lock(mutex);
    if (!error) error.emplace(stage.name, sequence, std::move(cause));
  }
};

// A map: works through the ticket's range and passes the ticket on, so that oneTBB continues with the next node.
class MapNode {
 public:
  MapNode(flow::graph& graph, Stage& stage, Context& context, std::size_t threads)
      : stage_(stage),
        context_(context),
        counts_(std::max<std::size_t>(2, threads)),  // an arena of one has a second slot
        node(graph, stage.concurrency.limit == 0 ? std::size_t{flow::unlimited} : stage.concurrency.limit,
             [this](const Ticket& ticket) { return work(ticket); }) {}

  void add_to(StageStats& stats, double seconds) const {
    for (const Counts& c : counts_) {
      stats.items += c.items.get();
      stats.busy += static_cast<double>(c.busy.get()) * seconds;
      stats.ready += static_cast<double>(c.ready.get()) * seconds;
    }
  }
  const Cost& cost() const { return cost_; }

 private:
  Ticket work(Ticket ticket) {
    if (ticket.count > 0 && !context_.stopping()) {
      const Number begin = ticks();
      Number at = ticket.first;
      try {
        isolated([&] { stage_.body->run(at, ticket.first + ticket.count, context_.stop); });
      } catch (...) {
        context_.fail(stage_, at, std::current_exception());
      }
      const Number end = ticks();
      Counts& mine =
          counts_[static_cast<std::size_t>(std::max(0, tbb::this_task_arena::current_thread_index())) % counts_.size()];
      mine.items.add(at - ticket.first);
      mine.busy.add(end - begin);
      if (begin > ticket.stamp) mine.ready.add(begin - ticket.stamp);
      cost_.update(end - begin, ticket.count);
      ticket.stamp = end;
    }
    ticket.stream = static_cast<std::uint16_t>(stage_.id);
    return ticket;
  }

  struct alignas(64) Counts {
    Counter items, busy, ready;
  };
  Stage& stage_;
  Context& context_;
  std::vector<Counts> counts_;  // one a thread
  Cost cost_;

 public:
  flow::function_node<Ticket, Ticket> node;  // last: nothing may be used before it is gone
};

// Every other verb: one activation at a time works as long as there is input and room, and looks once more before it
// leaves.
class Gate {
 public:
  using Node = flow::multifunction_node<Ticket, std::tuple<Ticket>>;

  Gate(flow::graph& graph, Stage& stage, Context& context)
      : stage_(stage),
        context_(context),
        node(graph, flow::unlimited, [this](const Ticket& ticket, Node::output_ports_type&) { arrive(ticket); }) {
    for (std::size_t i = 0; i < stage.inputs.size(); ++i) {
      auto& input = inputs.emplace_back(std::make_unique<Input>());
      input->gate = this;
      input->producer = stage.inputs[i];
      if (stage.verb == Verb::fold) input->shards = stage.shards;
      input->endless = stage.inputs[i]->endless;
    }
    // With nothing else to end by, the end of the feedback is the end.
    if (std::all_of(inputs.begin(), inputs.end(), [](const auto& i) { return i->endless; }))
      for (auto& input : inputs) input->endless = false;
  }

  void reset() {
    next_ = taken_ = room_until_ = 0;
    segment.emitted.set(0);
    end_ = unknown;
    holds_input_ = finishing_ = finished_ = false;
    segment.wants_room.store(false, std::memory_order_relaxed);
    for (auto& input : inputs) input->reset();
    left_at_ = ticks();
    why_ = Why::starved;
    state_.store(idle, std::memory_order_relaxed);
  }

  const Stage& stage() const { return stage_; }
  bool starts() const { return stage_.verb == Verb::source || stage_.verb == Verb::feedback; }
  void start() { node.try_put({0, ticks(), 0, 0, Ticket::start, false}); }
  bool finished() const { return finished_; }
  Number emitted() const { return next_; }

  std::string waiting_for() const {
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
      if (input->ready == taken_position(*input) && input->end.load() == unknown)
        edges.push_back(fmt::format("message {} of edge '{} -> {}'", input->ready, input->producer->name, stage_.name));
    return fmt::format("'{}' waits for {}", stage_.name, fmt::join(edges, " and "));
  }

  void add_to(StageStats& stats, double seconds) const {
    stats.items += items_.get();
    stats.busy += static_cast<double>(busy_.get()) * seconds;
    stats.starved += static_cast<double>(starved_.get()) * seconds;
    stats.blocked += static_cast<double>(blocked_.get()) * seconds;
    stats.ready += static_cast<double>(ready_.get()) * seconds;
    stats.high_water = std::max(stats.high_water, segment.high_water.get());
  }

 private:
  enum State : int { idle, running, look_again };
  enum class Why { starved, blocked };

  void arrive(const Ticket& ticket) {
    bool look = ticket.kind != Ticket::messages;
    if (ticket.kind == Ticket::messages)
      for (auto& input : inputs)
        if (input->producer->id == ticket.stream) look |= input->arrive(ticket);
    if (!look || state_.exchange(look_again, std::memory_order_seq_cst) != idle) return;
    activate(ticket.stamp);
  }

  void activate(Number stamp) {
    now_ = ticks();
    const Number woken = std::clamp(stamp, left_at_, std::max(left_at_, now_));
    (why_ == Why::blocked ? blocked_ : starved_).add(woken - left_at_);
    if (now_ > woken) ready_.add(now_ - woken);
    for (int expected;;) {
      state_.exchange(running, std::memory_order_seq_cst);
      work();
      offer_room(true);
      left_at_ = now_;
      expected = running;
      if (state_.compare_exchange_strong(expected, idle, std::memory_order_seq_cst)) return;
    }
  }

  void work() {
    try {
      while (!context_.stopping() && !finished_ && (stage_.verb == Verb::expand ? expand() : advance())) {
      }
    } catch (...) {
      context_.fail(stage_, finishing_ ? std::nullopt : std::optional(failed_at_), std::current_exception());
    }
  }

  // Messages that the inputs allow to have been made.
  Number available() {
    if (inputs.empty()) return unknown;
    Number least = unknown;
    for (auto& input : inputs) {
      input->scan();
      least = std::min(least, input->ready);
    }
    if (stage_.verb == Verb::split) return least * stage_.shards;
    return stage_.verb == Verb::feedback ? least + 1 : least;
  }

  // The number of messages that there will be, once it is known.
  Number length() {
    if (inputs.empty()) return end_;
    Number length = unknown;
    bool known = true;
    const Input* first = nullptr;
    for (auto& input : inputs) {
      if (input->endless) continue;
      const Number end = input->end.load(std::memory_order_acquire);
      known &= end != unknown;
      if (end == unknown) continue;
      if (length != unknown && length != end) unequal(*first, *input);
      length = end, first = input.get();
    }
    for (auto& endless : inputs) {
      const Number end = endless->endless ? endless->end.load(std::memory_order_acquire) : unknown;
      if (end == unknown) continue;
      for (auto& input : inputs)
        if (!input->endless && input->ready > end) unequal(*endless, *input);
    }
    if (length == unknown) return unknown;
    if (!known)
      for (auto& input : inputs)
        if (!input->endless && input->ready > length) unequal(*first, *input);
    if (!known) return unknown;
    if (stage_.verb == Verb::split) return length * stage_.shards;
    return stage_.verb == Verb::feedback ? length + 1 : length;
  }

  [[noreturn]] void unequal(const Input& a, const Input& b) {
    failed_at_ = std::min(a.end.load(), b.end.load());
    const auto said = [](const Input& i) {
      const Number end = i.end.load();
      return end == unknown ? fmt::format("'{}' has more", i.producer->name)
                            : fmt::format("'{}' ended after {} messages", i.producer->name, end);
    };
    throw std::runtime_error(fmt::format("streams of unequal length: {}, {}", said(a), said(b)));
  }

  Number room() {
    if (!stage_.has_output()) return unknown;
    if (next_ < room_until_) return room_until_;
    return room_until_ = segment.consumed() + segment.capacity;
  }

  // Says that room is wanted, then looks again: whoever consumed meanwhile has seen either the wish or is seen here.
  bool blocked() {
    segment.wants_room.store(true, std::memory_order_seq_cst);
    if (room() > next_) {
      segment.wants_room.store(false, std::memory_order_relaxed);
      return false;
    }
    why_ = Why::blocked;
    return true;
  }

  Number grain() const {
    if (!stage_.has_output()) return unknown;
    Number cost = cost_.get();
    if (cost == 0) return 1;
    for (const Cost* map : segment.costs) {
      if (map->get() == 0) return 1;
      cost += map->get();
    }
    return std::clamp<Number>(ticket_ticks / cost, 1, std::max<Number>(1, segment.capacity / 2));
  }

  // Every gate but expand: makes (takes) as many messages as there are inputs, room and patience for. False: no
  // progress.
  bool advance() {
    Number limit = available();
    if (next_ == length()) return finish(0);
    if (next_ >= limit) {
      why_ = Why::starved;
      return false;
    }
    if (next_ >= room() && blocked()) return false;
    limit = std::min(limit, room());
    const Number most = grain();
    if (limit - next_ > most) limit = next_ + most;

    const Number first = next_;
    failed_at_ = next_;
    const bool more = isolated([&] { return stage_.body->run(failed_at_, limit, context_.stop); });
    next_ = failed_at_;
    const Number count = next_ - first;
    tick(count);
    if (context_.stopping()) return false;
    if (!more) end_ = next_;
    if (!more || next_ == length()) return finish(count);
    if (stage_.has_output()) emit(count, false);
    consume();
    return true;
  }

  bool finish(Number count) {
    if (stage_.has_output()) {
      emit(count, true);
    } else {
      finishing_ = true;
      isolated([&] { stage_.body->finish(); });
    }
    finished_ = true;
    why_ = Why::starved;
    consume();
    return false;
  }

  bool expand() {
    Input& input = *inputs[0];
    const Number first = next_;
    bool idle_now = false;
    if (next_ >= room() && blocked()) return false;
    const Number limit = std::min(room(), next_ + grain());
    const Number taken_before = taken_;
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
          if (taken_ - taken_before >= std::max<Number>(1, (input.mask + 1) / 2))
            break;  // give the room back meanwhile
        }
      }
    });
    const Number count = next_ - first;
    tick(count);
    if (context_.stopping()) return false;
    if (count > 0 || finished_) emit(count, finished_);
    consume();
    return !idle_now && !finished_;
  }

  void tick(Number count) {
    const Number then = now_;
    now_ = ticks();
    busy_.add(now_ - then);
    items_.add(count);
    if (count > 0) cost_.update(now_ - then, count);
  }

  void emit(Number count, bool last) {
    segment.emitted.set(next_);
    segment.high_water.at_least(next_ - std::min(next_, segment.consumed()));
    std::get<0>(node.output_ports())
        .try_put({next_ - count, now_, static_cast<std::uint32_t>(count), static_cast<std::uint16_t>(stage_.id),
                  Ticket::messages, last});
  }

  Number taken_position(const Input&) const {
    switch (stage_.verb) {
      case Verb::expand:
        return taken_;
      case Verb::split:
        return next_ / stage_.shards;
      case Verb::feedback:
        return next_ == 0 ? 0 : next_ - 1;
      default:
        return next_;
    }
  }

  void consume() {
    for (auto& input : inputs) {
      // What is still to come of a feedback is for nobody, and must not be held back.
      const Number position = finished_ && input->endless ? drained : taken_position(*input);
      if (position != input->position.load(std::memory_order_relaxed))
        input->position.store(position, std::memory_order_seq_cst);
    }
    offer_room(false);
  }

  // Wakes the gates that wait for room here: when half of their segment is free; and before going idle unless more of
  // the segment's messages are on their way here, whose arrival starts this gate again. (Waking for every message would
  // make the queue a lock-step of tickets of one message; never waking would stall a diamond; waking where
  // there is no room would go round for ever in a cycle that has stalled.)
  void offer_room(bool going_idle) {
    for (auto& input : inputs) {
      if (going_idle) input->scan();
      for (auto& up : input->upstream) {
        Segment& s = *up.segment;
        if (!s.wants_room.load(std::memory_order_seq_cst)) continue;
        const Number emitted = s.emitted.get();
        const Number room_until = s.consumed() + s.capacity;
        const bool half = room_until >= emitted + (s.capacity + 1) / 2;
        const bool more_to_come = up.direct && input->ready * input->shards < emitted;
        if (!half && (!going_idle || more_to_come || room_until <= emitted)) continue;
        if (s.wants_room.exchange(false, std::memory_order_seq_cst))
          up.edge->try_put({0, now_, 0, static_cast<std::uint16_t>(stage_.id), Ticket::room, false});
      }
    }
  }

  Stage& stage_;
  Context& context_;
  alignas(64) std::atomic<int> state_{idle};

  // The running activation's own.
  Number next_ = 0;       // messages made (a sink: taken)
  Number taken_ = 0;      // of an expand: inputs used up
  Number end_ = unknown;  // of a source: its length, once it has ended
  Number room_until_ = 0;
  Number failed_at_ = 0;  // the message being worked on
  Number now_ = 0, left_at_ = 0;
  bool holds_input_ = false, finishing_ = false, finished_ = false;
  Why why_ = Why::starved;

  Counter items_, busy_, starved_, blocked_, ready_;
  Cost cost_;

 public:
  std::vector<std::unique_ptr<Input>> inputs;
  Segment segment;  // that its output begins
  Node node;
};

}  // namespace

struct Engine::Impl {
  Impl(const std::string& name, const std::vector<std::unique_ptr<Stage>>& wired, Threads workers,
       std::atomic<bool>& stop)
      : stages(wired), threads(std::move(workers)), context{name, stop, {}, {}} {
    // The graph's tasks run in the arena in which it is made.
    threads.arena().arena.execute([&] { graph = std::make_unique<flow::graph>(); });
    for (const auto& stage : stages) {
      if (stage->is_map())
        maps.emplace_back(std::make_unique<MapNode>(*graph, *stage, context, threads.count()));
      else
        gates.emplace_back(std::make_unique<Gate>(*graph, *stage, context));
      nodes.push_back({stage->is_map() ? maps.back().get() : nullptr, stage->is_map() ? nullptr : gates.back().get()});
    }
    find_cycles();
    for (const auto& gate : gates) make_segment(*gate);
    for (const auto& gate : gates) join_segments(*gate);
    for (const auto& stage : stages) make_edges(*stage);
  }

  // What lies between a gate and the next: its maps' costs and its consumers.
  void make_segment(Gate& gate) {
    if (!gate.stage().has_output()) return;
    Segment& segment = gate.segment;
    segment.capacity = stage_window(gate.stage());
    for (const auto& stage : stages)
      if (stage->is_map() && stage->gate == &gate.stage()) segment.costs.push_back(&node(*stage).map->cost());
    for (const auto& other : gates)
      for (auto& input : other->inputs)
        if (input->producer->gate == &gate.stage()) {
          input->allocate(segment.capacity / input->shards);
          segment.consumers.push_back({input.get(), input->shards, 1});
        }
  }

  // A split's input is in place until the shards made of it are consumed: its consumers stand for it.
  std::vector<Segment::Consumer> effective_consumers(const Segment& segment) const {
    std::vector<Segment::Consumer> all;
    for (const auto& consumer : segment.consumers) {
      const Gate& gate = *consumer.input->gate;
      if (gate.stage().verb != Verb::split) {
        all.push_back(consumer);
        continue;
      }
      for (auto behind : effective_consumers(gate.segment)) {
        behind.divide *= gate.stage().shards;
        const Number common = std::gcd(behind.multiply, behind.divide);
        all.push_back({behind.input, behind.multiply / common, behind.divide / common});
      }
    }
    return all;
  }

  void join_segments(Gate& gate) {
    if (!gate.stage().has_output()) return;
    // A split comes later than the gate before it, so what stands in for it is still as it was made.
    gate.segment.consumers = effective_consumers(gate.segment);
    for (const auto& consumer : gate.segment.consumers) {
      auto edge = std::make_unique<flow::broadcast_node<Ticket>>(*graph);
      flow::make_edge(*edge, gate.node);
      const bool direct = consumer.input->producer->gate == &gate.stage();
      consumer.input->upstream.push_back({&gate.segment, direct, std::move(edge)});
    }
  }

  // oneTBB continues on this thread with the successor that was registered last: the one on the way to a feedback.
  void make_edges(const Stage& stage) {
    std::vector<Stage*> successors;
    for (Stage* consumer : stage.consumers)
      if (std::find(successors.begin(), successors.end(), consumer) == successors.end()) successors.push_back(consumer);
    std::stable_partition(successors.begin(), successors.end(), [this](const Stage* s) { return !on_a_cycle[s->id]; });
    for (const Stage* successor : successors) {
      flow::receiver<Ticket>& to = node(*successor).receiver();
      if (stage.is_map())
        flow::make_edge(node(stage).map->node, to);
      else
        flow::make_edge(flow::output_port<0>(node(stage).gate->node), to);
    }
  }

  // The stages on the way to a feedback. Consumers come after their producers, but for feedbacks.
  void find_cycles() {
    on_a_cycle.resize(stages.size());
    const auto leads_on = [this](const Stage* s) { return s->verb == Verb::feedback || on_a_cycle[s->id]; };
    for (auto s = stages.rbegin(); s != stages.rend(); ++s)
      on_a_cycle[(*s)->id] =
          leads_on(s->get()) || std::any_of((*s)->consumers.begin(), (*s)->consumers.end(), leads_on);
  }

  struct NodeOf {
    MapNode* map;
    Gate* gate;
    flow::receiver<Ticket>& receiver() const {
      if (map) return map->node;
      return gate->node;
    }
  };
  const NodeOf& node(const Stage& stage) const { return nodes[stage.id]; }

  bool run() {
    context.error.reset();
    for (const auto& stage : stages) {
      try {
        stage->body->reset();
      } catch (...) {
        throw StageError(stage->name, std::nullopt, std::current_exception());
      }
    }
    for (const auto& gate : gates) gate->reset();
    try {
      threads.arena().arena.execute([this] {
        for (const auto& gate : gates)
          if (gate->starts()) gate->start();
        graph->wait_for_all();
      });
    } catch (...) {
      // Not a body's: bodies are caught where they run. oneTBB itself could not go on (no memory for a task).
      context.stop.store(true);
      threads.arena().arena.execute([this] { graph->reset(); });
      throw;
    }
    if (context.error) throw StageError(*context.error);
    if (context.stopping()) return false;
    std::vector<std::string> waiting;
    for (const auto& gate : gates)
      if (!gate->finished()) waiting.push_back(gate->waiting_for());
    if (!waiting.empty()) throw Stalled(fmt::format("graph '{}' stalled: {}", context.graph, fmt::join(waiting, "; ")));
    // A cycle leaves one value over; more would be messages that nobody took.
    for (const auto& gate : gates)
      for (const auto& input : gate->inputs)
        if (input->endless && node(*input->producer->gate).gate->emitted() > gate->emitted() + 1)
          throw StageError(gate->stage().name, gate->emitted(),
                           std::make_exception_ptr(std::runtime_error(fmt::format(
                               "streams of unequal length: feedback '{}' got {} messages back, '{}' took {}",
                               input->producer->gate->name, node(*input->producer->gate).gate->emitted() - 1,
                               gate->stage().name, gate->emitted()))));
    for (const auto& gate : gates)
      if (gate->stage().verb == Verb::feedback) node_stage(*gate).body->keep(gate->emitted() - 1);
    return true;
  }

  Stage& node_stage(const Gate& gate) const { return *stages[gate.stage().id]; }

  const std::vector<std::unique_ptr<Stage>>& stages;
  Threads threads;
  Context context;
  std::unique_ptr<flow::graph> graph;
  std::vector<std::unique_ptr<MapNode>> maps;
  std::vector<std::unique_ptr<Gate>> gates;
  std::vector<NodeOf> nodes;     // by stage
  std::vector<bool> on_a_cycle;  // by stage
};

Engine::Engine(const std::string& graph, const std::vector<std::unique_ptr<Stage>>& stages, Threads threads,
               std::atomic<bool>& stop)
    : impl_(std::make_unique<Impl>(graph, stages, std::move(threads), stop)) {}
Engine::~Engine() = default;

bool Engine::run() {
  return impl_->run();
}

void Engine::add_to(std::vector<StageStats>& stats, double wall) const {
  const double seconds = seconds_per_tick();
  for (std::size_t i = 0; i < stats.size(); ++i) {
    if (const Gate* gate = impl_->nodes[i].gate) {
      gate->add_to(stats[i], seconds);
    } else {
      impl_->nodes[i].map->add_to(stats[i], seconds);
      const std::size_t limit =
          stats[i].concurrency == 0 ? impl_->threads.count() : std::min(stats[i].concurrency, impl_->threads.count());
      stats[i].starved = std::max(0.0, wall * static_cast<double>(limit) - stats[i].busy - stats[i].ready);
    }
  }
}

}  // namespace sluice::detail
