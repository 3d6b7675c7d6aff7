#include "apps/job/evaluation.hpp"

#include <algorithm>
#include <functional>

#include <sluice/stages/accuracy.hpp>
#include <sluice/stages/kernels/kernels.hpp>
#include <sluice/stages/loss.hpp>
#include "apps/job/input.hpp"

namespace sluice::apps {

using namespace stages;

Stream<Scored> evaluate(Graph& g, const Stream<Batch>& batches, const ScoreBatch& score, Accumulate& sums) {
  auto scored = g.map("forward", score, batches, unlimited);
  auto loss = g.map("loss", CrossEntropy{}, scored, unlimited);
  auto hits = g.map("accuracy", Accuracy{}, scored, unlimited);
  g.sink("accumulate", std::ref(sums), loss, hits);
  return scored;
}

std::size_t evaluation_rows(std::size_t pixels) {
  const std::size_t most =
      std::clamp<std::size_t>((2 << 20) / (sizeof(float) * std::max<std::size_t>(1, pixels)), 1, 512);
  return most < kernels::row_block ? most : most / kernels::row_block * kernels::row_block;
}

//  batch -> forward -> loss -> accumulate
//                   -> accuracy -> accumulate
Evaluation::Evaluation(const LabelledSet& set, const Threads& threads, const std::string& name)
    : graph_(name, threads), images_(set.images), labels_(set.labels) {
  const std::size_t rows = evaluation_rows(set.shape.pixels());
  evaluate(graph_, batches(set, rows), {.weights = &weights_, .limits = {rows, set.shape.pixels(), set.shape.classes}},
           metrics_);
}

// A set that stays in its files:
//
//  rows.test-images -> pair -> batch
//  rows.test-labels -> pair
Stream<Batch> Evaluation::batches(const LabelledSet& set, std::size_t rows) {
  if (set.in_memory) {
    batcher_.data = set.in_memory, batcher_.batch_size = rows, batcher_.shuffled = false;
    return graph_.source("batch", std::ref(batcher_), capacity(8));
  }
  return read_batches(graph_,
                      {.images = set.images,
                       .labels = set.labels,
                       .prefix = "test-",
                       .decoder = set.decoder,
                       .decoder_memory = set.decoder_memory,
                       .index = set.index,
                       .again = true,
                       .decoded = set.decoded,
                       .image_bytes = set.stored_image_bytes,
                       .image_pixels = set.shape.pixels(),
                       .classes = set.shape.classes,
                       .label_column = set.label_column,
                       .transform = set.transform,
                       .table = set.table},
                      rows, {.pixels = set.shape.pixels()});
}

Metrics Evaluation::run(const Weights& weights) {
  weights_ = weights;
  run_reading(graph_, images_, labels_);
  return means(metrics_.sums);
}

Metrics evaluate_accuracy(const Weights& weights, const DataSet& data, const Threads& threads) {
  return Evaluation(LabelledSet(data), threads).run(weights);
}

}  // namespace sluice::apps
