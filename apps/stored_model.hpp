// A model file as eval and predict use it: the weights, what its classes are called, and how pixels are scaled.
//
// scale: --scale; empty: the model's own, 1/255 of one that says nothing. class_names: --class-names; empty: the
// model's own, "class 0" and so on of one that has none. Errors: stages::DataError of the file, UsageError of a flag.
//
//   const NamedModel model = load_named_model("model.safetensors", "", "");
#pragma once

#include <string>
#include <vector>

#include "stages/forward.hpp"
#include "stages/model.hpp"

namespace sluice::apps {

struct NamedModel {
  stages::Weights weights;
  std::vector<std::string> names;  // one for each class
};

NamedModel load_named_model(const std::string& path, const std::string& scale, const std::string& class_names);

// forward with weights that are the same for all batches.
struct Score {
  stages::SoftmaxForward forward;
  stages::Weights weights;

  using Output = stages::Scored;
  void operator()(const stages::Batch& batch, stages::Scored& out) const {
    forward({.batch = &batch, .model = weights.get(), .weights = &weights, .rows = batch.count()}, out);
  }
};

}  // namespace sluice::apps
