#include "apps/stored_model.hpp"

#include <fmt/core.h>

#include <stdexcept>
#include <utility>

#include "apps/class_names.hpp"
#include "apps/flags.hpp"
#include "stages/errors.hpp"
#include "stages/model_file.hpp"
#include "stages/scale.hpp"

namespace sluice::apps {

NamedModel load_named_model(const std::string& path, const std::string& scale, const std::string& wanted) {
  stages::StoredModel stored = stages::load_model(path);
  NamedModel model;
  const std::size_t classes = stored.model.classes;
  if (!scale.empty()) {
    try {
      stored.model.divisor = stages::divisor_of(scale);
    } catch (const std::invalid_argument& error) {
      throw UsageError(fmt::format("--scale: {}", error.what()));
    }
  }
  if (wanted.empty()) {
    try {
      model.names = stored_class_names(stored.metadata, classes);
    } catch (const std::invalid_argument& error) {
      throw stages::DataError(fmt::format("{}: {}", path, error.what()));
    }
  }
  if (model.names.empty()) {
    try {
      model.names = class_names(wanted, classes, false);
    } catch (const std::invalid_argument& error) {
      throw UsageError(fmt::format("--class-names: {}", error.what()));
    }
  }
  model.weights.renew() = std::move(stored.model);
  return model;
}

}  // namespace sluice::apps
