#include "apps/job/evaluation.hpp"

#include <algorithm>
#include <functional>

#include <sluice/stages/accuracy.hpp>
#include <sluice/stages/kernels/kernels.hpp>
#include <sluice/stages/loss.hpp>
#include <sluice/stages/shard.hpp>
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
Evaluation::Evaluation(const LabelledSet& set, const Threads& threads, const std::string& name, Peers* peers)
    : graph_(name, threads), images_(set.images), labels_(set.labels), peers_(peers) {
  const std::size_t rows = evaluation_rows(set.shape.pixels());
  const ScoreBatch score{.weights = &weights_, .limits = {rows, set.shape.pixels(), set.shape.classes}};
  batches_ = (set.count + rows - 1) / rows;
  if (!peers_) {
    evaluate(graph_, batches(set, rows), score, metrics_);
    return;
  }
  auto scored = graph_.map("forward", score, batches(set, rows), unlimited);
  const auto keep = [this](const BatchLoss& loss, const BatchHits& hits) {
    judged_.push_back({loss.sum, hits.hits, hits.count});
  };
  graph_.sink("accumulate", keep, graph_.map("loss", CrossEntropy{}, scored, unlimited),
              graph_.map("accuracy", Accuracy{}, scored, unlimited));
}

std::size_t Evaluation::first_of(std::size_t rank) const {
  return first_unit(batches_, rank, peers_->ranks());
}

// A set that stays in its files:
//
//  rows.test-images -> pair -> batch
//  rows.test-labels -> pair
Stream<Batch> Evaluation::batches(const LabelledSet& set, std::size_t rows) {
  if (set.in_memory) {
    batcher_.data = set.in_memory, batcher_.batch_size = rows, batcher_.shuffled = false;
    if (peers_) {
      batcher_.epoch(0, first_of(peers_->rank()) * rows);
      batcher_.last = first_of(peers_->rank() + 1) * rows;
    }
    return graph_.source("batch", std::ref(batcher_), capacity(8));
  }
  LabelledFiles files = files_of(set, "test-");
  files.again = true;
  if (peers_) {
    std::size_t first = first_of(peers_->rank()), last = first_of(peers_->rank() + 1);
    // One that has none reads a batch, which does not count: it has the graph that the others have.
    if (first == last) first = 0, last = 1;
    files.counts = set.counts;
    files.lane = {.begin = first * rows, .end = std::min(last * rows, set.count)};
  }
  return read_batches(graph_, files, rows, {.pixels = set.shape.pixels()});
}

// Of all processes, in the order of the batches.
void Evaluation::add_all() {
  std::vector<Judged> all(batches_);
  std::vector<Outgoing> to(peers_->ranks(), {judged_.data(), judged_.size() * sizeof(Judged)});
  std::vector<Incoming> from(peers_->ranks());
  for (std::size_t r = 0; r < from.size(); ++r)
    from[r] = {all.data() + first_of(r), (first_of(r + 1) - first_of(r)) * sizeof(Judged)};
  std::copy(judged_.begin(), judged_.end(), all.begin() + static_cast<std::ptrdiff_t>(first_of(peers_->rank())));
  peers_->swap(to, from, "the test");
  metrics_.reset();
  for (const Judged& one : all)
    metrics_({.sum = one.loss, .count = static_cast<std::size_t>(one.count)},
             {.hits = one.hits, .count = static_cast<std::size_t>(one.count)});
}

Metrics Evaluation::run(const Weights& weights) {
  weights_ = weights;
  judged_.clear();
  run_reading(graph_, images_, labels_);
  if (peers_) {
    if (first_of(peers_->rank()) == first_of(peers_->rank() + 1)) judged_.clear();
    add_all();
  }
  return means(metrics_.sums);
}

Metrics evaluate_accuracy(const Weights& weights, const DataSet& data, const Threads& threads) {
  return Evaluation(LabelledSet(data), threads).run(weights);
}

}  // namespace sluice::apps
