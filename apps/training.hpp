// The training job's two graphs: an epoch of training, and the forward-only evaluation of the test set.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "apps/options.hpp"
#include "pipeline/graph.hpp"
#include "stages/accumulate.hpp"
#include "stages/batcher.hpp"
#include "stages/dataset.hpp"
#include "stages/forward.hpp"
#include "stages/model.hpp"

namespace sluice::apps {

// Means over the rows of an epoch or of a data set.
struct Metrics {
  double loss = 0;
  double accuracy = 0;
  std::size_t count = 0;
};
Metrics means(const stages::Accumulator& sums);

// One run is one epoch, or a part of one; the weights carry on from run to run.
class Training {
 public:
  // stop: where it is set, an epoch ends after the steps that have begun.
  Training(const stages::DataSet& data, const Options& options, const Threads& threads, const stages::Weights& initial,
           const std::atomic<bool>* stop = nullptr);
  Graph& graph() { return graph_; }
  Metrics run(std::uint64_t epoch);
  // The steps of an epoch behind those that `so_far` was summed up over, up to row `end` of it: with the same bits as
  // if the epoch had been one run. Where it stands then, sums() says: as many rows are done.
  Metrics run(std::uint64_t epoch, const stages::Accumulator& so_far,
              std::size_t end = std::numeric_limits<std::size_t>::max());
  const stages::Accumulate& sums() const { return metrics_; }
  const stages::Weights& weights() const { return weights_.value(); }

 private:
  Graph graph_;
  stages::Batcher batcher_;
  stages::Accumulate metrics_;
  Feedback<stages::Weights> weights_;
};

// Rows of a batch of an evaluation: whole row blocks, so that the sum of the losses is that of any other size.
inline constexpr std::size_t evaluation_rows = 512;

// The forward-only part of a graph; its scored batches, for whoever wants more of them.
//  batches -> forward -> loss -> accumulate
//                     -> accuracy -> accumulate
Stream<stages::Scored> evaluate(Graph& graph, const Stream<stages::Batch>& batches, const stages::ScoreBatch& score,
                                stages::Accumulate& sums);

// The chapter's evaluate_accuracy: loss and accuracy of a model over a data set, by a graph of its own.
class Evaluation {
 public:
  Evaluation(const stages::DataSet& data, const Threads& threads);
  Graph& graph() { return graph_; }
  Metrics run(const stages::Weights& weights);

 private:
  Graph graph_;
  stages::Batcher batcher_;
  stages::Accumulate metrics_;
  stages::Weights weights_;  // of the run under way
};

Metrics evaluate_accuracy(const stages::Weights& weights, const stages::DataSet& data, const Threads& threads);

}  // namespace sluice::apps
