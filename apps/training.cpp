#include "apps/training.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "stages/accumulate.hpp"
#include "stages/accuracy.hpp"
#include "stages/forward.hpp"
#include "stages/gradient.hpp"
#include "stages/limits.hpp"
#include "stages/loss.hpp"
#include "stages/reduce.hpp"
#include "stages/sgd.hpp"
#include "stages/shard.hpp"

namespace sluice::apps {
namespace {

using namespace stages;

Limits limits(const DataSet& data, std::size_t rows) {
  return {rows, data.pixels(), data.classes};
}

//  batch -> work -> shard => forward => gradient => reduce -> sgd -> weights
//                                    => loss -> accumulate
//                                    => accuracy -> accumulate
//  weights -> work
Feedback<Weights> wire(Graph& g, Batcher& batcher, Accumulate& metrics, const DataSet& data, const Options& o,
                       const Weights& initial) {
  const std::size_t parts = o.effective_shards();
  const Limits batch = limits(data, o.batch_size), part = limits(data, shard_rows(o.batch_size, parts));

  auto weights = g.feedback("weights", initial);
  // One is drawn ahead: more would not be faster, and a signal would wait for them.
  auto batches = g.source("batch", std::ref(batcher), capacity(1));
  auto work = g.zip("work", batches, weights, capacity(1));  // batch k meets weights k
  // Two batches may be in the shards' segment, so that the next step need not wait for loss and accuracy of this one.
  auto cut = g.split("shard", Sharder{}, work, shards(parts), capacity(2));
  auto scored = g.map("forward", SoftmaxForward{.limits = part}, cut, unlimited);
  auto partial = g.map("gradient", SoftmaxGradient{.limits = part}, scored, unlimited);
  auto loss = g.fold("loss", CrossEntropy{}, scored);
  auto hits = g.fold("accuracy", Accuracy{}, scored);
  g.sink("accumulate", std::ref(metrics), loss, hits);
  auto gradient = g.fold("reduce", Reduce{.limits = batch}, partial, capacity(1));
  weights.close(g.map("sgd", Sgd{.rate = static_cast<float>(o.lr), .limits = batch}, gradient));
  return weights;
}

}  // namespace

Stream<Scored> evaluate(Graph& g, const Stream<Batch>& batches, const ScoreBatch& score, Accumulate& sums) {
  auto scored = g.map("forward", score, batches, unlimited);
  auto loss = g.map("loss", CrossEntropy{}, scored, unlimited);
  auto hits = g.map("accuracy", Accuracy{}, scored, unlimited);
  g.sink("accumulate", std::ref(sums), loss, hits);
  return scored;
}

Metrics means(const Accumulator& sums) {
  const double rows = std::max(1.0, sums["count"]);
  return {sums["loss"] / rows, sums["hits"] / rows, static_cast<std::size_t>(sums["count"])};
}

Training::Training(const DataSet& data, const Options& options, const Threads& threads, const Weights& initial,
                   const std::atomic<bool>* stop)
    : graph_("train", threads),
      batcher_{.data = &data,
               .batch_size = options.batch_size,
               .seed = options.seed,
               .last_epoch = options.epochs,
               .stop = stop},
      weights_(wire(graph_, batcher_, metrics_, data, options, initial)) {}

Metrics Training::run(std::uint64_t epoch) {
  return run(epoch, stages::Accumulate{}.sums);
}

Metrics Training::run(std::uint64_t epoch, const Accumulator& so_far, std::size_t end) {
  metrics_.carried = so_far;
  batcher_.epoch(epoch, static_cast<std::size_t>(so_far["count"]), end);
  graph_.run();
  return means(metrics_.sums);
}

//  batch -> forward -> loss -> accumulate
//                   -> accuracy -> accumulate
Evaluation::Evaluation(const DataSet& data, const Threads& threads)
    : graph_("evaluate", threads), batcher_{.data = &data, .batch_size = evaluation_rows, .shuffled = false} {
  auto batches = graph_.source("batch", std::ref(batcher_), capacity(8));
  evaluate(graph_, batches, {.weights = &weights_, .limits = limits(data, evaluation_rows)}, metrics_);
}

Metrics Evaluation::run(const Weights& weights) {
  weights_ = weights;
  graph_.run();
  return means(metrics_.sums);
}

Metrics evaluate_accuracy(const Weights& weights, const DataSet& data, const Threads& threads) {
  return Evaluation(data, threads).run(weights);
}

}  // namespace sluice::apps
