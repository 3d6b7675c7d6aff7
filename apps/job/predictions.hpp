// What a model says of every image of a data set: class and probability, by a graph of its own.
//
// Weights, DataSet -> a prediction for each row, in order. Deterministic. Errors: those of Graph::run().
//
//   //  batch -> forward -> predictions
//   const Predictions p = predictions_of(weights, test, threads);
#pragma once

#include <cstdint>
#include <vector>

#include <sluice/pipeline/threads.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/model.hpp>

namespace sluice::apps {

struct Predictions {
  std::vector<std::uint16_t> predicted;  // (rows): the class
  std::vector<float> probability;        // (rows): of that class, 0 to 1
};

Predictions predictions_of(const stages::Weights& weights, const stages::DataSet& data, const Threads& threads);

}  // namespace sluice::apps
