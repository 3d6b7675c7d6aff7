// The forward-only graph: loss and accuracy of a model over a data set, the chapter's evaluate_accuracy.
//
// LabelledSet, weights -> Metrics. Of several processes, each has a run of the batches, and all of them the metrics of
// the whole, which have the bits of one process: batches are added in their order. Order and thread-safety: one run at
// a time; graph().cancel() and graph().stats() from any thread. Errors: those of Graph::run(), and a stages::DataError
// where images and labels are not as many.
//
//   Evaluation evaluation(set, threads);
//   fmt::print("accuracy {:.4f}\n", evaluation.run(weights).accuracy);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include <sluice/pipeline/threads.hpp>
#include <sluice/stages/accumulate.hpp>
#include <sluice/stages/batch.hpp>
#include <sluice/stages/batcher.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/forward.hpp>
#include <sluice/stages/input_files.hpp>
#include <sluice/stages/model.hpp>
#include <sluice/stages/peers.hpp>
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
  Evaluation(const LabelledSet& set, const Threads& threads, const std::string& name = "evaluate",
             stages::Peers* peers = nullptr);
  Graph& graph() { return graph_; }
  Metrics run(const stages::Weights& weights);

 private:
  // What a batch came to, as it travels.
  struct Judged {
    double loss = 0;
    std::uint64_t hits = 0, count = 0;
  };

  Stream<stages::Batch> batches(const LabelledSet& set, std::size_t rows);
  std::size_t first_of(std::size_t rank) const;  // batch
  void add_all();

  Graph graph_;
  stages::InputFiles images_, labels_;  // the files that it reads
  stages::Batcher batcher_;
  stages::Accumulate metrics_;
  stages::Weights weights_;         // of the run under way
  stages::Peers* peers_ = nullptr;  // the other processes, if there are any
  std::size_t batches_ = 0;         // of all of them
  std::vector<Judged> judged_;      // of this process's batches, in order
};

Metrics evaluate_accuracy(const stages::Weights& weights, const stages::DataSet& data, const Threads& threads);

}  // namespace sluice::apps
