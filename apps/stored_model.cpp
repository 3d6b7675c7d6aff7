#include "apps/stored_model.hpp"

#include <fmt/core.h>

#include <stdexcept>
#include <utility>

#include "apps/class_names.hpp"
#include "stages/errors.hpp"
#include "stages/model_file.hpp"
#include "stages/scale.hpp"

namespace sluice::apps {

NamedModel load_named_model(const Options& o) {
  if (o.model.empty()) throw UsageError(fmt::format("--model FILE: is needed: see sluice {} --help", o.command));
  stages::StoredModel stored = stages::load_model(o.model);
  NamedModel model;
  const std::size_t classes = stored.model.classes;
  if (!o.scale.empty()) stored.model.divisor = stages::divisor_of(o.scale);
  if (o.class_names.empty()) {
    try {
      model.names = stored_class_names(stored.metadata, classes);
    } catch (const std::invalid_argument& error) {
      throw stages::DataError(fmt::format("{}: {}", o.model, error.what()));
    }
  }
  if (model.names.empty()) {
    try {
      model.names = class_names(o.class_names, classes, false);
    } catch (const std::invalid_argument& error) {
      throw UsageError(fmt::format("--class-names: {}", error.what()));
    }
  }
  model.weights.renew() = std::move(stored.model);
  return model;
}

}  // namespace sluice::apps
