// Many trainings over the same data, side by side: what they are, what they came to, and the graph that runs them.
//
// Sweep (configurations of flags, and of each its runs: seeds, folds) + data -> the same with the state of every run
// (SweepRunner). Each run is the one that `sluice train` with its options would be, to the last bit: a training has one
// thread, or more where there are more threads than runs, and on that no result depends. A configuration is as good as
// the mean over its runs of what --best-by says of the validation; without validation none is better than another.
// Order and thread-safety: run() by one thread at a time; cancel() from any; the callbacks come one at a time, from
// threads of the graph, as soon as an epoch or a run has ended. A run whose numbers are not finite has its error, and
// the others go on; any other error of a run, or of a callback, ends all of them and is what run() throws, as it was
// thrown. Errors: that; Cancelled.
//
//   SweepRunner runner(sweep, data, threads);
//   runner.after_run = [&](std::size_t run) { show(sweep.runs[run]); };   // of the others another thread may write
//   runner.run(all_runs, epochs);
//   for (std::size_t c : ranked(sweep)) ...
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include <sluice/pipeline/threads.hpp>
#include "apps/job/chosen_data.hpp"
#include "apps/job/job_data.hpp"
#include "apps/job/options.hpp"
#include "apps/job/state.hpp"

namespace sluice::apps {

struct SweepRun {
  std::size_t configuration = 0;
  Options options{};  // of sluice train
  RunState state{};
  std::string error{};  // why it has no result; empty: it has, or will have

  // One epoch is complete, at least.
  bool has_result() const { return error.empty() && !state.training.epochs.empty(); }
  // It does not go on: of thousands of runs they would take gigabytes.
  void forget_weights();
  // It was left behind when so many of its epochs were complete: what an earlier sweep has of more does not count.
  void give_up(std::size_t epochs);
};

struct SweepConfiguration {
  std::vector<std::pair<std::string, std::string>> flags{};  // of those that differ, in their order
  std::vector<std::size_t> runs{};
  std::size_t rounds = 0;  // of a halving that it was not given up in
};

struct Sweep {
  std::vector<std::string> flags{};  // that differ between configurations
  std::vector<SweepConfiguration> configurations{};
  std::vector<SweepRun> runs{};
  BestBy best_by = BestBy::loss;
  bool validated = false;
};

// Over the runs of a configuration that have a result.
struct Spread {
  double mean = 0, deviation = 0;  // of the sample; 0 of one
  std::size_t count = 0;
};
Spread spread(const Sweep& sweep, std::size_t configuration, const std::function<double(const Epoch&)>& value);

// What configurations are compared by, where there is a validation.
double compared(const Epoch& epoch, BestBy by);

// The configurations, the best first; in their order without a validation. Those with a run that has an error come
// last.
std::vector<std::size_t> ranked(const Sweep& sweep);

class SweepRunner {
 public:
  SweepRunner(Sweep& sweep, const JobData& data, const Threads& threads);
  Graph& graph() { return graph_; }
  // These runs, each until so many of its epochs are complete, or fewer where it ends before.
  void run(const std::vector<std::size_t>& runs, std::size_t epochs);
  void cancel();

  std::function<void(std::size_t run)> after_epoch, after_run;

 private:
  // What is held out of the data for some runs, for as long as one of them is to come.
  struct Chosen {
    std::mutex mutex;
    std::size_t users = 0;
    std::optional<ChosenData> data;
  };
  Chosen* chosen_for(const Options& options);
  void train(std::size_t number);
  void advance(std::size_t number, std::size_t epochs);

  Sweep& sweep_;
  const JobData& loaded_;
  const Threads threads_;
  std::size_t threads_of_a_run_ = 1;
  std::vector<std::size_t> todo_;
  std::atomic<std::size_t> next_{0};  // place of the next to begin
  std::size_t epochs_ = 0;
  std::mutex told_;                                                                  // of the callbacks
  std::mutex mutex_;                                                                 // of what follows
  std::map<std::pair<std::string, std::uint64_t>, std::unique_ptr<Chosen>> chosen_;  // by part and seed
  std::set<Graph*> active_;
  std::exception_ptr failed_;  // the first error of a run
  std::atomic<bool> cancelled_{false};
  Graph graph_;
};

}  // namespace sluice::apps
