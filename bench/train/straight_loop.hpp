// The training job as a straight loop over the same kernels: threads that spin at a barrier, no graph, no messages, no
// counters. What the graph costs is measured against it.
//
// (data set, options) -> after each shuffle() and epoch() the weights and metrics of apps::Training, bit for bit.
// Each thread scores its shard of the batch and takes its gradient, its loss and its hits; thread 0 adds the gradients
// up and makes the next weights while the others wait. With more threads than CPUs the waiting threads give way.
// Order and thread-safety: one caller; it is thread 0.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#include <sluice/stages/accuracy.hpp>
#include <sluice/stages/batch.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/forward.hpp>
#include <sluice/stages/gradient.hpp>
#include <sluice/stages/loss.hpp>
#include <sluice/stages/model.hpp>
#include <sluice/stages/reduce.hpp>
#include <sluice/stages/sgd.hpp>

namespace sluice::bench {

struct StraightOptions {
  std::size_t batch_size = 256;
  float rate = 0.1f;
  std::uint64_t seed = 0;
  std::size_t threads = 1;
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
    stages::BatchLoss loss;
    stages::BatchHits hits;
  };
  void worker(std::size_t thread);
  void shard(std::size_t thread);
  template <class Condition>
  void wait(Condition condition) const;

  const stages::DataSet& data_;
  const StraightOptions options_;
  const bool crowded_;
  stages::Weights weights_, next_;
  stages::Column<std::uint32_t> order_;
  stages::Work work_;
  std::vector<Worker> workers_;
  std::vector<stages::PartialGradient> partial_;
  stages::Reduce reduce_;
  stages::BatchGradient gradient_;
  double loss_ = 0;
  std::uint64_t hits_ = 0;
  std::size_t begin_ = 0;  // of the batch, in the order

  std::uint64_t steps_ = 0;  // of the epoch
  alignas(64) std::atomic<std::uint32_t> epoch_{0};
  alignas(64) std::atomic<std::uint64_t> go_{0};
  alignas(64) std::atomic<std::uint64_t> done_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

}  // namespace sluice::bench
