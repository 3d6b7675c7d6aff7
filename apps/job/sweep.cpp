#include "apps/job/sweep.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <numeric>
#include <tuple>

#include <sluice/pipeline/errors.hpp>
#include "apps/job/checkpointing.hpp"
#include "apps/job/epoch_runner.hpp"
#include "apps/job/evaluation.hpp"
#include "apps/job/training.hpp"

namespace sluice::apps {
namespace {

// A message for each of so many runs.
struct Turns {
  const std::vector<std::size_t>* runs = nullptr;
  using Output = std::size_t;
  bool operator()(std::size_t& out) {
    out = next_;
    return next_++ < runs->size();
  }
  void reset() { next_ = 0; }
  std::size_t next_ = 0;
};

bool has_error(const Sweep& sweep, std::size_t configuration) {
  const auto& runs = sweep.configurations[configuration].runs;
  return std::any_of(runs.begin(), runs.end(), [&](std::size_t i) { return !sweep.runs[i].error.empty(); });
}

}  // namespace

void SweepRun::forget_weights() {
  TrainingState& training = state.training;
  training.weights = training.epoch_start = training.best = {};
}

void SweepRun::give_up(std::size_t epochs) {
  if (state.training.epochs.size() > epochs) state.training.epochs.resize(epochs), state.weights_sha256.clear();
  forget_weights();
}

Spread spread(const Sweep& sweep, std::size_t configuration, const std::function<double(const Epoch&)>& value) {
  std::vector<double> values;
  for (const std::size_t i : sweep.configurations[configuration].runs)
    if (const SweepRun& run = sweep.runs[i]; run.has_result()) values.push_back(value(run.state.result_epoch()));
  Spread s{.count = values.size()};
  if (values.empty()) return s;
  const auto n = static_cast<double>(values.size());
  s.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double v : values) squares += (v - s.mean) * (v - s.mean);
  if (values.size() > 1) s.deviation = std::sqrt(squares / (n - 1));
  return s;
}

double compared(const Epoch& epoch, BestBy by) {
  return by == BestBy::loss ? epoch.validation->loss : epoch.validation->accuracy;
}

std::vector<std::size_t> ranked(const Sweep& sweep) {
  using Key = std::tuple<bool, int, double>;  // the smaller, the better
  std::vector<Key> keys;
  for (std::size_t c = 0; c < sweep.configurations.size(); ++c) {
    const bool none = spread(sweep, c, [](const Epoch&) { return 0.0; }).count == 0;
    double mean = 0;
    if (sweep.validated && !none)
      mean = spread(sweep, c, [&](const Epoch& e) { return compared(e, sweep.best_by); }).mean;
    keys.emplace_back(none || has_error(sweep, c), -static_cast<int>(sweep.configurations[c].rounds),
                      sweep.best_by == BestBy::loss ? mean : -mean);
  }
  std::vector<std::size_t> order(keys.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return keys[a] < keys[b]; });
  return order;
}

//  run -> train -> collect
SweepRunner::SweepRunner(Sweep& sweep, const JobData& data, const Threads& threads)
    : sweep_(sweep), loaded_(data), threads_(threads), graph_("sweep", threads) {
  for (const SweepRun& run : sweep.runs)
    if (run.options.holds_out())
      if (auto& chosen = chosen_[{run.options.validation, run.options.seed}]; !chosen)
        chosen = std::make_unique<Chosen>();
  // One that takes long must not keep those behind it from being begun. Whichever message a thread takes first, the
  // runs begin in their order.
  auto turns = graph_.source("run", Turns{.runs = &todo_}, capacity(std::max(2 * threads.count(), sweep.runs.size())));
  const auto body = [this](const std::size_t& turn) {
    train(todo_[next_++]);
    return turn;
  };
  graph_.sink(
      "collect", [](const std::size_t&) {}, graph_.map("train", body, turns, unlimited));
}

void SweepRunner::run(const std::vector<std::size_t>& runs, std::size_t epochs) {
  todo_ = runs;
  next_ = 0;
  epochs_ = epochs;
  threads_of_a_run_ = std::max<std::size_t>(1, threads_.count() / std::max<std::size_t>(1, runs.size()));
  for (const std::size_t i : runs)
    if (Chosen* const chosen = chosen_for(sweep_.runs[i].options)) ++chosen->users;
  try {
    graph_.run();
  } catch (...) {
    if (failed_) std::rethrow_exception(failed_);
    throw;
  }
  if (cancelled_) throw Cancelled(graph_.name());  // before it began
}

// An error ends the other runs, too; which of the two the graph tells of hangs on the time.
void SweepRunner::train(std::size_t number) {
  try {
    advance(number, epochs_);
    if (Chosen* const chosen = chosen_for(sweep_.runs[number].options)) {
      const std::lock_guard lock(chosen->mutex);
      if (--chosen->users == 0) chosen->data.reset();
    }
    const std::lock_guard lock(told_);
    if (after_run && !cancelled_) after_run(number);
  } catch (...) {
    {
      const std::lock_guard lock(mutex_);
      if (!failed_) failed_ = std::current_exception();
    }
    cancel();
    throw;
  }
}

void SweepRunner::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  graph_.cancel();
  for (Graph* graph : active_) graph->cancel();
}

SweepRunner::Chosen* SweepRunner::chosen_for(const Options& o) {
  const auto found = chosen_.find({o.validation, o.seed});
  return found == chosen_.end() ? nullptr : found->second.get();
}

void SweepRunner::advance(std::size_t number, std::size_t epochs) {
  SweepRun& run = sweep_.runs[number];
  const Options& o = run.options;
  const JobData* its = &loaded_;
  if (Chosen* const chosen = chosen_for(o)) {  // whoever comes first finds it, and the others wait
    const std::lock_guard lock(chosen->mutex);
    if (!chosen->data) chosen->data.emplace(o, loaded_);
    its = &chosen->data->data();
  }
  const JobData& data = *its;
  RunState& state = run.state;
  TrainingState& training_state = state.training;
  state.plan = plan_of(o, data, threads_of_a_run_);
  // A result that an earlier sweep left has no weights to go on from.
  if (!training_state.weights) training_state = {.weights = initial_weights(o, data)};
  const Threads threads(threads_of_a_run_);
  Training training(data.train, settings_of(o, data), threads, training_state.weights);
  Evaluation evaluation(data.test, threads);
  std::optional<Evaluation> validation;
  if (data.validation.count) validation.emplace(data.validation, threads, "validate");

  const std::vector<Graph*> graphs{&training.graph(), &evaluation.graph(), validation ? &validation->graph() : nullptr};
  const auto each = [&](auto what) {
    const std::lock_guard lock(mutex_);
    for (Graph* graph : graphs)
      if (graph) what(graph);
  };
  struct Leave {
    std::function<void()> leave;
    ~Leave() { leave(); }
  };
  each([&](Graph* graph) {
    active_.insert(graph);
    if (cancelled_) graph->cancel();
  });
  const Leave leave{[&] { each([&](Graph* graph) { active_.erase(graph); }); }};

  Checkpointing none(o);
  EpochRunner epoch({training, evaluation, validation ? &*validation : nullptr}, data, o.lr, none, state);
  try {
    while (!state.complete() && training_state.epochs.size() < epochs && !cancelled_) {
      epoch.train();
      if (cancelled_ || !epoch.test()) return;
      const std::lock_guard lock(told_);
      if (after_epoch) after_epoch(number);
    }
    state.weights_sha256 = stages::weights_sha256(*training_state.result());
    if (state.complete()) run.forget_weights();
  } catch (const Diverged& error) {
    run.error = error.what();
    run.forget_weights();
  }
}

}  // namespace sluice::apps
