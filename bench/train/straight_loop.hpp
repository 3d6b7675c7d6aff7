// The training job as a straight loop over the same kernels: threads that spin at a barrier, no graph, no messages, no
// counters. What the graph costs is measured against it.
//
// (data set, options) -> after each shuffle() and epoch() the weights and metrics of apps::Training, bit for bit.
// Two rounds a step: each thread scores its shards of the batch and takes their gradient, their loss and their hits;
// then each adds its slice of the gradients up and makes its slice of the next weights. With more threads than CPUs the
// waiting threads give way. Or, the same rounds by tbb::parallel_for with a static partitioner.
// Order and thread-safety: one caller; it is thread 0.
#pragma once

#include <oneapi/tbb/task_arena.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <thread>
#include <vector>

#include <sluice/stages/accuracy.hpp>
#include <sluice/stages/batch.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/forward.hpp>
#include <sluice/stages/gradient.hpp>
#include <sluice/stages/loss.hpp>
#include <sluice/stages/model.hpp>
#include <sluice/stages/optimizer.hpp>
#include <sluice/stages/plan.hpp>
#include <sluice/stages/reduce.hpp>
#include <sluice/stages/shard.hpp>
#include <sluice/stages/slice.hpp>
#include <sluice/stages/slice_gradient.hpp>
#include "apps/job/training_settings.hpp"

namespace sluice::bench {

struct StraightOptions {
  std::size_t batch_size = 256;
  stages::Optimizer optimizer{};
  std::uint64_t seed = 0;
  std::size_t threads = 1;
  apps::Cut cut{};         // of the batch
  std::size_t slices = 1;  // of the gradient and of the weights
  bool by_tbb = false;     // no threads of its own
};

class StraightLoop {
 public:
  StraightLoop(const stages::DataSet& data, const StraightOptions& options, stages::Weights initial);
  ~StraightLoop();
  StraightLoop(const StraightLoop&) = delete;
  StraightLoop& operator=(const StraightLoop&) = delete;

  void shuffle(std::uint32_t epoch);  // finds the order of its rows
  void epoch();
  const stages::Weights& weights() const { return weights_; }
  double loss() const { return loss_ / static_cast<double>(data_.size()); }  // mean over the last epoch
  std::uint64_t hits() const { return hits_; }

 private:
  struct alignas(64) Worker {
    stages::Scored scored;
    stages::SliceSum sum;
    stages::SliceGradientSum gradient;
  };
  // A shard's, which is added up in order.
  struct alignas(64) Metrics {
    stages::BatchLoss loss;
    stages::BatchHits hits;
  };
  void steps();
  void worker(std::size_t thread);
  void score(std::size_t thread);
  void update(std::size_t thread);
  template <class Round>
  void together(const Round& round);
  template <class Condition>
  void wait(Condition condition) const;

  const stages::DataSet& data_;
  const StraightOptions options_;
  const bool crowded_;
  stages::Weights weights_;
  stages::Column<std::uint32_t> order_;
  stages::Work work_;
  std::vector<Worker> workers_;
  std::vector<stages::Shared<stages::PartialGradient>> partial_;
  std::vector<Metrics> metrics_;
  stages::Plan planner_;
  // With the gradient by slices:
  std::vector<stages::Scored> scored_;
  stages::GatherScored gatherer_;
  stages::ScoredBatch whole_;
  stages::GradientPlan step_;
  double loss_ = 0;
  std::uint64_t hits_ = 0;
  std::size_t begin_ = 0;  // of the batch, in the order

  std::uint64_t steps_ = 0;  // of the epoch
  alignas(64) std::atomic<std::uint32_t> epoch_{0};
  alignas(64) std::atomic<std::uint64_t> go_{0};
  alignas(64) std::atomic<std::uint64_t> done_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
  std::optional<tbb::task_arena> arena_;
};

}  // namespace sluice::bench
