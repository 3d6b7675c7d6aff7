// A model file as eval and predict use it: the weights, what its classes are called, and how pixels are scaled.
//
// Scale and names are those of the flags, else the model's own; of one that has none 1/255, and "class 0" and so on.
// Errors: stages::DataError of the file, UsageError of a flag.
//
//   const NamedModel model = load_named_model(options);
#pragma once

#include <string>
#include <vector>

#include "apps/options.hpp"
#include "stages/model.hpp"

namespace sluice::apps {

struct NamedModel {
  stages::Weights weights;
  std::vector<std::string> names;  // one for each class
};

NamedModel load_named_model(const Options& options);

}  // namespace sluice::apps
