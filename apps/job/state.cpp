#include "apps/job/state.hpp"

#include <fmt/core.h>

#include <sluice/stages/optimizer.hpp>

namespace sluice::apps {

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

void TrainingState::advance(const stages::Accumulator& all_sums, const stages::Weights& after, double all_seconds) {
  sums = all_sums;
  weights = after;
  seconds = all_seconds;
  ++changes;
}

void TrainingState::complete_epoch(const Metrics& test, const std::optional<Metrics>& validation) {
  epochs.push_back({epoch(), means(sums), test, seconds, validation});
  sums.reset();
  seconds = 0;
  epoch_start = {};
  sound = true;
  ++changes;
}

void TrainingState::begin_epoch_again() {
  weights = epoch_start;
  sums.reset();
  seconds = 0;
  epoch_start = {};
  sound = true;
  ++changes;
}

stages::Weights TrainingState::now() const {
  if (weights->average.empty()) return weights;
  stages::Weights average;
  average.renew() = stages::averaged(*weights);
  return average;
}

stages::Weights TrainingState::result() const {
  return best ? best : now();
}

bool RunState::out_of_patience() const {
  if (plan.patience == 0) return false;
  const auto best = best_of(training.epochs, plan.best_by);
  return best && training.epochs.size() - 1 - *best >= plan.patience;
}

const Epoch& RunState::result_epoch() const {
  const auto best = plan.keeps_best ? best_of(training.epochs, plan.best_by) : std::nullopt;
  return best ? training.epochs[*best] : training.epochs.back();
}

std::string RunState::place() const {
  if (training.rows() > 0)
    return fmt::format("after step {} of {} in epoch {} of {}", steps(), plan.steps(plan.train_images),
                       training.epoch(), plan.epochs);
  if (training.epochs.empty()) return "before the first step";
  return fmt::format("after epoch {} of {}", training.epochs.size(), plan.epochs);
}

}  // namespace sluice::apps
