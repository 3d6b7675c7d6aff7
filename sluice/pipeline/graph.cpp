#include <sluice/pipeline/graph.hpp>

#include <fmt/core.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <sluice/pipeline/detail/clock.hpp>
#include <sluice/pipeline/detail/ends.hpp>
#include <sluice/pipeline/detail/engine.hpp>
#include <sluice/pipeline/detail/feed.hpp>
#include <sluice/pipeline/detail/picture.hpp>
#include <sluice/pipeline/detail/recorder.hpp>
#include <sluice/pipeline/detail/settings.hpp>
#include <sluice/pipeline/detail/trace_log.hpp>
#include <sluice/pipeline/detail/wiring.hpp>
#include <sluice/pipeline/dot.hpp>
#include <sluice/pipeline/printable.hpp>
#include <sluice/pipeline/suggestion.hpp>

namespace sluice {

using detail::Stage;

struct Graph::Impl {
  Impl(std::string graph_name, Threads graph_threads)
      : name(printable(graph_name)), threads(std::move(graph_threads)) {}

  Stage& find(const std::string& stage) {
    const std::string shown = printable(stage);
    for (auto& s : stages)
      if (s->name == shown) return *s;
    std::vector<std::string> names;
    for (auto& s : stages) names.push_back(s->name);
    throw std::invalid_argument(fmt::format("graph '{}' has no stage '{}'{}", name, shown, suggestion(shown, names)));
  }

  void check_inlets() const {
    for (auto& s : stages)
      if (const detail::Feed* const feed = s->body->feed(); feed && feed->closed_by_a_run())
        throw std::logic_error(fmt::format("inlet '{}' is closed since the last run: open() it", s->name));
  }
  void close_inlets() {
    for (auto& s : stages)
      if (detail::Feed* const feed = s->body->feed()) feed->over();
  }

  bool owns(const Stage& stage) const { return stage.id < stages.size() && stages[stage.id].get() == &stage; }

  void check() {
    if (checked) return;
    std::vector<std::string> found = mistakes;
    const std::lock_guard lock(counters);  // stats() reads what is found here
    detail::resolve(stages);
    for (auto& m : detail::mistakes(stages)) found.push_back(std::move(m));
    if (!found.empty()) throw WiringError(name, std::move(found));
    checked = true;
  }

  void prepare() {
    check();
    if (engine) return;
    for (auto& s : stages) {
      s->body->set_shards(s->shards);
      if (s->has_output()) s->body->allocate(detail::stage_window(*s->gate));
    }
    const std::lock_guard lock(counters);
    engine = std::make_unique<detail::Engine>(name, stages, threads, ends);
    for (const auto& s : stages) s->body->waited_before = s->body->waited_seconds();
  }

  // Anything that changes what the engine was built from; the counts begin anew.
  template <class F>
  void change(F&& f) {
    const std::unique_lock idle(running, std::try_to_lock);
    if (!idle.owns_lock()) throw std::logic_error(fmt::format("graph '{}' is running: it cannot be changed now", name));
    const std::lock_guard lock(counters);
    f();
    checked = false;
    engine.reset();
    for (const auto& s : stages) {
      s->body->mishaps.forget();
      if (detail::Feed* const feed = s->body->feed()) feed->forget(s->capacity);
    }
    runs = run_ticks = 0;
  }

  // What a stage does not have is a mistake that stays; a value that cannot be may still be set right.
  template <class F>
  void option(std::string mistake, F&& f) {
    if (mistake.empty())
      change(f);
    else
      mistakes.push_back(std::move(mistake));
  }

  // For the run that begins, unless all that is to be recorded of this graph has been.
  detail::Recorder* recorder() {
    if (!trace || traced >= trace->steps) return nullptr;
    auto one = std::make_unique<detail::Recorder>(name, ++traced_runs, stages, &threads.arena(), threads.count(),
                                                  trace->steps - traced);
    const std::lock_guard lock(trace->mutex);
    return trace->runs.emplace_back(std::move(one)).get();
  }

  std::string name;
  Threads threads;
  detail::Stages stages;
  std::vector<std::string> mistakes;  // met while wiring
  bool checked = false;

  std::mutex running;  // held by run()
  detail::Ends ends;

  mutable std::mutex counters;  // stages, engine's life and the figures below, against stats() from another thread
  std::unique_ptr<detail::Engine> engine;
  std::uint64_t runs = 0;
  std::uint64_t run_ticks = 0, run_began = 0;

  std::chrono::nanoseconds progress_period{};
  std::function<void(const GraphStats&)> progress;

  Trace::Impl* trace = nullptr;
  detail::Number traced = 0;  // steps
  std::uint64_t traced_runs = 0;
};

namespace {

// Calls a function again and again, until it is destroyed or the function throws.
class Ticker {
 public:
  // failed: on the ticker's thread, when f has thrown.
  template <class F, class Failed>
  Ticker(std::chrono::nanoseconds period, F f, Failed failed)
      : thread_([this, period, f = std::move(f), failed = std::move(failed)] {
          std::unique_lock lock(mutex_);
          while (!changed_.wait_for(lock, period, [this] { return over_; })) {
            lock.unlock();
            try {
              f();
            } catch (...) {
              return failed(std::current_exception());
            }
            lock.lock();
          }
        }) {}
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;
  ~Ticker() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;  // last: it uses the others
};

void refuse(const std::string& why) {
  if (!why.empty()) throw std::invalid_argument(why);
}
}  // namespace

Graph::Graph(std::string name, Threads threads) : impl_(std::make_unique<Impl>(std::move(name), std::move(threads))) {}

Graph::~Graph() {
  cancel();
  const std::lock_guard wait(impl_->running);
}

Stage* Graph::add_stage(Verb verb, std::string name, std::unique_ptr<detail::Body> body, std::vector<Stage*> inputs) {
  auto stage = std::make_unique<Stage>();
  stage->id = impl_->stages.size();
  stage->name = printable(name);
  stage->verb = verb;
  stage->body = std::move(body);
  if (detail::Feed* const feed = stage->body->feed()) feed->forget(stage->capacity);
  for (Stage* in : inputs) {
    if (impl_->owns(*in)) {
      stage->inputs.push_back(in);
    } else {
      stage->foreign = true;
      impl_->mistakes.push_back(fmt::format("stage '{}' reads '{}' of another graph", stage->name, in->name));
    }
  }
  Stage* const added = stage.get();
  impl_->change([&] { impl_->stages.push_back(std::move(stage)); });
  return added;
}

Stage* Graph::add_branch(Stage& first, std::string name, std::unique_ptr<detail::Body> body) {
  Stage* const second = add_stage(first.verb, std::move(name), std::move(body), {});
  second->inputs = first.inputs;
  second->foreign = first.foreign;
  second->first_branch = &first;
  first.second_branch = second;
  return second;
}

void Graph::close(Stage* feedback, Stage* stream) {
  if (!impl_->owns(*stream)) {
    feedback->foreign = true;
    impl_->mistakes.push_back(
        fmt::format("feedback '{}' is closed with '{}' of another graph", feedback->name, stream->name));
    return;
  }
  if (!feedback->inputs.empty()) {
    impl_->mistakes.push_back(fmt::format("feedback '{}' is closed twice: with '{}' and with '{}'", feedback->name,
                                          feedback->inputs[0]->name, stream->name));
    return;
  }
  impl_->change([&] { feedback->inputs.push_back(stream); });
}

void Graph::set(Stage& stage, Concurrency concurrency) {
  impl_->option(detail::misplaced(stage, concurrency), [&] { stage.concurrency = concurrency; });
}

void Graph::set(Stage& stage, UpTo concurrency) {
  impl_->option(detail::out_of_range(stage, concurrency), [] {});
  set(stage, Concurrency{concurrency.limit});
}

void Graph::set(Stage& stage, Capacity capacity) {
  impl_->option(detail::misplaced(stage, capacity), [&] { stage.capacity = capacity.messages; });
}

void Graph::set(Stage& stage, Shards shards) {
  impl_->option(detail::misplaced(stage, shards), [&] { stage.shards = shards.count; });
}

void Graph::set(Stage& stage, OnError on_error) {
  impl_->option(detail::misplaced(stage, on_error),
                [&] { stage.body->mishaps.skip(stage.name, std::move(on_error.handler)); });
}

void Graph::set_concurrency(const std::string& name, Concurrency concurrency) {
  Stage& stage = impl_->find(name);
  refuse(detail::misplaced(stage, concurrency));
  impl_->change([&] { stage.concurrency = concurrency; });
}

void Graph::set_capacity(const std::string& name, std::size_t messages) {
  Stage& stage = impl_->find(name);
  refuse(detail::misplaced(stage, Capacity{messages}));
  refuse(detail::out_of_range(stage, Capacity{messages}));
  impl_->change([&] { stage.capacity = messages; });
}

void Graph::set_shards(const std::string& name, std::size_t count) {
  Stage& stage = impl_->find(name);
  refuse(detail::misplaced(stage, Shards{count}));
  refuse(detail::out_of_range(stage, Shards{count}));
  impl_->change([&] { stage.shards = count; });
}

void Graph::check() {
  impl_->check();
}

RunEnd Graph::run() {
  return run(std::stop_token());
}

RunEnd Graph::run(const std::stop_token& token) {
  Impl& me = *impl_;
  std::unique_lock running(me.running, std::try_to_lock);
  if (!running.owns_lock()) throw std::logic_error(fmt::format("graph '{}' is running already", me.name));
  me.prepare();
  me.check_inlets();
  // Only while this run is on, and gone when the graph may be.
  std::optional<std::stop_callback<std::function<void()>>> stopping(std::in_place, token, [this] { stop(); });
  struct Counted {
    Impl& me;
    explicit Counted(Impl& impl) : me(impl) {
      const std::lock_guard lock(me.counters);
      ++me.runs;
      me.run_began = detail::ticks();
    }
    ~Counted() {
      const std::lock_guard lock(me.counters);
      me.run_ticks += detail::ticks() - me.run_began;
      me.run_began = 0;
    }
  };
  std::exception_ptr error;
  bool complete = false;
  if (!me.ends.halted()) {
    const Counted counted(me);
    detail::Recorder* const recorder = me.recorder();
    std::exception_ptr of_progress;
    try {
      std::optional<Ticker> ticker;
      if (me.progress)
        ticker.emplace(
            me.progress_period, [this, &me] { me.progress(stats()); },
            [&](std::exception_ptr thrown) {
              of_progress = std::move(thrown);
              me.ends.halt();
            });
      complete = me.engine->run(recorder);
    } catch (...) {
      error = std::current_exception();
    }
    if (!error) error = of_progress;
    if (recorder) {
      recorder->end = detail::ticks();
      me.traced += me.engine->steps();
    }
  }
  if (!complete) me.close_inlets();  // also of a run that did not come so far
  stopping.reset();
  detail::Ends::Asked asked = me.ends.over();
  const bool cut_short = complete && me.engine->was_cut_short();
  const std::string name = me.name;
  running.unlock();  // from here on the graph may be gone
  if (error) std::rethrow_exception(error);
  if (asked.cancelled && !complete) throw Cancelled(name);
  if (asked.cause == detail::Ends::Cause::enough) return {RunEnd::enough, std::move(asked.early)};
  return {asked.cause == detail::Ends::Cause::stopped && cut_short ? RunEnd::stopped : RunEnd::complete, {}};
}

void Graph::stop() {
  impl_->ends.end();
}

void Graph::cancel() {
  impl_->ends.cancel();
}

GraphStats Graph::stats() const {
  const std::lock_guard lock(impl_->counters);
  GraphStats all;
  all.graph = impl_->name;
  all.threads = impl_->threads.count();
  all.runs = impl_->runs;
  std::uint64_t elapsed = impl_->run_ticks;
  if (impl_->run_began) elapsed += detail::ticks() - impl_->run_began;
  all.wall = static_cast<double>(elapsed) * detail::seconds_per_tick();
  for (const auto& s : impl_->stages) {
    StageStats one;
    static_cast<StageDescription&>(one) = describe(*s);
    all.stages.push_back(std::move(one));
  }
  if (!impl_->engine) return all;
  impl_->engine->add_to(all.stages, all.wall);
  for (std::size_t i = 0; i < all.stages.size(); ++i) {
    const detail::Body& body = *impl_->stages[i]->body;
    const double waited = std::min(body.waited_seconds() - body.waited_before, all.stages[i].busy);
    all.stages[i].waiting += waited;
    all.stages[i].busy -= waited;
  }
  return all;
}

void Graph::on_progress(std::chrono::nanoseconds period, std::function<void(const GraphStats&)> f) {
  const std::unique_lock idle(impl_->running, std::try_to_lock);
  if (!idle.owns_lock()) throw std::logic_error(fmt::format("graph '{}' is running: nobody new can be told", name()));
  if (f && period <= std::chrono::nanoseconds::zero())
    throw std::invalid_argument("a period of progress must be above 0");
  impl_->progress_period = period;
  impl_->progress = std::move(f);
}

void Graph::set_trace(Trace* trace) {
  const std::unique_lock idle(impl_->running, std::try_to_lock);
  if (!idle.owns_lock()) throw std::logic_error(fmt::format("graph '{}' is running: it cannot be traced now", name()));
  impl_->trace = trace ? trace->impl_.get() : nullptr;
  impl_->traced = impl_->traced_runs = 0;
}

std::size_t Graph::threads() const {
  return impl_->threads.count();
}

const std::string& Graph::name() const {
  return impl_->name;
}

std::vector<StageInfo> Graph::stages() {
  impl_->check();
  std::vector<StageInfo> all;
  for (const auto& s : impl_->stages) all.push_back(stage_info(*s));
  return all;
}

Bound Graph::bound() {
  Bound sum;
  for (const StageInfo& s : stages()) {
    sum.messages += s.bound.messages;
    sum.bytes += s.bound.bytes;
    sum.complete &= s.bound.complete;
  }
  return sum;
}

std::string Graph::picture() {
  impl_->check();
  return detail::picture(impl_->stages);
}

std::string Graph::table() {
  return detail::table(stages());
}

std::string Graph::dot() {
  return sluice::dot({{name(), stages()}});
}

}  // namespace sluice
