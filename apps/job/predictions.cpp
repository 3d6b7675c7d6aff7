#include "apps/job/predictions.hpp"

#include <functional>

#include <sluice/pipeline/graph.hpp>
#include <sluice/stages/batcher.hpp>
#include <sluice/stages/forward.hpp>
#include "apps/job/evaluation.hpp"

namespace sluice::apps {

using namespace stages;

Predictions predictions_of(const Weights& weights, const DataSet& data, const Threads& threads) {
  Predictions result;
  result.predicted.reserve(data.size());
  result.probability.reserve(data.size());

  const auto keep = [&](const Scored& scored) {
    for (std::size_t row = 0; row < scored.shard.rows; ++row) {
      const std::uint16_t c = scored.predicted[row];
      result.predicted.push_back(c);
      result.probability.push_back(probability(scored, row, c));
    }
  };

  //  batch -> forward -> predictions
  Graph g("predict", threads);
  Batcher batcher{.data = &data, .batch_size = evaluation_rows(weights->pixels), .shuffled = false};
  auto batches = g.source("batch", std::ref(batcher), capacity(8));
  auto scored = g.map("forward", ScoreBatch{&weights}, batches, unlimited);
  g.sink("predictions", keep, scored);
  g.run();
  return result;
}

}  // namespace sluice::apps
