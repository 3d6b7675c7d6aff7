#include "tests/pipeline/random_graph.hpp"

#include <algorithm>
#include <utility>

#include "tests/support/parameters.hpp"

namespace sluice::test {
namespace {

// The callables, in both forms.
struct MakeSource {
  StageBody* body;
  std::optional<Message> operator()() {
    const auto d = body->source();
    return d ? std::optional<Message>(*d) : std::nullopt;
  }
  void reset() { body->reset(); }
};
struct FillSource {
  using Output = Message;
  StageBody* body;
  bool operator()(Message& out) {
    const auto d = body->source();
    if (d) out.set(*d);
    return d.has_value();
  }
  void reset() { body->reset(); }
};

struct MakeLate {
  StageBody* body;
  std::optional<Message> operator()(const std::stop_token&) { return MakeSource{body}(); }
  void reset() { body->reset(); }
};
struct FillLate {
  using Output = Message;
  StageBody* body;
  bool operator()(Message& out, const std::stop_token&) { return FillSource{body}(out); }
  void reset() { body->reset(); }
};

// What is left of a message that was taken is not whole any more.
inline void use_up(Message& m) {
  m.echo.clear();
}
inline void use_up(Pair& p) {
  use_up(std::get<0>(p)), use_up(std::get<1>(p));
}

template <class In>
struct MakeMapTaking {
  StageBody* body;
  Message operator()(In&& in) const {
    const Digest digest = body->look(in);
    use_up(in);
    return Message(body->map(digest));
  }
  void reset() { body->reset(); }
};
template <class In>
struct FillMapTaking {
  using Output = Message;
  StageBody* body;
  void operator()(In&& in, Message& out) const {
    const In mine = std::move(in);
    use_up(in);
    out.set(body->map(body->look(mine)));
  }
  void reset() { body->reset(); }
};

template <class In>
struct MakeMap {
  StageBody* body;
  Message operator()(const In& in) const { return Message(body->map(body->look(in))); }
  void reset() { body->reset(); }
};
template <class In>
struct FillMap {
  using Output = Message;
  StageBody* body;
  void operator()(const In& in, Message& out) const {
    out.set(body->map(body->look(in)));
    body->look(in);  // it is still in place
  }
  void reset() { body->reset(); }
};

template <class In>
struct MakeExpand {
  StageBody* body;
  void push(const In& in) { body->push(body->look(in)); }
  std::optional<Message> pull() {
    const auto d = body->pull();
    return d ? std::optional<Message>(*d) : std::nullopt;
  }
  void finish() { body->finish(); }
  void reset() { body->reset(); }
};
template <class In>
struct FillExpand {
  using Output = Message;
  StageBody* body;
  void push(const In& in) { body->push(body->look(in)); }
  bool pull(Message& out) {
    const auto d = body->pull();
    if (d) out.set(*d);
    return d.has_value();
  }
  void finish() { body->finish(); }
  void reset() { body->reset(); }
};

template <class In>
struct MakeExpandTaking : MakeExpand<In> {
  void push(In in) { this->body->push(this->body->look(in)); }
};

struct Part {
  StageBody* body;
  StageBody* second;
  bool operator()(const Message& in) { return body->part(body->look(in), *second); }
  void reset() { body->reset(), second->reset(); }
};

struct Keep {
  StageBody* body;
  bool operator()(const Message& in) { return body->keep(body->look(in)); }
  void reset() { body->reset(); }
};

template <class In>
struct MakeSplit {
  StageBody* body;
  Message operator()(const In& in, std::size_t part, std::size_t parts) const {
    return Message(body->cut(body->look(in), part, parts));
  }
  void reset() { body->reset(); }
};
template <class In>
struct FillSplit {
  using Output = Message;
  StageBody* body;
  void operator()(const In& in, std::size_t part, std::size_t parts, Message& out) const {
    out.set(body->cut(body->look(in), part, parts));
  }
  void reset() { body->reset(); }
};

template <class In>
struct MakeFold {
  StageBody* body;
  Message operator()(Group<In> shards) { return Message(body->fold(shards)); }
  void reset() { body->reset(); }
};
template <class In>
struct FillFold {
  using Output = Message;
  StageBody* body;
  void operator()(Group<In> shards, Message& out) { out.set(body->fold(shards)); }
  void reset() { body->reset(); }
};

struct Take {
  StageBody* body;
  template <class... In>
  Demand operator()(const Message& first, const In&... in) {
    Digest sum = body->look(first);
    ((sum = mix(sum, body->look(in))), ...);
    return body->sink(sum);
  }
  Demand operator()(const Pair& in) { return body->sink(body->look(in)); }
  void finish() { body->finish(); }
  void reset() { body->reset(); }
};

template <class In>
struct TakeAway {
  StageBody* body;
  Demand operator()(In&& in) {
    const Digest digest = body->look(in);
    use_up(in);
    return body->sink(digest);
  }
  void finish() { body->finish(); }
  void reset() { body->reset(); }
};

}  // namespace

RandomGraph::RandomGraph(std::uint64_t seed, Plan::Wrong wrong)
    : plan(seed, wrong),
      watch(plan.threads),
      graph(std::make_unique<Graph>("random", threads(plan.threads))),
      streams_(plan.stages.size()),
      feedbacks_(plan.stages.size()),
      start_(plan.stages.size()) {
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    bodies_.push_back(std::make_unique<StageBody>(plan, i, watch));
    start_[i] = mix(seed, i);
  }
  watch.cancel = [this] { cancel(); };
  for (std::size_t i = 0; i < plan.stages.size(); ++i)
    if (plan.stages[i].first == none) streams_[i] = add(i);
  for (std::size_t i = 0; i < plan.stages.size(); ++i)
    if (feedbacks_[i]) feedbacks_[i]->close(std::get<Stream<Message>>(streams_[plan.stages[i].inputs[0]]));
}

RandomGraph::AnyStream RandomGraph::add(std::size_t id) {
  const PlanStage& s = plan.stages[id];
  StageBody* const body = bodies_[id].get();
  Graph& g = *graph;
  const auto room = capacity(s.capacity);
  // The stream of stage s.inputs[port], and what is made of the first.
  const auto in = [&](std::size_t port) { return std::get<Stream<Message>>(streams_[s.inputs[port]]); };
  const auto of_first = [&](auto&& wire) -> AnyStream {
    const AnyStream& first = streams_[s.inputs[0]];
    if (const auto* pairs = std::get_if<Stream<Pair>>(&first)) return wire(*pairs, Pair{});
    return wire(std::get<Stream<Message>>(first), Message{});
  };
  // With what is to become of exceptions, where that is said.
  const auto wired = [&](auto&& wire) { return s.skips ? wire(on_error(skip)) : wire(room); };
  switch (s.verb) {
    case Verb::source:
      return wired([&](auto option) {
        if (s.waits)
          return s.recycling ? g.source(s.name, FillLate{body}, room, option)
                             : g.source(s.name, MakeLate{body}, room, option);
        return s.recycling ? g.source(s.name, FillSource{body}, room, option)
                           : g.source(s.name, MakeSource{body}, room, option);
      });
    case Verb::map:
      return of_first([&]<class In>(const Stream<In>& first, const In&) {
        const auto with = [&](auto option) {
          if (s.takes)
            return s.recycling ? g.map(s.name, FillMapTaking<In>{body}, first, s.concurrency, option)
                               : g.map(s.name, MakeMapTaking<In>{body}, first, s.concurrency, option);
          return s.recycling ? g.map(s.name, FillMap<In>{body}, first, s.concurrency, option)
                             : g.map(s.name, MakeMap<In>{body}, first, s.concurrency, option);
        };
        return s.skips ? with(on_error(skip)) : with(s.concurrency);
      });
    case Verb::expand:
      return of_first([&]<class In>(const Stream<In>& first, const In&) {
        return wired([&](auto option) {
          if (s.takes) return g.expand(s.name, MakeExpandTaking<In>{{body}}, first, room, option);
          return s.recycling ? g.expand(s.name, FillExpand<In>{body}, first, room, option)
                             : g.expand(s.name, MakeExpand<In>{body}, first, room, option);
        });
      });
    case Verb::filter:
      return wired([&](auto option) { return g.filter(s.name, Keep{body}, in(0), room, option); });
    case Verb::partition:
      return wired([&](auto option) {
        const PlanStage& second = plan.stages[s.second];
        auto [a, b] = g.partition(s.name, second.name, Part{body, bodies_[s.second].get()}, in(0), room, option);
        g.set_capacity(second.name, second.capacity);
        streams_[s.second] = b;
        return a;
      });
    case Verb::zip:
      return g.zip(s.name, in(0), in(1), room);
    case Verb::split:
      return of_first([&]<class In>(const Stream<In>& first, const In&) {
        return wired([&](auto option) {
          return s.recycling ? g.split(s.name, FillSplit<In>{body}, first, room, shards(s.shards), option)
                             : g.split(s.name, MakeSplit<In>{body}, first, room, shards(s.shards), option);
        });
      });
    case Verb::fold:
      return of_first([&]<class In>(const Stream<In>& first, const In&) {
        return wired([&](auto option) {
          return s.recycling ? g.fold(s.name, FillFold<In>{body}, first, room, option)
                             : g.fold(s.name, MakeFold<In>{body}, first, room, option);
        });
      });
    case Verb::feedback:
      feedbacks_[id] = g.feedback(s.name, Message(start_[id]), room);
      return Stream<Message>(*feedbacks_[id]);
    case Verb::sink:
      if (s.inputs.size() == 3 && s.skips)
        return g.sink(s.name, Take{body}, on_error(skip), in(0), in(1), in(2)), AnyStream();
      if (s.inputs.size() == 3) return g.sink(s.name, Take{body}, in(0), in(1), in(2)), AnyStream();
      if (s.inputs.size() == 2 && s.skips) return g.sink(s.name, Take{body}, on_error(skip), in(0), in(1)), AnyStream();
      if (s.inputs.size() == 2) return g.sink(s.name, Take{body}, in(0), in(1)), AnyStream();
      return of_first([&]<class In>(const Stream<In>& first, const In&) {
        if (s.takes && s.skips) return g.sink(s.name, TakeAway<In>{body}, on_error(skip), first), AnyStream();
        if (s.takes) return g.sink(s.name, TakeAway<In>{body}, first), AnyStream();
        if (s.skips) return g.sink(s.name, Take{body}, on_error(skip), first), AnyStream();
        return g.sink(s.name, Take{body}, first), AnyStream();
      });
  }
  return {};
}

// A split hands no room back: those who consume its shards stand for it. What a feedback consumes is not seen from
// outside.
std::vector<StageBody::Consumer> RandomGraph::consumers_of(std::size_t gate) const {
  std::vector<StageBody::Consumer> all;
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    const PlanStage& s = plan.stages[i];
    if (s.verb == Verb::map || s.verb == Verb::feedback || s.first != none) continue;
    if (std::none_of(s.inputs.begin(), s.inputs.end(), [&](std::size_t in) { return plan.stages[in].gate == gate; }))
      continue;
    if (s.verb == Verb::split) {
      for (auto c : consumers_of(i)) c.divide *= s.shards, all.push_back(c);
    } else if (s.verb == Verb::zip) {
      // One more may be left over of what is endless.
      const std::size_t more = window(i) + (plan.stages[gate].endless && !s.endless ? 1 : 0);
      for (auto c : consumers_of(i)) c.slack += more * c.divide, all.push_back(c);
    } else {
      const std::size_t group = s.verb == Verb::fold ? plan.stages[plan.stages[s.inputs[0]].bracket].shards : 1;
      all.push_back({bodies_[i].get(), group, 1, 0});
    }
  }
  return all;
}

void RandomGraph::prepare(std::vector<Trap> traps) {
  expected = interpret(plan, start_);
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    std::vector<Trap> here;
    for (const Trap& t : traps)
      if (t.stage == i) here.push_back(t);
    bodies_[i]->consumers = consumers_of(i);
    bodies_[i]->prepare(expected, window(plan.stages[i].gate), std::move(here));
  }
  watch.calls = 0;
  watch.cancelled_at = Watch::never;
  watch.begun = watch.stopped = false;
  before_ = graph->stats();
}

void RandomGraph::cancel() {
  graph->cancel();
  watch.cancelled_at = watch.calls.load();
}

void RandomGraph::check(bool complete) {
  if (watch.inside() > 0) fault("a body outlives its run");
  // A thread that has just looked whether it is to stop may still begin: with an input, then with an output.
  if (watch.cancelled_at != Watch::never && watch.calls > watch.cancelled_at + 2 * (plan.threads + 1))
    fault(std::to_string(watch.calls - watch.cancelled_at) + " bodies after the run was cancelled");
  const GraphStats stats = graph->stats();
  if (complete && !expected.complete) fault("a run was complete that could not be");
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    const PlanStage& s = plan.stages[i];
    const StageStats& now = stats.stages[i];
    const StageBody& body = *bodies_[i];
    const auto number = [&](const char* of, std::uint64_t is, std::uint64_t least, std::uint64_t most) {
      if (is < least || is > most)
        fault(s.name + ": " + of + " " + std::to_string(is) + ", expected " + std::to_string(least) + " to " +
              std::to_string(most));
    };
    const std::uint64_t all = expected.made[i].size(), least = complete ? all : 0;
    std::uint64_t there = 0;
    for (const Digest d : expected.made[i]) there += d != hole;
    const bool fails_in_sink = s.verb == Verb::sink && s.skips;
    number("items", now.items - before_.stages[i].items, complete && !fails_in_sink ? there : 0,
           complete ? there : all);
    number("high water", now.high_water, 0, now.capacity);
    number("queued", now.queued, 0, complete ? 0 : now.capacity);
    if (s.verb == Verb::feedback) {
      if (complete) start_[i] = expected.made[i].back();
      if (feedbacks_[i]->value().digest != start_[i] || !feedbacks_[i]->value().whole()) fault(s.name + ": value");
      continue;
    }
    if (s.verb == Verb::zip) continue;
    std::uint64_t holes = 0;
    for (const Digest d : expected.made[i]) holes += d == hole;
    if (complete && s.first == none &&
        now.errors + now.holes < before_.stages[i].errors + before_.stages[i].holes + holes)
      fault(s.name + ": holes that nobody counted");
    if (s.first != none) {
      // Where the first one's reset threw, this one still has what it made before.
      if (body.resets() > 0) number("made", body.made(), least, all);
      continue;
    }
    number("resets", body.resets(), complete ? 1 : 0, 1);
    if (body.resets() == 0) continue;  // the run ended before it began
    if (s.verb == Verb::filter || s.verb == Verb::partition)
      number("taken", body.done, complete ? expected.taken[i] : 0, expected.taken[i]);
    if (s.verb == Verb::expand || s.verb == Verb::sink) {
      number("finishes", body.finishes(), complete ? 1 : 0, 1);
      number("taken", body.taken(), complete ? expected.taken[i] : 0, expected.taken[i]);
    }
    // Those behind the last body that was called are not counted by it.
    if (s.verb != Verb::sink) number("made", body.made(), least - std::min(least, holes), all);
  }
}

void RandomGraph::check_stopped() {
  if (watch.inside() > 0) fault("a body outlives its run");
  const GraphStats stats = graph->stats();
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    const PlanStage& s = plan.stages[i];
    const std::vector<Digest>& all = expected.made[i];
    if (stats.stages[i].items - before_.stages[i].items > all.size()) fault(s.name + ": more than there are");
    if (stats.stages[i].queued > 0)
      fault(s.name + ": " + std::to_string(stats.stages[i].queued) + " are left in a queue");
    if (s.verb == Verb::feedback) {
      const Message& value = feedbacks_[i]->value();
      if (std::find(all.begin(), all.end(), value.digest) == all.end() || !value.whole()) fault(s.name + ": value");
      start_[i] = value.digest;
    } else if (s.verb == Verb::expand || s.verb == Verb::sink) {
      if (bodies_[i]->finishes() != 1) fault(s.name + ": " + std::to_string(bodies_[i]->finishes()) + " finishes");
    }
  }
}

std::optional<std::size_t> RandomGraph::have_enough(Random& random) {
  std::vector<std::size_t> sinks;
  for (std::size_t i = 0; i < plan.stages.size(); ++i)
    if (plan.stages[i].verb == Verb::sink && !expected.made[i].empty()) sinks.push_back(i);
  if (sinks.empty()) return std::nullopt;
  const std::size_t sink = sinks[random.below(sinks.size())];
  std::size_t k = random.below(expected.made[sink].size());
  // One that is there, and that its body does not fail at.
  while (k < expected.made[sink].size() &&
         (expected.made[sink][k] == hole || (plan.stages[sink].skips && fails(sink, expected.made[sink][k]))))
    ++k;
  if (k == expected.made[sink].size()) return std::nullopt;
  bodies_[sink]->enough_at = k;
  return sink;
}

void RandomGraph::check_enough(std::size_t sink, const RunEnd& end) {
  const StageBody& body = *bodies_[sink];
  if (end.why != RunEnd::enough || end.by != plan.stages[sink].name) fault("ended otherwise: " + end.by);
  if (body.taken() < body.enough_at + 1 || body.finishes() != 1) fault("has taken " + std::to_string(body.taken()));
  check_stopped();
}

Trap RandomGraph::draw_trap(Random& random) const {
  for (;;) {
    Trap t;
    t.stage = random.below(plan.stages.size());
    const PlanStage& s = plan.stages[t.stage];
    if (s.verb == Verb::zip || s.verb == Verb::feedback || s.first != none) continue;
    std::uint64_t messages = expected.made[t.stage].size();
    if (s.verb == Verb::expand || s.verb == Verb::filter || s.verb == Verb::partition)
      messages = expected.taken[t.stage];
    if (s.verb == Verb::source) ++messages;  // when it is asked for one that there is not
    t.where = random.chance(2) ? Trap::reset : Trap::body;
    if (s.verb == Verb::expand && random.chance(40)) t.where = Trap::pull, messages = expected.made[t.stage].size() + 1;
    if ((s.verb == Verb::expand || s.verb == Verb::sink) && random.chance(15)) t.where = Trap::finish;
    const bool counted = t.where == Trap::body || t.where == Trap::pull;
    if (counted && messages == 0) continue;
    t.sequence = counted ? random.below(messages) : 0;
    return t;
  }
}

bool RandomGraph::explains(const Trap& trap, const StageError& error) const {
  const PlanStage& s = plan.stages[trap.stage];
  if (error.stage() != s.name) return false;
  if (!error.sequence()) return sequence_of(trap) == none;
  if (s.verb == Verb::map) {
    // A feedback whose value comes round again gives a message twice.
    const auto& in = expected.made[s.inputs[0]];
    return *error.sequence() < in.size() && in[*error.sequence()] == in[trap.sequence];
  }
  return *error.sequence() == sequence_of(trap);
}

std::uint64_t RandomGraph::sequence_of(const Trap& trap) const {
  if (trap.where == Trap::reset || trap.where == Trap::finish) return none;
  if (trap.where != Trap::pull) return trap.sequence;
  // Asked when so many outputs have been made: for the input of the last of them.
  if (trap.sequence > 0) return expected.from[trap.stage][trap.sequence - 1];
  return expected.taken[trap.stage] > 0 ? 0 : none;
}

void RandomGraph::change_settings(Random& random) {
  for (const std::size_t i : plan.change(random)) {
    const PlanStage& s = plan.stages[i];
    if (s.verb == Verb::map)
      graph->set_concurrency(s.name, s.concurrency);
    else
      graph->set_capacity(s.name, s.capacity);
    if (s.verb == Verb::split) graph->set_shards(s.name, s.shards);
  }
}

void RandomGraph::give_room(std::size_t stage) {
  PlanStage& s = plan.stages[stage];
  s.capacity = s.least_capacity;
  graph->set_capacity(s.name, s.capacity);
}

void RandomGraph::set_values(Random& random) {
  for (std::size_t i = 0; i < plan.stages.size(); ++i)
    if (feedbacks_[i]) feedbacks_[i]->set_value(Message(start_[i] = random()));
}

std::uint64_t RandomGraph::calls() const {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < plan.stages.size(); ++i)
    if (plan.stages[i].verb != Verb::zip && plan.stages[i].verb != Verb::feedback) sum += expected.made[i].size() + 1;
  return sum;
}

std::string RandomGraph::describe() const {
  return plan.describe() + (graph ? graph->picture() + graph->table() : "");
}

}  // namespace sluice::test
