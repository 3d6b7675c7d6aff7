#include "apps/predictions.hpp"

#include <functional>

#include "pipeline/graph.hpp"
#include "stages/batcher.hpp"
#include "stages/forward.hpp"

namespace sluice::apps {

using namespace stages;

Predictions predict(const Weights& weights, const DataSet& data, const Threads& threads) {
  const std::size_t classes = weights->classes;
  Predictions result;
  result.predicted.reserve(data.size());
  result.probability.reserve(data.size());

  const auto keep = [&](const Scored& scored) {
    for (std::size_t row = 0; row < scored.shard.rows; ++row) {
      const std::uint16_t c = scored.predicted[row];
      const float delta = scored.delta[(row / 16 * classes + c) * 16 + row % 16];  // p - 1 of the label, p of any other
      result.predicted.push_back(c);
      result.probability.push_back(c == scored.shard.batch->labels[row] ? delta + 1 : delta);
    }
  };

  //  batch -> forward -> predictions
  Graph g("predict", threads);
  Batcher batcher{.data = &data, .batch_size = 512, .shuffled = false};
  auto batches = g.source("batch", std::ref(batcher), capacity(8));
  auto scored = g.map("forward", ScoreBatch{&weights}, batches, unlimited);
  g.sink("predictions", keep, scored);
  g.run();
  return result;
}

}  // namespace sluice::apps
