#include "apps/job/chosen_data.hpp"

#include <fmt/core.h>

#include <stdexcept>

#include <sluice/stages/class_weights.hpp>
#include <sluice/stages/optimizer.hpp>
#include "apps/job/settings.hpp"
#include "apps/job/usage_error.hpp"

namespace sluice::apps {
namespace {

std::optional<stages::HeldOut> held_out(const Options& o, const JobData& loaded) {
  if (!o.holds_out()) return std::nullopt;
  try {
    return stages::hold_out(*loaded.train.in_memory, stages::HeldOutPart::of(o.validation), o.seed);
  } catch (const std::invalid_argument& error) {
    throw UsageError(fmt::format("--validation {}: {}", o.validation, error.what()));
  }
}

}  // namespace

ChosenData::ChosenData(const Options& o, const JobData& loaded) : parts_(held_out(o, loaded)), data_(loaded) {
  if (!parts_) return;
  const auto take = [](LabelledSet& set, const stages::DataSet& part) {
    set.in_memory = &part;
    set.count = part.size();
  };
  data_.validation = data_.train;
  take(data_.train, parts_->left);
  take(data_.validation, parts_->held);
}

TrainingPlan plan_of(const Options& o, const JobData& data, std::size_t threads) {
  return {.epochs = o.epochs,
          .batch_size = o.batch_size,
          .train_images = data.train.count,
          .test_images = data.test.count,
          .threads = threads,
          .validation_images = data.validation.count,
          .patience = o.patience,
          .keeps_best = o.keep == "best",
          .best_by = o.best_by == "accuracy" ? BestBy::accuracy : BestBy::loss};
}

TrainingSettings settings_of(const Options& o, const JobData& data) {
  TrainingSettings settings = training_settings(o, data.train.count);
  if (o.class_weight == "balanced")
    settings.class_weights = stages::balanced_class_weights(data.train.in_memory->labels, data.train.shape.classes);
  return settings;
}

stages::Weights initial_weights(const Options& o, const JobData& data) {
  const stages::DataShape& shape = data.train.shape;
  stages::Weights initial;
  stages::Model& model = initial.renew();
  model = stages::random_model(shape.pixels(), shape.classes, o.seed);
  model.divisor = o.effective_divisor(shape);
  stages::Inputs& inputs = model.inputs.renew();
  if (!shape.flat) inputs = {.planes = shape.planes, .rows = shape.rows, .columns = shape.columns};
  inputs.transform = data.transform;
  stages::prepare(training_settings(o, data.train.count).optimizer, model);
  return initial;
}

}  // namespace sluice::apps
