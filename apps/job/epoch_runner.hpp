// An epoch of a job: what is left of its training, and validation and test behind it, so that the state is one to go on
// from however it ends.
//
// The state is taken over, and saved where that is due, between two steps. Files of a job that streams may turn out not
// to be what they should be when nobody knows since which row: then what the steps of this epoch made of them is given
// up, and the state is that at its beginning.
// Order and thread-safety: train(), then test(); one thread; graphs may be cancelled from any. Errors: DataError of the
// files, stages::WriteError of a checkpoint, StageError of anything else in a graph; Diverged, in words that name the
// step and the way out, where numbers are no longer finite.
//
//   EpochRunner epochs({training, evaluation}, data, learning_rate, checkpoints, state);
//   epochs.train();
//   if (epochs.test()) fmt::print("{}\n", state.training.epochs.back().test.accuracy);
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

#include <sluice/pipeline/errors.hpp>
#include <sluice/stages/errors.hpp>
#include "apps/job/checkpointing.hpp"
#include "apps/job/evaluation.hpp"
#include "apps/job/job_data.hpp"
#include "apps/job/state.hpp"
#include "apps/job/training.hpp"

namespace sluice::apps {

// A run whose numbers are no longer finite.
struct Diverged : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct EpochGraphs {
  Training& training;
  Evaluation& evaluation;            // of the test set
  Evaluation* validation = nullptr;  // of what is held out
};

class EpochRunner {
 public:
  EpochRunner(const EpochGraphs& graphs, const JobData& data, double learning_rate, Checkpointing& checkpoints,
              RunState& state)
      : training_(graphs.training),
        evaluation_(graphs.evaluation),
        validation_(graphs.validation),
        data_(data),
        learning_rate_(learning_rate),
        checkpoints_(checkpoints),
        state_(state) {}

  // What is left of the epoch under way, or as much of it as was done before the graph was cancelled.
  void train();
  // With all rows done: the epoch is complete. false: the graph was cancelled first, and it is not.
  bool test();

 private:
  void check_sound();
  [[noreturn]] void give_epoch_up(const stages::DataError& error);
  void check_finite() const;
  void rethrow_diverged(const StageError& error, const std::string& where) const;
  [[noreturn]] void diverged(const std::string& where, const std::string& what) const;

  Training& training_;
  Evaluation& evaluation_;
  Evaluation* const validation_;
  const JobData& data_;
  const double learning_rate_;
  Checkpointing& checkpoints_;
  RunState& state_;
};

}  // namespace sluice::apps
