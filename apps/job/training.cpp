#include "apps/job/training.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <sluice/stages/accuracy.hpp>
#include <sluice/stages/forward.hpp>
#include <sluice/stages/gradient.hpp>
#include <sluice/stages/kernels/table.hpp>
#include <sluice/stages/limits.hpp>
#include <sluice/stages/loss.hpp>
#include <sluice/stages/optimizer.hpp>
#include <sluice/stages/plan.hpp>
#include <sluice/stages/reduce.hpp>
#include <sluice/stages/shard.hpp>
#include <sluice/stages/slice.hpp>
#include <sluice/stages/slice_gradient.hpp>
#include "apps/job/input.hpp"

namespace sluice::apps {

using namespace stages;

Training::Training(const LabelledSet& set, const TrainingSettings& settings, const Threads& threads,
                   const Weights& initial)
    : graph_("train", threads),
      class_weights_(settings.class_weights),
      images_(set.images),
      labels_(set.labels),
      weights_(wire(set, settings, threads, initial)) {}

//  batch -> work -> shard => forward => gradient => plan -> slice => reduce => sgd => gather -> weights
//                                    => loss -> accumulate
//                                    => accuracy -> accumulate
//  weights -> work
//
// Of a batch that has fewer row blocks than there are threads:
//
//  batch -> work -> shard => forward => plan -> slice => gradient => sgd => gather -> weights
//                                            -> loss -> accumulate
//                                            -> accuracy -> accumulate
//  weights -> work
//
// For a job that keeps its state, accumulate reads what gather makes, too.
//
// Of one of several processes, which has a part of every batch's row blocks, and so of the nodes of the tree:
// clang-format off
//
//  batch -> work -> shard => forward => gradient => plan -> due -> exchange -> slice => reduce => sgd => gather -> weights
//                                    => loss -> sums -> due
//                                    => accuracy -> sums
//  weights -> work
//                                                                           -> accumulate
//                                                                                                               -> accumulate
// clang-format on
Feedback<Weights> Training::wire(const LabelledSet& set, const TrainingSettings& s, const Threads& threads,
                                 const Weights& initial) {
  Graph& g = graph_;
  const Cut cut = cut_of(s, set.shape, threads.count());
  const std::size_t unit = cut.gradient_by_slices ? kernels::lanes : kernels::row_block;
  const std::size_t slices = slices_of(set.shape, threads.count());
  const auto limits = [&](std::size_t rows) {
    return Limits{rows, set.shape.pixels(), set.shape.classes, runs_beside(s.optimizer)};
  };
  const Limits batch = limits(block_rows(s)), part = limits(largest_shard(s, cut));
  const Update update{s.optimizer};

  auto weights = g.feedback("weights", initial);
  auto work = g.zip("work", rows_.wire(g, set, s), weights, capacity(1));  // batch k meets weights k
  // Two batches may be in the shards' segment, so that the next step need not wait for loss and accuracy of this one.
  auto shard =
      g.split("shard", Sharder{.workers = threads.count(), .unit = unit}, work, shards(cut.shards), capacity(2));
  const auto* const class_weights = class_weights_.empty() ? nullptr : &class_weights_;
  auto scored = g.map("forward", SoftmaxForward{.limits = part, .class_weights = class_weights}, shard, unlimited);
  if (s.peers) {
    exchange(scored, s, batch, part, weights, slices);
  } else if (cut.gradient_by_slices) {
    const std::size_t kept = set.in_memory ? 0 : set.shape.image_bytes();
    auto whole = g.fold("plan", GatherScored{.limits = batch, .row_bytes = kept}, scored, capacity(2));
    auto slice = g.split("slice", PixelSlicer{}, whole, shards(slices), capacity(1));
    auto sum = g.map("gradient", SliceGradient{.limits = batch, .slices = slices}, slice, unlimited);
    auto after = g.fold("gather", Gather{.limits = batch}, g.map("sgd", update, sum, unlimited), capacity(1));
    auto loss = g.map("loss", BatchCrossEntropy{}, whole);
    auto hits = g.map("accuracy", BatchAccuracy{}, whole);
    accumulate(loss, hits, after, s.keeps_state);
    weights.close(after);
  } else {
    auto partial = g.map("gradient", SoftmaxGradient{.limits = part}, scored, unlimited);
    auto loss = g.fold("loss", CrossEntropy{}, scored);
    auto hits = g.fold("accuracy", Accuracy{}, scored);
    auto plan = g.fold("plan", Plan{.limits = batch}, partial, capacity(1));
    auto slice = g.split("slice", Slicer{}, plan, shards(slices), capacity(1));
    auto sum = g.map("reduce", Reduce{.limits = batch, .slices = slices}, slice, unlimited);
    auto after = g.fold("gather", Gather{.limits = batch}, g.map("sgd", update, sum, unlimited), capacity(1));
    accumulate(loss, hits, after, s.keeps_state);
    weights.close(after);
  }
  return weights;
}

void Training::exchange(const Stream<Scored>& scored, const TrainingSettings& s, const Limits& batch,
                        const Limits& part, Feedback<Weights>& weights, std::size_t slices) {
  Graph& g = graph_;
  exchange_.peers = s.peers, exchange_.way = s.exchange;
  auto plan = g.fold("plan", Plan{.limits = batch, .part = true},
                     g.map("gradient", SoftmaxGradient{.limits = part}, scored, unlimited), capacity(1));
  auto loss = g.fold("loss", CrossEntropyOfBlocks{.limits = batch}, scored, capacity(1));
  auto hits = g.fold("accuracy", Accuracy{}, scored, capacity(1));
  auto due = g.zip("due", plan, g.zip("sums", loss, hits, capacity(1)), capacity(1));
  auto all = g.map("exchange", Exchange{.state = &exchange_, .limits = batch}, due);
  auto slice = g.split("slice", Slicer{}, all, shards(slices), capacity(1));
  auto sum = g.map("reduce", Reduce{.limits = batch, .slices = slices}, slice, unlimited);
  auto after =
      g.fold("gather", Gather{.limits = batch}, g.map("sgd", Update{s.optimizer}, sum, unlimited), capacity(1));
  const auto keep = [this](const Exchanged& step, const Weights& its_weights) {
    if (step.over) return Demand::enough;
    metrics_(step.loss, step.hits);
    kept_ = its_weights;
    if (between_) between_();
    wished_ = step.wish;
    return wished_ ? Demand::enough : Demand::more;
  };
  g.sink("accumulate", keep, all, after);
  weights.close(after);
}

void Training::accumulate(const Stream<BatchLoss>& loss, const Stream<BatchHits>& hits, const Stream<Weights>& after,
                          bool keeps_state) {
  if (keeps_state) {
    const auto keep = [this](const BatchLoss& its_loss, const BatchHits& its_hits, const Weights& its_weights) {
      metrics_(its_loss, its_hits);
      kept_ = its_weights;
      if (between_) between_();
    };
    graph_.sink("accumulate", keep, loss, hits, after);
  } else {
    graph_.sink("accumulate", std::ref(metrics_), loss, hits);
  }
}

Metrics Training::run(std::uint64_t epoch) {
  return run(epoch, Accumulate{}.sums);
}

Metrics Training::run(std::uint64_t epoch, const Accumulator& so_far, std::function<void()> between) {
  metrics_.carried = metrics_.sums = so_far;
  between_ = std::move(between);
  exchange_.over = false, wished_ = 0;
  if (kept_) weights_.set_value(kept_);
  const auto first = static_cast<std::size_t>(so_far["count"]);
  rows_.epoch(epoch, first);
  run_reading(graph_, images_, labels_);
  return means(sums());
}

}  // namespace sluice::apps
