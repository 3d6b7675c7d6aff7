// A graph of typed stages: written as a list of named streams whose arguments are its arrows, run as a oneTBB flow
// graph.
//
//   //  numbers -> square => total
//   sluice::Graph g("squares");
//   auto numbers = g.source("numbers", Count{1, 100}, capacity(8));
//   auto squares = g.map("square", [](const int& n) { return n * n; }, numbers, unlimited);
//   g.sink("total", std::ref(total), squares);
//   g.run();
//
// The verbs and the callables that they take: sluice/pipeline/verbs.hpp. The options (serial, unlimited, up_to(n),
// capacity(n), shards(n), on_error(skip)): sluice/pipeline/options.hpp. A callable is moved in, or used in place when
// given as std::ref(f).
//
// Promises: bounded (no segment ever holds more messages than its capacity), ordered (gates see 0, 1, 2, ...), nothing
// lost, deterministic, progress with one thread. A stream given to several stages is read by each of them; the slowest
// holds the producer back. Streams given to one zip or sink must be of equal length (a feedback's has no length).
// Errors: run() throws WiringError, StageError, Stalled or Cancelled (sluice/pipeline/errors.hpp);
// std::invalid_argument from the set_ functions for a name or value that cannot be; std::logic_error for what is done
// to a graph that is running. A body must not wait for another stage's: messages travel in ranges, and the other may
// come later on this thread. Thread-safety: wire and run from one thread; stop(), cancel() and stats() from any, the
// destructor from any but a body's.
#pragma once

#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <sluice/pipeline/detail/bodies.hpp>
#include <sluice/pipeline/detail/carriers.hpp>
#include <sluice/pipeline/detail/fed.hpp>
#include <sluice/pipeline/detail/output.hpp>
#include <sluice/pipeline/detail/stage.hpp>
#include <sluice/pipeline/errors.hpp>
#include <sluice/pipeline/inlet.hpp>
#include <sluice/pipeline/options.hpp>
#include <sluice/pipeline/stage_info.hpp>
#include <sluice/pipeline/stats.hpp>
#include <sluice/pipeline/stream.hpp>
#include <sluice/pipeline/threads.hpp>
#include <sluice/pipeline/trace.hpp>
#include <sluice/pipeline/verbs.hpp>

namespace sluice {

class Graph;

// How a run came to its end that did not fail.
struct RunEnd {
  enum Why {
    complete,        // every source ended by itself, and no sink had enough
    stopped,         // by stop(): a source was asked no more
    enough,          // a sink had enough
  } why = complete;  // the first of the two
  std::string by;    // the sink that had enough (the first, of several)
  bool early() const { return why != complete; }
};

// The stream of a feedback: message 0 is the initial value, message k + 1 the k-th of the stream that closes it.
template <class T>
class Feedback : public Stream<T> {
 public:
  // Makes the cycle. To be called once.
  template <class U>
  void close(const Stream<U>& stream);
  // After a run: the value left over; the next run starts from it. After a run that failed: what the run started from,
  // but a move-only value, of which there was only the one that was sent round, is gone: call set_value().
  const T& value() const { return body_->value(); }
  // What the next run starts from. Not during a run.
  void set_value(T value) { body_->set_value(std::move(value)); }

 private:
  Feedback(Graph* graph, detail::Stage* stage, detail::FeedbackBody<T>* body)
      : Stream<T>(stage, body), graph_(graph), body_(body) {}
  friend class Graph;
  Graph* graph_;
  detail::FeedbackBody<T>* body_;
};

class Graph {
 public:
  // This name and those of stages are kept as a terminal may be given them (sluice/pipeline/printable.hpp).
  explicit Graph(std::string name, Threads threads = Threads());
  ~Graph();  // cancels a run in another thread and waits for it
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // Out is deduced from the value form; of the recycling form it is F::Output, or named: g.source<Out>(...).
  template <class Out = void, class F, class... Options>
  auto source(std::string name, F f, Options... options) {
    using G = detail::Callable<F>;
    using T = detail::OutputOf<Out, detail::MadeBySource<G>>;
    if constexpr (verbs::Source<G, T>) {
      return add<T>(Verb::source, std::move(name), std::make_unique<detail::SourceBody<F, T>>(std::move(f)), {},
                    options...);
    } else if constexpr (verbs::WaitingSource<G, T>) {
      return add<T>(Verb::source, std::move(name), std::make_unique<detail::WaitingSourceBody<F, T>>(std::move(f)), {},
                    options...);
    } else {
      constexpr bool nameless = detail::nameless<T, G>();
      static_assert(
          !nameless,
          "sluice: which type does this stage make? Name it at the wiring, <Out>, or say `using Output = Out;` in it");
      static_assert(nameless,
                    "sluice: a source is callable as std::optional<Out> f() or bool f(Out&), or the same with a last "
                    "argument std::stop_token");
      return none<T>();
    }
  }

  // A source whose messages are put in from outside: sluice/pipeline/inlet.hpp.
  template <class T, class... Options>
  Inlet<T> inlet(std::string name, Options... options) {
    auto body = std::make_unique<detail::InletBody<T>>();
    auto* typed = body.get();
    auto* stage = add_stage(Verb::source, std::move(name), std::move(body), {});
    (set(*stage, options), ...);
    return Inlet<T>(stage, typed);
  }

  template <class Out = void, class F, class In, class... Options>
  auto map(std::string name, F f, const Stream<In>& in, Options... options) {
    using G = detail::Callable<F>;
    using T = detail::OutputOf<Out, detail::MadeOf<G, In>, In>;
    if constexpr (!detail::known<In>) {
      return none<T>();
    } else if constexpr (verbs::Map<G, In, T>) {
      return add<T>(Verb::map, std::move(name),
                    std::make_unique<detail::MapBody<F, In, T>>(std::move(f), *in.producer_), {in.stage_}, options...);
    } else {
      constexpr bool nameless = detail::nameless<T, const G, const In&>();
      static_assert(
          !nameless,
          "sluice: which type does this stage make? Name it at the wiring, <Out>, or say `using Output = Out;` in it");
      static_assert(
          nameless,
          "sluice: a map is const-callable as Out f(const In&) or void f(const In&, Out&), or with In&& where "
          "it is the only reader (a mutable lambda is not: what keeps state is an expand or a sink)");
      return none<T>();
    }
  }

  template <class Out = void, class F, class In, class... Options>
  auto expand(std::string name, F f, const Stream<In>& in, Options... options) {
    using G = detail::Callable<F>;
    using T = detail::OutputOf<Out, detail::MadeByExpand<G>, In>;
    if constexpr (!detail::known<In>) {
      return none<T>();
    } else if constexpr (verbs::Expand<G, In, T>) {
      return add<T>(Verb::expand, std::move(name),
                    std::make_unique<detail::ExpandBody<F, In, T>>(std::move(f), *in.producer_), {in.stage_},
                    options...);
    } else {
      static_assert(sizeof(G) == 0,
                    "sluice: an expand has push(const In&) and std::optional<Out> pull() or bool "
                    "pull(Out&), whose Out is named: `using Output = Out;` or g.expand<Out>(...)");
      return none<T>();
    }
  }

  template <class F, class In, class... Options>
  Stream<In> filter(std::string name, F f, const Stream<In>& in, Options... options) {
    if constexpr (detail::known<In>) {
      constexpr bool fits = verbs::Filter<detail::Callable<F>, In>;
      static_assert(fits, "sluice: a filter is callable as bool f(const In&)");
      if constexpr (fits)
        return add<In>(Verb::filter, std::move(name),
                       std::make_unique<detail::FilterBody<F, In>>(std::move(f), *in.producer_), {in.stage_},
                       options...);
    }
    return none<In>();
  }

  // Two streams of one, each with a name of its own: auto [good, bad] = g.partition("good", "bad", f, in). The options
  // are for both.
  template <class F, class In, class... Options>
  auto partition(std::string first, std::string second, F f, const Stream<In>& in, Options... options) {
    using G = detail::Callable<F>;
    if constexpr (detail::known<In>) {
      constexpr bool fits = verbs::Partition<G, In>;
      static_assert(
          fits,
          "sluice: a partition is callable as bool f(const In&), or as std::variant<A, B> f(const In&), this one "
          "also with In&& where it is the only reader");
      using Parts = detail::PartsOf<G, In>;
      using A = typename Parts::First;
      using B = typename Parts::Second;
      if constexpr (fits) {
        auto rest = std::make_unique<detail::BranchBody<B>>();
        auto* const second_body = rest.get();
        auto body = [&] {
          if constexpr (Parts::by_predicate)
            return std::make_unique<detail::SiftingPartition<F, In>>(std::move(f), *in.producer_, *second_body);
          else
            return std::make_unique<detail::SortingPartition<F, In, A, B>>(std::move(f), *in.producer_, *second_body);
        }();
        auto* const first_body = body.get();
        auto* const made = add_stage(Verb::partition, std::move(first), std::move(body), {in.stage_});
        auto* const also = add_branch(*made, std::move(second), std::move(rest));
        (set(*made, options), ...);
        (set_branch(*also, options), ...);
        return std::pair(Stream<A>(made, first_body), Stream<B>(also, second_body));
      } else {
        return std::pair(none<A>(), none<B>());
      }
    } else {
      return std::pair(none<In>(), none<In>());
    }
  }

  template <class A, class B, class... Options>
  auto zip(std::string name, const Stream<A>& a, const Stream<B>& b, Options... options) {
    if constexpr (detail::known<A> && detail::known<B>)
      return add<std::tuple<A, B>>(Verb::zip, std::move(name),
                                   std::make_unique<detail::ZipBody<A, B>>(*a.producer_, *b.producer_),
                                   {a.stage_, b.stage_}, options...);
    else
      return none<detail::UnknownOutput>();
  }

  template <class Out = void, class F, class In, class... Options>
  auto split(std::string name, F f, const Stream<In>& in, Options... options) {
    using G = detail::Callable<F>;
    using T = detail::OutputOf<Out, detail::MadeOf<G, const In&, std::size_t, std::size_t>, In>;
    if constexpr (!detail::known<In>) {
      return none<T>();
    } else if constexpr (verbs::Split<G, In, T>) {
      return add<T>(Verb::split, std::move(name),
                    std::make_unique<detail::SplitBody<F, In, T>>(std::move(f), *in.producer_), {in.stage_},
                    options...);
    } else {
      constexpr bool nameless = detail::nameless<T, const G, const In&, std::size_t, std::size_t>();
      static_assert(
          !nameless,
          "sluice: which type does this stage make? Name it at the wiring, <Out>, or say `using Output = Out;` in it");
      static_assert(
          nameless,
          "sluice: a split is const-callable as Out f(const In&, std::size_t part, std::size_t parts), or with "
          "a last argument Out& and no result");
      return none<T>();
    }
  }

  template <class Out = void, class F, class In, class... Options>
  auto fold(std::string name, F f, const Stream<In>& in, Options... options) {
    using G = detail::Callable<F>;
    using T = detail::OutputOf<Out, detail::OutputNamedBy<G, detail::Returned<G, Group<In>>>, In>;
    if constexpr (!detail::known<In>) {
      return none<T>();
    } else if constexpr (verbs::Fold<G, In, T>) {
      return add<T>(Verb::fold, std::move(name),
                    std::make_unique<detail::FoldBody<F, In, T>>(std::move(f), *in.producer_), {in.stage_}, options...);
    } else {
      constexpr bool nameless = detail::nameless<T, G, Group<In>>();
      static_assert(
          !nameless,
          "sluice: which type does this stage make? Name it at the wiring, <Out>, or say `using Output = Out;` in it");
      static_assert(nameless, "sluice: a fold is callable as Out f(Group<In>) or void f(Group<In>, Out&)");
      return none<T>();
    }
  }

  // Options behind the callable, before the streams: g.sink("end", f, on_error(skip), stream).
  template <class F, class... In>
  requires(sizeof...(In) > 0) void sink(std::string name, F f, const Stream<In>&... in) {
    add_sink(std::move(name), std::move(f), in...);
  }
  template <class F, class... In>
  requires(sizeof...(In) > 0) void sink(std::string name, F f, OnError on_error, const Stream<In>&... in) {
    if (detail::Stage* const stage = add_sink(std::move(name), std::move(f), in...)) set(*stage, std::move(on_error));
  }
  template <class F, class... A>
  requires((detail::is_option<A> || ...)) void sink(std::string, F, A...) {
    static_assert(sizeof(F) == 0,
                  "sluice: the only option of a sink is on_error(skip), and it stands before the streams");
  }

  // The one legal cycle: an initial value, then what the stream sends back that is given to close().
  template <class T, class... Options>
  Feedback<T> feedback(std::string name, T initial, Options... options) {
    auto body = std::make_unique<detail::FeedbackBody<T>>(std::move(initial));
    auto* typed = body.get();
    auto* stage = add_stage(Verb::feedback, std::move(name), std::move(body), {});
    stage->capacity = 1;  // one value goes round
    (set(*stage, options), ...);
    return Feedback<T>(this, stage, typed);
  }

  // Settings from outside, by stage name. Not during a run.
  void set_concurrency(const std::string& stage, Concurrency concurrency);
  void set_capacity(const std::string& stage, std::size_t messages);
  void set_shards(const std::string& stage, std::size_t count);

  void check();                              // throws WiringError, as run() does first
  RunEnd run();                              // until every message is accounted for
  RunEnd run(const std::stop_token& token);  // the same; a request to stop is stop()
  // Ends the run in order, or the next if none is on: sources are asked for no more, what they have made goes on to its
  // end, run() returns as ever. Sources that may wait are woken, inlets closed. Of streams that are joined, whose
  // sources were at different messages then, the shorter one ends what is made of them, and the rest is left over, for
  // nobody (StageStats::left_over). A feedback keeps the value of its last lap that was complete; one whose last value
  // was used up so keeps what the run started from. A sink that has enough (Demand::enough) does the same.
  void stop();
  // Ends the run as soon as running bodies return, or the next run if none is on. Too late for a run that was complete.
  void cancel();

  GraphStats stats() const;
  // While a run is on, f is called with stats() every `period`, on a thread of its own that no body runs on; never
  // behind the run. What it throws ends the run, and run() throws it. No f: nobody is called. Not during a run.
  void on_progress(std::chrono::nanoseconds period, std::function<void(const GraphStats&)> f);
  // Records the runs from now on; nullptr: no longer. Not during a run; the trace outlives the runs.
  void set_trace(Trace* trace);

  const std::string& name() const;
  std::size_t threads() const;
  std::vector<StageInfo> stages();  // in the order of wiring; checks first
  Bound bound();
  std::string picture();  // the arrows as text: -> a message each, => a shard each
  std::string table();    // every stage with its effective settings and bounds
  std::string dot();      // for Graphviz; several in one: sluice/pipeline/dot.hpp; as SVG: sluice/pipeline/svg.hpp

 private:
  template <class T>
  friend class Feedback;

  // Of a stage that was said not to fit.
  template <class T>
  static Stream<T> none() {
    return Stream<T>(nullptr, nullptr);
  }
  template <class F, class... In>
  detail::Stage* add_sink(std::string name, F f, const Stream<In>&... in) {
    if constexpr ((detail::known<In> && ...)) {
      constexpr bool fits = verbs::Sink<detail::Callable<F>, In...>;
      static_assert(fits,
                    "sluice: a sink is callable with a message of each stream (a zip's is one std::tuple), and returns "
                    "nothing or a Demand");
      if constexpr (fits)
        return add_stage(Verb::sink, std::move(name),
                         std::make_unique<detail::SinkBody<F, In...>>(std::move(f), *in.producer_...), {in.stage_...});
    }
    return nullptr;
  }
  template <class T, class B, class... Options>
  Stream<T> add(Verb verb, std::string name, std::unique_ptr<B> body, std::vector<detail::Stage*> inputs,
                Options... options) {
    auto* typed = body.get();
    auto* stage = add_stage(verb, std::move(name), std::move(body), std::move(inputs));
    (set(*stage, options), ...);
    return Stream<T>(stage, typed);
  }
  detail::Stage* add_stage(Verb verb, std::string name, std::unique_ptr<detail::Body> body,
                           std::vector<detail::Stage*> inputs);
  detail::Stage* add_branch(detail::Stage& first, std::string name, std::unique_ptr<detail::Body> body);
  void close(detail::Stage* feedback, detail::Stage* stream);
  template <class Option>
  void set(detail::Stage&, Option) {
    static_assert(sizeof(Option) == 0,
                  "sluice: an option is serial, unlimited, up_to(n), capacity(n), shards(n) or on_error(skip)");
  }
  template <class Option>
  void set_branch(detail::Stage& stage, Option option) {
    if constexpr (std::same_as<Option, Capacity>) set(stage, option);  // the others are the first one's
  }
  void set(detail::Stage& stage, Concurrency concurrency);
  void set(detail::Stage& stage, UpTo concurrency);
  void set(detail::Stage& stage, Capacity capacity);
  void set(detail::Stage& stage, Shards shards);
  void set(detail::Stage& stage, OnError on_error);

  struct Impl;
  std::unique_ptr<Impl> impl_;
};

template <class T>
template <class U>
void Feedback<T>::close(const Stream<U>& stream) {
  static_assert(std::same_as<T, U>, "sluice: a feedback is closed with a stream of its own type");
  if constexpr (std::same_as<T, U>) {
    body_->close(*stream.producer_);
    graph_->close(this->stage_, stream.stage_);
  }
}

}  // namespace sluice
