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
namespace {

using namespace stages;

// Rows of the files that travel together, on which no result depends: as many as are a mebibyte, so that large images
// take no more memory than small ones.
std::size_t rows_of_a_run(std::size_t image_bytes) {
  return std::clamp<std::size_t>((1 << 20) / std::max<std::size_t>(1, image_bytes), 1, 256);
}

}  // namespace

Training::Training(const LabelledSet& set, const TrainingSettings& settings, const Threads& threads,
                   const Weights& initial)
    : graph_("train", threads),
      class_weights_(settings.class_weights),
      images_(set.images),
      labels_(set.labels),
      known_(set.known),
      decoder_memory_(set.decoder_memory),
      count_(set.count),
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
//
//  ... shard => forward => gradient => plan -> due -> exchange -> slice => reduce => sgd => gather -> weights
//                       => loss -> sums -> due     -> accumulate
//                       => accuracy -> sums           gather -> accumulate
Feedback<Weights> Training::wire(const LabelledSet& set, const TrainingSettings& s, const Threads& threads,
                                 const Weights& initial) {
  Graph& g = graph_;
  const Cut cut = cut_of(s, set.shape, threads.count());
  const std::size_t unit = cut.gradient_by_slices ? kernels::lanes : kernels::row_block;
  const std::size_t slices = slices_of(set.shape, threads.count());
  const auto limits = [&](std::size_t rows) {
    return Limits{rows, set.shape.pixels(), set.shape.classes, runs_beside(s.optimizer)};
  };
  const Limits batch = limits(s.batch_size), part = limits(shard_rows(s.own_rows(), cut.shards, unit));
  const Update update{s.optimizer};

  auto weights = g.feedback("weights", initial);
  auto work = g.zip("work", batches(set, s), weights, capacity(1));  // batch k meets weights k
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

// A set that stays in its files:
//
//  rows.train-images -> pair -> shuffle
//  rows.train-labels -> pair
Stream<Batch> Training::batches(const LabelledSet& set, const TrainingSettings& s) {
  // One is drawn ahead: more would not be faster.
  constexpr Capacity ahead = capacity(1);
  if (set.in_memory) {
    auto& batcher = rows_.emplace<Batcher>();
    batcher.data = set.in_memory;
    batcher.batch_size = s.batch_size, batcher.seed = s.seed, batcher.last_epoch = s.last_epoch;
    batcher.rank = s.rank(), batcher.ranks = s.ranks();
    return graph_.source("batch", std::ref(batcher), ahead);
  }
  const std::size_t image_bytes = set.shape.image_bytes();
  auto& shuffle = rows_.emplace<ShuffleBuffer>();
  shuffle.rows = shuffle_rows(s, image_bytes, set.count);
  shuffle.batch_size = s.batch_size, shuffle.seed = s.seed;
  shuffle.most_rows = set.count;
  shuffle.pixels = set.shape.pixels(), shuffle.item_bytes = image_bytes;
  shuffle.images = set.images.name(), shuffle.labels = set.labels.name();
  shuffle.file_by_file = are_paired(set.images, set.labels);
  auto pairs = read_pairs(graph_,
                          {.images = set.images,
                           .labels = set.labels,
                           .prefix = "train-",
                           .decoder = set.decoder,
                           .decoder_memory = set.decoder_memory,
                           .index = set.index,
                           .again = true,
                           .known = set.known,
                           .decoded = set.decoded,
                           .image_bytes = set.stored_image_bytes,
                           .image_pixels = set.shape.pixels(),
                           .classes = set.shape.classes,
                           .label_column = set.label_column,
                           .transform = set.transform,
                           .table = set.table},
                          rows_of_a_run(image_bytes));
  return graph_.expand("shuffle", std::ref(shuffle), pairs, ahead);
}

// rows: of an epoch that goes on, which decodes no pieces of others; nothing: all are needed.
void Training::need(std::optional<ShuffleBuffer::Needed> rows) {
  std::uint64_t before = 0;  // rows of earlier files
  std::shared_ptr<const ShuffleBuffer::Needed> needed;
  if (rows) needed = std::make_shared<const ShuffleBuffer::Needed>(std::move(*rows));
  for (std::size_t i = 0; i < known_.size(); ++i) {
    known_[i]->need({});
    if (!needed) continue;
    const ItemLayout layout = header_of(ItemKind::images, images_, i, {.decoder_memory = decoder_memory_});
    const std::uint64_t header = layout.header_bytes, item = layout.item_bytes;
    known_[i]->need([=](std::uint64_t offset, std::size_t size) {
      if (offset < header) return true;
      const ItemRange items = items_in(header, item, offset, offset + size);
      return needed->any(before + items.first, before + items.last);
    });
    before += layout.shape.count;
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
  std::visit([&](auto& rows) { rows.epoch(epoch, first); }, rows_);
  if (const auto* shuffle = std::get_if<ShuffleBuffer>(&rows_))
    need(first > 0 ? std::optional(shuffle->needed(epoch, first, count_)) : std::nullopt);
  run_reading(graph_, images_, labels_);
  return means(sums());
}

}  // namespace sluice::apps
