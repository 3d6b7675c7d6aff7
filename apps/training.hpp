// The training job's two graphs: an epoch of training, and the forward-only evaluation of the test set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <variant>

#include <sluice/pipeline/graph.hpp>
#include <sluice/stages/accumulate.hpp>
#include <sluice/stages/batcher.hpp>
#include <sluice/stages/data_files.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/forward.hpp>
#include <sluice/stages/model.hpp>
#include <sluice/stages/shuffle_buffer.hpp>
#include "apps/load.hpp"
#include "apps/options.hpp"

namespace sluice::apps {

// Means over the rows of an epoch or of a data set.
struct Metrics {
  double loss = 0;
  double accuracy = 0;
  std::size_t count = 0;
};
Metrics means(const stages::Accumulator& sums);

// One run is one epoch, or what is left of one; the weights carry on from run to run. For options that keep the state
// the weights of every step are kept until the next: then a run that was cancelled, and whoever is called between two
// steps, has a state to go on from.
class Training {
 public:
  // Of a set in memory, or, where it stays in its files, decompressed while it runs and shuffled within a buffer.
  Training(const JobData& data, const stages::DataFiles& files, const Options& options, const Threads& threads,
           const stages::Weights& initial);
  Training(const stages::DataSet& data, const Options& options, const Threads& threads, const stages::Weights& initial);
  Graph& graph() { return graph_; }
  Metrics run(std::uint64_t epoch);
  // The steps of an epoch behind those that `so_far` was summed up over: with the same bits as if the epoch had been
  // one run. between: for options that keep the state: called after every step, on a thread of the graph.
  Metrics run(std::uint64_t epoch, const stages::Accumulator& so_far, std::function<void()> between = {});
  // Of the same step.
  const stages::Accumulator& sums() const { return metrics_.sums; }
  const stages::Weights& weights() const { return kept_ ? kept_ : weights_.value(); }

 private:
  Stream<stages::Batch> batches(const JobData& data, const Options& options);
  Feedback<stages::Weights> wire(const JobData& data, const Options& options, const stages::Weights& initial);

  Graph graph_;
  stages::DataFiles files_;  // that it reads
  std::variant<stages::Batcher, stages::ShuffleBuffer> rows_;
  stages::Accumulate metrics_;
  stages::Weights kept_;  // after the last step that metrics_ has
  std::function<void()> between_;
  Feedback<stages::Weights> weights_;
};

// Rows of a batch of an evaluation, of images of so many pixels: two mebibytes as float32, whole row blocks if that is
// one at least. The sum of the losses depends on it, so that it depends on nothing else.
std::size_t evaluation_rows(std::size_t pixels);

// The forward-only part of a graph; its scored batches, for whoever wants more of them.
//  batches -> forward -> loss -> accumulate
//                     -> accuracy -> accumulate
Stream<stages::Scored> evaluate(Graph& graph, const Stream<stages::Batch>& batches, const stages::ScoreBatch& score,
                                stages::Accumulate& sums);

// The chapter's evaluate_accuracy: loss and accuracy of a model over a data set, by a graph of its own.
class Evaluation {
 public:
  Evaluation(const JobData& data, const stages::DataFiles& files, const Threads& threads);
  Evaluation(const stages::DataSet& data, const Threads& threads);
  Graph& graph() { return graph_; }
  Metrics run(const stages::Weights& weights);

 private:
  Graph graph_;
  stages::DataFiles files_;  // that it reads
  stages::Batcher batcher_;
  stages::Accumulate metrics_;
  stages::Weights weights_;  // of the run under way
};

Metrics evaluate_accuracy(const stages::Weights& weights, const stages::DataSet& data, const Threads& threads);

}  // namespace sluice::apps
