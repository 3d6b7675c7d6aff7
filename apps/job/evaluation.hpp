// The forward-only graph: loss and accuracy of a model over a data set, the chapter's evaluate_accuracy.
//
// LabelledSet, weights -> Metrics. Order and thread-safety: one run at a time; graph().cancel() and graph().stats()
// from any thread. Errors: those of Graph::run(), and a stages::DataError where images and labels are not as many.
//
//   Evaluation evaluation(set, threads);
//   fmt::print("accuracy {:.4f}\n", evaluation.run(weights).accuracy);
#pragma once

#include <cstddef>
#include <string>

#include <sluice/pipeline/graph.hpp>
#include <sluice/pipeline/threads.hpp>
#include <sluice/stages/accumulate.hpp>
#include <sluice/stages/batch.hpp>
#include <sluice/stages/batcher.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/forward.hpp>
#include <sluice/stages/input_files.hpp>
#include <sluice/stages/model.hpp>
#include "apps/job/job_data.hpp"
#include "apps/job/metrics.hpp"

namespace sluice::apps {

// Rows of a batch of an evaluation, of images of so many pixels: two mebibytes as float32, whole row blocks if that is
// one at least. The sum of the losses depends on it, so that it depends on nothing else.
std::size_t evaluation_rows(std::size_t pixels);

// The forward-only part of a graph; its scored batches, for whoever wants more of them.
//  batches -> forward -> loss -> accumulate
//                     -> accuracy -> accumulate
Stream<stages::Scored> evaluate(Graph& graph, const Stream<stages::Batch>& batches, const stages::ScoreBatch& score,
                                stages::Accumulate& sums);

class Evaluation {
 public:
  Evaluation(const LabelledSet& set, const Threads& threads, const std::string& name = "evaluate");
  Graph& graph() { return graph_; }
  Metrics run(const stages::Weights& weights);

 private:
  Stream<stages::Batch> batches(const LabelledSet& set, std::size_t rows);

  Graph graph_;
  stages::InputFiles images_, labels_;  // the files that it reads
  stages::Batcher batcher_;
  stages::Accumulate metrics_;
  stages::Weights weights_;  // of the run under way
};

Metrics evaluate_accuracy(const stages::Weights& weights, const stages::DataSet& data, const Threads& threads);

}  // namespace sluice::apps
