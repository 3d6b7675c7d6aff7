#include "apps/training.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include <sluice/stages/accumulate.hpp>
#include <sluice/stages/accuracy.hpp>
#include <sluice/stages/forward.hpp>
#include <sluice/stages/gradient.hpp>
#include <sluice/stages/kernels/kernels.hpp>
#include <sluice/stages/limits.hpp>
#include <sluice/stages/loss.hpp>
#include <sluice/stages/reduce.hpp>
#include <sluice/stages/sgd.hpp>
#include <sluice/stages/shard.hpp>
#include "apps/input.hpp"

namespace sluice::apps {
namespace {

using namespace stages;

// Rows of the files that travel together, on which no result depends: as many as are a mebibyte, so that large images
// take no more memory than small ones.
std::size_t rows_of_a_run(std::size_t image_bytes) {
  return std::clamp<std::size_t>((1 << 20) / std::max<std::size_t>(1, image_bytes), 1, 256);
}

void run_graph(Graph& graph, const std::string& images, const std::string& labels) {
  try {
    graph.run();
  } catch (const StageError& error) {
    rethrow_unequal(error, images, labels);
    throw;
  }
}

Limits limits(const DataShape& data, std::size_t rows) {
  return {rows, data.pixels(), data.classes};
}

}  // namespace

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

Metrics means(const Accumulator& sums) {
  const double rows = std::max(1.0, sums["count"]);
  return {sums["loss"] / rows, sums["hits"] / rows, static_cast<std::size_t>(sums["count"])};
}

Training::Training(const JobData& data, const DataFiles& files, const Options& options, const Threads& threads,
                   const Weights& initial)
    : graph_("train", threads), files_(files), weights_(wire(data, options, initial)) {}

Training::Training(const DataSet& data, const Options& options, const Threads& threads, const Weights& initial)
    : Training({.shape = data, .train = data.size(), .train_set = &data}, {}, options, threads, initial) {}

//  batch -> work -> shard => forward => gradient => reduce -> sgd -> weights
//                                    => loss -> accumulate
//                                    => accuracy -> accumulate
//  weights -> work
//
// For a job that keeps its state, accumulate reads what sgd makes, too.
Feedback<Weights> Training::wire(const JobData& data, const Options& o, const Weights& initial) {
  Graph& g = graph_;
  const std::size_t parts = o.effective_shards();
  const Limits batch = limits(data.shape, o.batch_size), part = limits(data.shape, shard_rows(o.batch_size, parts));

  auto weights = g.feedback("weights", initial);
  auto work = g.zip("work", batches(data, o), weights, capacity(1));  // batch k meets weights k
  // Two batches may be in the shards' segment, so that the next step need not wait for loss and accuracy of this one.
  auto cut = g.split("shard", Sharder{}, work, shards(parts), capacity(2));
  auto scored = g.map("forward", SoftmaxForward{.limits = part}, cut, unlimited);
  auto partial = g.map("gradient", SoftmaxGradient{.limits = part}, scored, unlimited);
  auto loss = g.fold("loss", CrossEntropy{}, scored);
  auto hits = g.fold("accuracy", Accuracy{}, scored);
  auto gradient = g.fold("reduce", Reduce{.limits = batch}, partial, capacity(1));
  auto after = g.map("sgd", Sgd{.rate = static_cast<float>(o.lr), .limits = batch}, gradient);
  if (o.keeps_state()) {
    const auto keep = [this](const BatchLoss& its_loss, const BatchHits& its_hits, const Weights& its_weights) {
      metrics_(its_loss, its_hits);
      kept_ = its_weights;
      if (between_) between_();
    };
    g.sink("accumulate", keep, loss, hits, after);
  } else {
    g.sink("accumulate", std::ref(metrics_), loss, hits);
  }
  weights.close(after);
  return weights;
}

// Of a set that stays in its files:
//
//  rows.train-images -> pair -> shuffle
//  rows.train-labels -> pair
Stream<Batch> Training::batches(const JobData& data, const Options& o) {
  // One is drawn ahead: more would not be faster.
  constexpr Capacity ahead = capacity(1);
  if (data.train_set) {
    auto& batcher = rows_.emplace<Batcher>();
    batcher.data = data.train_set;
    batcher.batch_size = o.batch_size, batcher.seed = o.seed, batcher.last_epoch = o.epochs;
    return graph_.source("batch", std::ref(batcher), ahead);
  }
  const std::size_t image_bytes = data.shape.image_bytes();
  auto& shuffle = rows_.emplace<ShuffleBuffer>();
  shuffle.rows = o.effective_shuffle_buffer(image_bytes, data.train);
  shuffle.batch_size = o.batch_size, shuffle.seed = o.seed;
  shuffle.most_rows = data.train;
  shuffle.pixels = data.shape.pixels(), shuffle.item_bytes = image_bytes;
  shuffle.images = files_.train_images, shuffle.labels = files_.train_labels;
  auto pairs = read_pairs(graph_,
                          {.images = files_.train_images,
                           .labels = files_.train_labels,
                           .prefix = "train-",
                           .image_bytes = image_bytes,
                           .classes = data.shape.classes},
                          rows_of_a_run(image_bytes));
  return graph_.expand("shuffle", std::ref(shuffle), pairs, ahead);
}

Metrics Training::run(std::uint64_t epoch) {
  return run(epoch, stages::Accumulate{}.sums);
}

Metrics Training::run(std::uint64_t epoch, const Accumulator& so_far, std::function<void()> between) {
  metrics_.carried = metrics_.sums = so_far;
  between_ = std::move(between);
  if (kept_) weights_.set_value(kept_);
  std::visit([&](auto& rows) { rows.epoch(epoch, static_cast<std::size_t>(so_far["count"])); }, rows_);
  run_graph(graph_, files_.train_images, files_.train_labels);
  return means(sums());
}

//  batch -> forward -> loss -> accumulate
//                   -> accuracy -> accumulate
//
// Of a set that stays in its files:
//
//  rows.test-images -> pair -> batch
//  rows.test-labels -> pair
Evaluation::Evaluation(const JobData& data, const DataFiles& files, const Threads& threads)
    : graph_("evaluate", threads), files_(files) {
  const std::size_t rows = evaluation_rows(data.shape.pixels());
  const auto batches = [&] {
    if (data.test_set) {
      batcher_.data = data.test_set, batcher_.batch_size = rows, batcher_.shuffled = false;
      return graph_.source("batch", std::ref(batcher_), capacity(8));
    }
    return read_batches(graph_,
                        {.images = files_.test_images,
                         .labels = files_.test_labels,
                         .prefix = "test-",
                         .image_bytes = data.shape.image_bytes(),
                         .classes = data.shape.classes},
                        rows, data.shape.pixels());
  };
  evaluate(graph_, batches(), {.weights = &weights_, .limits = limits(data.shape, rows)}, metrics_);
}

Evaluation::Evaluation(const DataSet& data, const Threads& threads)
    : Evaluation({.shape = data, .test = data.size(), .test_set = &data}, {}, threads) {}

Metrics Evaluation::run(const Weights& weights) {
  weights_ = weights;
  run_graph(graph_, files_.test_images, files_.test_labels);
  return means(metrics_.sums);
}

Metrics evaluate_accuracy(const Weights& weights, const DataSet& data, const Threads& threads) {
  return Evaluation(data, threads).run(weights);
}

}  // namespace sluice::apps
