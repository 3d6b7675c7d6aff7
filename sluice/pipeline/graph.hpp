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
// capacity(n), shards(n)): sluice/pipeline/options.hpp. A callable is moved in, or used in place when given as
// std::ref(f).
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
#include <sluice/pipeline/detail/output.hpp>
#include <sluice/pipeline/detail/stage.hpp>
#include <sluice/pipeline/errors.hpp>
#include <sluice/pipeline/options.hpp>
#include <sluice/pipeline/stage_info.hpp>
#include <sluice/pipeline/stats.hpp>
#include <sluice/pipeline/threads.hpp>
#include <sluice/pipeline/trace.hpp>
#include <sluice/pipeline/verbs.hpp>

namespace sluice {

class Graph;

// The messages that a stage makes: a handle to be given to the stages that read them.
template <class T>
class Stream {
 public:
  using value_type = T;

 protected:
  Stream(detail::Stage* stage, detail::Producer<T>* producer) : stage_(stage), producer_(producer) {}
  friend class Graph;
  template <class>
  friend class Feedback;
  detail::Stage* stage_;
  detail::Producer<T>* producer_;
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
  explicit Graph(std::string name, Threads threads = Threads());
  ~Graph();  // cancels a run in another thread and waits for it
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  // Out is deduced from the value form; of the recycling form it is F::Output, or named: g.source<Out>(...).
  template <class Out = void, class F, class... Options>
  auto source(std::string name, F f, Options... options) {
    using T = detail::OutputOf<Out, detail::Callable<F>>;
    static_assert(detail::KnownOutput<T>::value);
    static_assert(verbs::Source<detail::Callable<F>, T>,
                  "sluice: a source is callable as std::optional<Out> f() or bool f(Out&)");
    return add<T>(Verb::source, std::move(name), std::make_unique<detail::SourceBody<F, T>>(std::move(f)), {},
                  options...);
  }

  template <class Out = void, class F, class In, class... Options>
  auto map(std::string name, F f, const Stream<In>& in, Options... options) {
    using T = detail::OutputOf<Out, const detail::Callable<F>, const In&>;
    static_assert(detail::KnownOutput<T>::value);
    static_assert(verbs::Map<detail::Callable<F>, In, T>,
                  "sluice: a map is const-callable as Out f(const In&) or void f(const In&, Out&)");
    return add<T>(Verb::map, std::move(name), std::make_unique<detail::MapBody<F, In, T>>(std::move(f), *in.producer_),
                  {in.stage_}, options...);
  }

  template <class Out = void, class F, class In, class... Options>
  auto expand(std::string name, F f, const Stream<In>& in, Options... options) {
    using T = detail::PullOf<Out, detail::Callable<F>>;
    static_assert(detail::KnownOutput<T>::value);
    static_assert(verbs::Expand<detail::Callable<F>, In, T>,
                  "sluice: an expand has push(const In&) and std::optional<Out> pull() or bool pull(Out&)");
    return add<T>(Verb::expand, std::move(name),
                  std::make_unique<detail::ExpandBody<F, In, T>>(std::move(f), *in.producer_), {in.stage_}, options...);
  }

  template <class F, class In, class... Options>
  auto filter(std::string name, F f, const Stream<In>& in, Options... options) {
    static_assert(verbs::Filter<detail::Callable<F>, In>, "sluice: a filter is callable as bool f(const In&)");
    return add<In>(Verb::filter, std::move(name),
                   std::make_unique<detail::FilterBody<F, In>>(std::move(f), *in.producer_), {in.stage_}, options...);
  }

  template <class A, class B, class... Options>
  auto zip(std::string name, const Stream<A>& a, const Stream<B>& b, Options... options) {
    return add<std::tuple<A, B>>(Verb::zip, std::move(name),
                                 std::make_unique<detail::ZipBody<A, B>>(*a.producer_, *b.producer_),
                                 {a.stage_, b.stage_}, options...);
  }

  template <class Out = void, class F, class In, class... Options>
  auto split(std::string name, F f, const Stream<In>& in, Options... options) {
    using T = detail::OutputOf<Out, const detail::Callable<F>, const In&, std::size_t, std::size_t>;
    static_assert(detail::KnownOutput<T>::value);
    static_assert(verbs::Split<detail::Callable<F>, In, T>,
                  "sluice: a split is const-callable as Out f(const In&, std::size_t part, std::size_t parts), or with "
                  "a last argument Out& and no result");
    return add<T>(Verb::split, std::move(name),
                  std::make_unique<detail::SplitBody<F, In, T>>(std::move(f), *in.producer_), {in.stage_}, options...);
  }

  template <class Out = void, class F, class In, class... Options>
  auto fold(std::string name, F f, const Stream<In>& in, Options... options) {
    using T = detail::OutputOf<Out, detail::Callable<F>, Group<In>>;
    static_assert(detail::KnownOutput<T>::value);
    static_assert(verbs::Fold<detail::Callable<F>, In, T>,
                  "sluice: a fold is callable as Out f(Group<In>) or void f(Group<In>, Out&)");
    return add<T>(Verb::fold, std::move(name),
                  std::make_unique<detail::FoldBody<F, In, T>>(std::move(f), *in.producer_), {in.stage_}, options...);
  }

  template <class F, class... In>
  requires(sizeof...(In) > 0) void sink(std::string name, F f, const Stream<In>&... in) {
    static_assert(verbs::Sink<detail::Callable<F>, In...>, "sluice: a sink is callable with a message of each stream");
    add_stage(Verb::sink, std::move(name), std::make_unique<detail::SinkBody<F, In...>>(std::move(f), *in.producer_...),
              {in.stage_...});
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

  void check();                            // throws WiringError, as run() does first
  void run();                              // until every message is accounted for
  void run(const std::stop_token& token);  // the same; a request to stop is stop()
  // Ends the run in order, or the next if none is on: sources are asked for no more, what they have made goes on to its
  // end, run() returns as ever. Of streams that are joined, whose sources were at different messages then, the shorter
  // one ends what is made of them, and the rest is for nobody. (A feedback whose last value was used up so keeps what
  // the run started from.) A source that waits is not woken.
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
  std::string dot();      // for Graphviz; as SVG: sluice/pipeline/svg.hpp

 private:
  template <class T>
  friend class Feedback;

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
  void close(detail::Stage* feedback, detail::Stage* stream);
  template <class Option>
  void set(detail::Stage&, Option) {
    static_assert(sizeof(Option) == 0, "sluice: an option is serial, unlimited, up_to(n), capacity(n) or shards(n)");
  }
  void set(detail::Stage& stage, Concurrency concurrency);
  void set(detail::Stage& stage, UpTo concurrency);
  void set(detail::Stage& stage, Capacity capacity);
  void set(detail::Stage& stage, Shards shards);

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
