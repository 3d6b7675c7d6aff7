// A model file as eval and predict use it: the weights, what its classes are called, and how pixels are scaled.
//
// Scale and names are those of the flags, else the model's own; of one that has none 1/255, and "class 0" and so on.
// A scale that no flag confirms is held against the first batch: a warning, where it is the usual one of other pixels;
// values above 1 are taken for those of bytes, whatever their type is.
// Errors: stages::DataError of the file, UsageError of a flag.
//
//   const NamedModel model = load_named_model(options);
//   check_scale(graph, options, model, batches, images);
#pragma once

#include <string>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include <sluice/stages/batch.hpp>
#include <sluice/stages/join.hpp>
#include <sluice/stages/model.hpp>
#include "apps/job/options.hpp"
#include "apps/job/tables.hpp"

namespace sluice::apps {

// In a model's metadata, of the table that it was trained on: the words of its labels and the names of its features,
// JSON arrays; that its text counted as bytes.
inline constexpr const char* label_words_key = "sluice.label_words";
inline constexpr const char* features_key = "sluice.features";
inline constexpr const char* text_key = "sluice.text";
inline constexpr const char* text_of_bytes = "bytes";

struct NamedModel {
  stages::Weights weights;
  std::vector<std::string> names;            // one for each class
  std::vector<std::string> words, features;  // of the table; none: it had none
  bool text_of_bytes = false;
};

NamedModel load_named_model(const Options& options);
// How tables are read for it: its columns by name, its classes, what is missing as in training.
ReadTable table_for(const Options& options, const NamedModel& model, stages::TableLabel label);
stages::ImagesWanted images_for(const Options& options, const NamedModel& model);
// nullptr: pixels stay as they are.
const stages::FeatureTransform* transform_of(const NamedModel& model);

//  batches -> scale
// images: what the batches are of, for the warning.
void check_scale(Graph& graph, const Options& options, const NamedModel& model, const Stream<stages::Batch>& batches,
                 const std::string& images);

}  // namespace sluice::apps
