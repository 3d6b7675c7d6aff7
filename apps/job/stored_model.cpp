#include "apps/job/stored_model.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/model_file.hpp>
#include <sluice/stages/one_line.hpp>
#include <sluice/stages/optimizer.hpp>
#include <sluice/stages/scale.hpp>
#include "apps/job/class_names.hpp"
#include "apps/job/settings.hpp"
#include "apps/job/usage_error.hpp"
#include "apps/terminal/log.hpp"

namespace sluice::apps {
namespace {

struct CheckScale {
  float divisor = 1;
  std::string images{};
  bool checked = false;

  void operator()(const stages::Batch& batch) {
    using stages::ElementType;
    if (std::exchange(checked, true)) return;
    const bool bytes = batch.type == stages::Pixel::uint8;
    // Any other scale was chosen by somebody.
    if (divisor != stages::usual_divisor(bytes ? ElementType::float32 : ElementType::uint8)) return;
    // Whatever their type, they are as uint8 would be.
    if (!bytes && has_more_than_1(batch)) return;
    const std::string own = stages::scale_text(divisor),
                      usual =
                          stages::scale_text(stages::usual_divisor(bytes ? ElementType::uint8 : ElementType::float32));
    say(log_line(fmt::format(
        "warning: {}: {}, and the scale of the model, {}, is the usual one of {}: --scale {} is that of these pixels, "
        "--scale {} keeps the model's without this warning",
        images, bytes ? "pixels of uint8" : "pixels of another type than uint8, none above 1", own,
        bytes ? "another type" : "uint8", usual, own)));
  }

  static bool has_more_than_1(const stages::Batch& batch) {
    return std::any_of(batch.rows.begin(), batch.rows.end(), [&](const std::uint8_t* row) {
      const auto* const values = reinterpret_cast<const float*>(row);
      return std::any_of(values, values + batch.pixels, [](float value) { return value > 1; });
    });
  }
};

}  // namespace

NamedModel load_named_model(const Options& o) {
  if (o.model.empty()) throw UsageError(fmt::format("--model FILE: is needed: see sluice {} --help", o.command));
  stages::StoredModel stored = stages::load_model(o.model);
  NamedModel model;
  const std::size_t classes = stored.model.classes;
  model.names = find_class_names(o.class_names, stored.metadata, o.model, classes, false).names;
  try {
    model.words = stored_names(stored.metadata, label_words_key, classes);
    if (std::adjacent_find(model.words.begin(), model.words.end(), std::greater_equal<>()) != model.words.end())
      throw std::invalid_argument(fmt::format("{} are not sorted, or one is there twice", label_words_key));
    model.features = stored_names(stored.metadata, features_key, stored.model.pixels);
  } catch (const std::invalid_argument& error) {
    throw stages::DamagedError(fmt::format("{}: {}", o.model, error.what()));
  }
  const auto text = stored.metadata.find(text_key);
  model.text_of_bytes = text != stored.metadata.end() && text->second == text_of_bytes;
  // Of a checkpoint, what its run would come to if it ended there.
  model.weights.renew() = stored.best ? std::move(*stored.best) : stages::averaged(stored.model);
  if (!o.scale.empty()) model.weights.renew().divisor = stages::divisor_of(o.scale);
  return model;
}

ReadTable table_for(const Options& o, const NamedModel& model, stages::TableLabel label) {
  ReadTable how = table_settings(o);
  how.wanted.label = label;
  how.wanted.features = model.features;
  how.classes = std::make_shared<stages::TableClasses>(
      stages::TableClasses{.words = model.words, .count = model.weights->classes});
  for (const std::string& name : how.wanted.ignored)
    if (std::find(model.features.begin(), model.features.end(), name) != model.features.end())
      throw UsageError(fmt::format("--ignore-columns: '{}' is a feature of {}", stages::one_line(name), o.model));
  const bool has_means = !model.weights->known_inputs().transform.fill.empty();
  if (o.missing == "auto" && has_means) how.missing = stages::Missing::mean;
  if (how.missing == stages::Missing::mean && !has_means)
    throw UsageError(fmt::format(
        "--missing mean: {} was not trained with it and keeps no means, expected error, zero or skip", o.model));
  if (how.missing == stages::Missing::skip && label == stages::TableLabel::none)
    throw UsageError("--missing skip: a row that is left out would have no line, expected error, zero or mean");
  // Rows of bytes have no place for a mean.
  how.type =
      model.text_of_bytes && how.missing != stages::Missing::mean ? stages::Pixel::uint8 : stages::Pixel::float32;
  if (model.features.empty()) how.wanted.feature_count = model.weights->pixels;
  return how;
}

stages::ImagesWanted images_for(const Options& o, const NamedModel& model) {
  const stages::Inputs& inputs = model.weights->known_inputs();
  return {.pixels = model.weights->pixels,
          .planes = inputs.planes,
          .rows = inputs.rows,
          .columns = inputs.columns,
          .model = o.model};
}

const stages::FeatureTransform* transform_of(const NamedModel& model) {
  const stages::FeatureTransform& transform = model.weights->known_inputs().transform;
  return transform.empty() ? nullptr : &transform;
}

void check_scale(Graph& g, const Options& o, const NamedModel& model, const Stream<stages::Batch>& batches,
                 const std::string& images) {
  if (o.scale.empty() && !transform_of(model))
    g.sink("scale", CheckScale{.divisor = model.weights->divisor, .images = images}, batches);
}

}  // namespace sluice::apps
