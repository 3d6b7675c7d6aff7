// Where a training run is: one value, which the run changes, a checkpoint is made of and made into, and everything that
// is said of the run is read from.
//
// Order and thread-safety: plain values; whoever is called between two steps, on a thread of the graph, has them alone.
// Errors: none.
//
//   RunState state{.plan = {.epochs = 10, .batch_size = 256, .train_images = 60'000}};
//   state.training.advance(training.sums(), training.weights(), seconds);
//   state.place()   // "after step 235 of 235 in epoch 1 of 10"
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/stages/accumulate.hpp>
#include <sluice/stages/accumulator.hpp>
#include <sluice/stages/model.hpp>
#include "apps/job/metrics.hpp"

namespace sluice::apps {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begin);

// What goes on from run to run. A checkpoint is this and what it is of (apps/job/checkpoint.hpp): whatever else decides
// the steps to come belongs here; what an optimiser keeps is in the weights.
struct TrainingState {
  std::vector<Epoch> epochs{};                           // complete
  stages::Accumulator sums = stages::Accumulate{}.sums;  // over the rows of the epoch under way that are done
  double seconds = 0;                                    // that they took
  stages::Weights weights{};                             // after the last of them
  stages::Weights epoch_start{};                         // before the first of them; empty: not known
  stages::Weights best{};                                // after the best epoch, where it is to be kept
  bool sound = true;                                     // they are known to be what their files should hold
  std::uint64_t changes = 0;                             // so far, in this run

  std::size_t epoch() const { return epochs.size() + 1; }                       // under way, or the next
  std::size_t rows() const { return static_cast<std::size_t>(sums["count"]); }  // of it that are done
  bool doubtful() const { return !sound && rows() > 0 && bool(epoch_start); }   // and what to go back to is known
  stages::Weights now() const;     // what is tested: the average of the weights, where there is one
  stages::Weights result() const;  // of a run that ends here: the best, or now()

  // More rows of the epoch under way are done.
  void advance(const stages::Accumulator& all_sums, const stages::Weights& after, double all_seconds);
  // All of them are, and the test behind them.
  void complete_epoch(const Metrics& test, const std::optional<Metrics>& validation = {});
  // Its rows are to be gone through again, from epoch_start on.
  void begin_epoch_again();
};

// What a run is to do.
struct TrainingPlan {
  std::size_t epochs = 0, batch_size = 1;
  std::size_t train_images = 0, test_images = 0, threads = 0;
  std::size_t validation_images = 0;
  std::size_t patience = 0;  // epochs without a better one, until the run ends; 0: it does not
  bool keeps_best = false;   // the result is the model after the best epoch
  BestBy best_by = BestBy::loss;

  std::size_t steps(std::size_t rows) const { return (rows + batch_size - 1) / batch_size; }
  // Rows of an epoch that are done so many steps behind those: the last step may have fewer than the others.
  std::size_t rows_after(std::size_t rows, std::size_t more_steps) const {
    return std::min(train_images, rows + more_steps * batch_size);
  }
};

// What one run took.
struct RunSeconds {
  double load = 0, train = 0, test = 0, total = 0;
};

// Where a run went on: after this step of this epoch, when so many epochs were complete.
struct Resumption {
  std::string from{};  // file
  std::size_t epoch = 0, step = 0, epochs = 0;
};

struct RunState {
  TrainingPlan plan{};
  TrainingState training{};

  RunSeconds seconds{};
  std::optional<Resumption> resumed{};  // nothing: it began anew

  std::string checkpoint{};      // that was written of the complete job; empty: none
  std::string weights_sha256{};  // of the complete job
  std::string outcome{};         // why the run ended early; empty: it did not

  bool complete() const { return training.epochs.size() == plan.epochs || out_of_patience(); }
  bool out_of_patience() const;
  const Epoch& result_epoch() const;  // of those that are complete, the one whose model is the result
  std::size_t steps() const { return plan.steps(training.rows()); }  // of the epoch under way that are done
  std::string place() const;
};

}  // namespace sluice::apps
