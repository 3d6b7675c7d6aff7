#include "bench/train/straight_loop.hpp"

#include <algorithm>
#include <cstddef>

#include <sluice/stages/shard.hpp>
#include <sluice/stages/shuffle.hpp>

namespace sluice::bench {

using namespace stages;

StraightLoop::StraightLoop(const DataSet& data, const StraightOptions& options, Weights initial)
    : data_(data),
      options_(options),
      crowded_(options.threads > std::thread::hardware_concurrency()),
      weights_(std::move(initial)),
      workers_(options.threads),
      partial_(options.threads) {
  for (std::size_t t = 1; t < options_.threads; ++t) threads_.emplace_back([this, t] { worker(t); });
}

StraightLoop::~StraightLoop() {
  stop_ = true;
  epoch_.fetch_add(1);
  epoch_.notify_all();
  for (auto& thread : threads_) thread.join();
}

template <class Condition>
void StraightLoop::wait(Condition condition) const {
  for (int spins = 0; !condition(); ++spins) {
    if (crowded_ && spins > 100) std::this_thread::yield();
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
}

void StraightLoop::worker(std::size_t thread) {
  std::uint64_t steps = 0;
  for (std::uint32_t epochs = 0;; ++epochs) {
    epoch_.wait(epochs);  // asleep, not spinning, between epochs
    if (stop_) return;
    for (const std::uint64_t end = steps + steps_; steps < end; ++steps) {
      wait([&] { return go_.load(std::memory_order_acquire) != steps; });
      shard(thread);
      done_.fetch_add(1, std::memory_order_release);
    }
  }
}

void StraightLoop::shard(std::size_t thread) {
  const Shard mine = Sharder{}(work_, thread, options_.threads);
  Batch& batch = std::get<Batch>(work_);
  const std::size_t ahead = std::min(batch.upcoming.size(), mine.first_row + mine.rows);
  for (std::size_t i = mine.first_row; i < mine.first_row + mine.rows; ++i) {
    const std::uint32_t row = order_[begin_ + i];
    batch.rows[i] = data_.images[row];
    batch.labels[i] = data_.labels[row];
  }
  for (std::size_t i = mine.first_row; i < ahead; ++i)
    batch.upcoming[i] = data_.images[order_[begin_ + batch.count() + i]];
  Worker& w = workers_[thread];
  SoftmaxForward{}(mine, w.scored);
  SoftmaxGradient{}(w.scored, partial_[thread]);
  w.loss = CrossEntropy{}(w.scored);
  w.hits = Accuracy{}(w.scored);
}

void StraightLoop::shuffle(std::uint32_t epoch) {
  order_ = stages::shuffle(data_.size(), options_.seed, epoch);
}

void StraightLoop::epoch() {
  loss_ = 0, hits_ = 0;
  Batch& batch = std::get<Batch>(work_);
  batch.pixels = data_.pixels();
  steps_ = (data_.size() + options_.batch_size - 1) / options_.batch_size;
  epoch_.fetch_add(1);
  epoch_.notify_all();
  for (begin_ = 0; begin_ < data_.size(); begin_ += options_.batch_size) {
    const std::size_t count = std::min(options_.batch_size, data_.size() - begin_);
    batch.rows.resize(count);
    batch.labels.resize(count);
    batch.upcoming.resize(std::min(options_.batch_size, data_.size() - begin_ - count));
    std::get<Weights>(work_) = weights_;
    const std::uint64_t before = done_.load(std::memory_order_relaxed);
    go_.fetch_add(1, std::memory_order_release);
    shard(0);
    wait([&] { return done_.load(std::memory_order_acquire) == before + options_.threads - 1; });
    const auto* slots = static_cast<const std::byte*>(static_cast<const void*>(partial_.data()));
    // The group's slots are numbered modulo a power of two; these are fewer than that.
    reduce_(Group<PartialGradient>(slots, sizeof(PartialGradient), ~std::uint64_t{0}, 0, options_.threads), gradient_);
    Sgd{.rate = options_.rate}(gradient_, next_);
    gradient_.weights = {};
    std::get<Weights>(work_) = {};
    std::swap(weights_, next_);
    for (const Worker& w : workers_) loss_ += w.loss.sum, hits_ += w.hits.hits;
  }
}

}  // namespace sluice::bench
