// What of the data that are there a job trains on, what it holds out to choose by, and what it begins with.
//
// Options and data -> the same data with a validation part, where --validation asks for one; the plan, the settings and
// the initial weights of a training on them. Order and thread-safety: pure functions; the loaded data have to stay as
// long as what was chosen of them. Errors: UsageError for a part that leaves a class without rows on one side, and for
// a schedule longer than the run.
//
//   const ChosenData chosen(options, loaded);
//   Training training(chosen.data().train, settings_of(options, chosen.data()), threads, initial_weights(options,
//   ...));
#pragma once

#include <cstddef>
#include <optional>

#include <sluice/stages/held_out.hpp>
#include <sluice/stages/model.hpp>
#include "apps/job/job_data.hpp"
#include "apps/job/options.hpp"
#include "apps/job/state.hpp"
#include "apps/job/training_settings.hpp"

namespace sluice::apps {

class ChosenData {
 public:
  ChosenData(const Options& options, const JobData& loaded);
  ChosenData(const ChosenData&) = delete;
  ChosenData& operator=(const ChosenData&) = delete;
  const JobData& data() const { return data_; }

 private:
  std::optional<stages::HeldOut> parts_;
  JobData data_;
};

TrainingPlan plan_of(const Options& options, const JobData& data, std::size_t threads);
TrainingSettings settings_of(const Options& options, const JobData& data);
stages::Weights initial_weights(const Options& options, const JobData& data);

}  // namespace sluice::apps
