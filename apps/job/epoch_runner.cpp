#include "apps/job/epoch_runner.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>

namespace sluice::apps {
namespace {

bool finite(const stages::Model& model) {
  const auto all = [](const auto& values) {
    return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
  };
  return all(model.weights) && all(model.bias) && all(model.moments[0]) && all(model.moments[1]) && all(model.average);
}

}  // namespace

void EpochRunner::train() {
  TrainingState& s = state_.training;
  const std::size_t number = s.epoch(), rows = state_.plan.train_images;
  if (s.rows() == rows) return;
  try {
    data_.train.stamps.check_unchanged();
  } catch (const stages::DataError&) {
    if (s.rows() == 0) checkpoints_.save(state_);  // the epochs before are sound
    throw;
  }
  if (s.rows() == 0) s.epoch_start = s.weights;
  s.sound = data_.train.in_memory != nullptr;

  const std::uint64_t every = checkpoints_.steps_between();
  const std::size_t before = (number - 1) * state_.plan.steps(rows);  // steps of other epochs
  const std::size_t done = state_.steps();
  const auto begin = Clock::now();
  const auto take_over = [&, seconds = s.seconds] {
    s.advance(training_.sums(), training_.weights(), seconds + seconds_since(begin));
  };
  std::exception_ptr failed;  // what happened between two steps is no stage's
  const auto between_steps = [&, step = before + done]() mutable {
    if (++step % every != 0) return;
    try {
      take_over();
      // Of several processes none ends alone: the loss of the next step, or the end of the epoch, tells all of them.
      if (training_.has_peers() && !finite(*state_.training.weights)) return;
      check_finite();
      checkpoints_.save(state_);
    } catch (const std::exception&) {
      failed = std::current_exception();
      throw;
    }
  };
  try {
    training_.run(number, s.sums, every ? std::function<void()>(between_steps) : nullptr);
  } catch (const Cancelled&) {
  } catch (const stages::DataError& error) {  // streams of unequal length
    give_epoch_up(error);
  } catch (const StageError& error) {
    if (failed) std::rethrow_exception(failed);
    take_over();
    rethrow_diverged(error, fmt::format("epoch {}, step {}", number, done + error.sequence().value_or(0) + 1));
    if (const auto* cause = error.cause_as<stages::DataError>()) give_epoch_up(*cause);
    throw;
  }
  take_over();
  state_.seconds.train += seconds_since(begin);
  check_finite();
}

bool EpochRunner::test() {
  TrainingState& s = state_.training;
  check_sound();
  const auto begin = Clock::now();
  const stages::Weights now = s.now();
  Metrics metrics;
  std::optional<Metrics> validation;
  try {
    if (validation_) validation = validation_->run(now);
    data_.test.stamps.check_unchanged();
    metrics = evaluation_.run(now);
    data_.test.stamps.check_unchanged();
  } catch (const Cancelled&) {
    return false;
  } catch (const StageError& error) {
    rethrow_diverged(error, fmt::format("in the test after epoch {}", s.epoch()));
    if (!data_.test.in_memory) checkpoints_.save(state_);  // what it was trained on is sound
    throw;
  } catch (const stages::DataError&) {
    checkpoints_.save(state_);
    throw;
  } catch (const stages::DivergedError& error) {  // of another process's rows
    diverged(fmt::format("in the test after epoch {}", s.epoch()), error.what());
  }
  state_.seconds.test += seconds_since(begin);
  s.complete_epoch(metrics, validation);
  if (state_.plan.keeps_best && best_of(s.epochs, state_.plan.best_by) == s.epochs.size() - 1) s.best = now;
  return true;
}

// The checksum at the end of the files has been read, and they are the same all the time.
void EpochRunner::check_sound() {
  if (state_.training.sound) return;
  try {
    data_.train.stamps.check_unchanged();
  } catch (const stages::DataError& error) {
    give_epoch_up(error);
  }
  state_.training.sound = true;
}

void EpochRunner::give_epoch_up(const stages::DataError& error) {
  if (checkpoints_.file().empty() || !state_.training.epoch_start) throw stages::DataError(error);
  state_.training.begin_epoch_again();
  std::string what;
  try {
    checkpoints_.save(state_);
    what = fmt::format("{} is of the beginning of epoch {}, before it was read", checkpoints_.file(),
                       state_.training.epoch());
  } catch (const stages::WriteError& unsaved) {
    what = unsaved.what();
  }
  throw stages::DataError(fmt::format("{}; {}", error.what(), what));
}

void EpochRunner::check_finite() const {
  if (!finite(*state_.training.weights))
    diverged(fmt::format("epoch {}, step {}", state_.training.epoch(), state_.steps()), "a weight is not finite");
}

void EpochRunner::rethrow_diverged(const StageError& error, const std::string& where) const {
  if (const auto* cause = error.cause_as<stages::DivergedError>()) diverged(where, cause->what());
}

void EpochRunner::diverged(const std::string& where, const std::string& what) const {
  throw Diverged(
      fmt::format("{}: {}, expected finite numbers: try a smaller --lr than {}{}", where, what, learning_rate_,
                  checkpoints_.has_own() ? ", and another --checkpoint: this one is of the steps before" : ""));
}

}  // namespace sluice::apps
