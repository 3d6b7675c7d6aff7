#include "bench/train/straight_loop.hpp"

#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>

#include <algorithm>
#include <cstddef>

#include <sluice/stages/shard.hpp>
#include <sluice/stages/shuffle.hpp>

namespace sluice::bench {

using namespace stages;

namespace {

// The group's slots are numbered modulo a power of two; these are fewer than that.
template <class T>
Group<T> group(const std::vector<T>& all) {
  const auto* slots = static_cast<const std::byte*>(static_cast<const void*>(all.data()));
  return {slots, sizeof(T), ~std::uint64_t{0}, 0, all.size()};
}

}  // namespace

StraightLoop::StraightLoop(const DataSet& data, const StraightOptions& options, Weights initial)
    : data_(data),
      options_(options),
      crowded_(options.threads > std::thread::hardware_concurrency()),
      weights_(std::move(initial)),
      workers_(options.threads),
      partial_(options.cut.shards),
      metrics_(options.cut.shards),
      scored_(options.cut.shards) {
  if (options_.by_tbb)
    arena_.emplace(static_cast<int>(options_.threads));
  else
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

// Every thread's part of a round; thread 0 is the caller.
template <class Round>
void StraightLoop::together(const Round& round) {
  if (arena_) {
    tbb::parallel_for(
        std::size_t{0}, options_.threads, [&](std::size_t thread) { round(thread); }, tbb::static_partitioner{});
    return;
  }
  const std::uint64_t before = done_.load(std::memory_order_relaxed);
  go_.fetch_add(1, std::memory_order_release);
  round(0);
  wait([&] { return done_.load(std::memory_order_acquire) == before + options_.threads - 1; });
}

void StraightLoop::worker(std::size_t thread) {
  std::uint64_t rounds = 0;
  for (std::uint32_t epochs = 0;; ++epochs) {
    epoch_.wait(epochs);  // asleep, not spinning, between epochs
    if (stop_) return;
    for (const std::uint64_t end = rounds + 2 * steps_; rounds < end; ++rounds) {
      wait([&] { return go_.load(std::memory_order_acquire) != rounds; });
      rounds % 2 == 0 ? score(thread) : update(thread);
      done_.fetch_add(1, std::memory_order_release);
    }
  }
}

void StraightLoop::score(std::size_t thread) {
  const std::size_t parts = options_.cut.shards;
  const bool by_slices = options_.cut.gradient_by_slices;
  // As Sharder has it.
  const auto first_of = [&](std::size_t t) { return (t * parts + options_.threads - 1) / options_.threads; };
  const std::size_t begin = first_of(thread), end = first_of(thread + 1);
  if (begin == end) return;
  const Sharder sharder{.workers = options_.threads, .unit = by_slices ? kernels::lanes : kernels::row_block};
  const Shard first = sharder(work_, begin, parts), last = sharder(work_, end - 1, parts);
  Batch& batch = std::get<Batch>(work_);
  for (std::size_t i = first.first_row; i < last.first_row + last.rows; ++i) {
    const std::uint32_t row = order_[begin_ + i];
    batch.rows[i] = data_.images[row];
    batch.labels[i] = data_.labels[row];
  }
  for (std::size_t i = first.first_row; i < std::min(batch.upcoming.size(), last.first_row + last.rows); ++i)
    batch.upcoming[i] = data_.images[order_[begin_ + batch.count() + i]];
  for (std::size_t part = begin; part < end; ++part) {
    Scored& scored = by_slices ? scored_[part] : workers_[thread].scored;
    SoftmaxForward{}(sharder(work_, part, parts), scored);
    if (by_slices) continue;
    SoftmaxGradient{}(scored, partial_[part]);
    metrics_[part] = {CrossEntropy{}(scored), Accuracy{}(scored)};
  }
}

void StraightLoop::update(std::size_t thread) {
  const std::size_t slices = options_.slices;
  const Update update{options_.optimizer};
  auto& [scored, sum, gradient] = workers_[thread];
  for (std::size_t s = slices * thread / options_.threads; s < slices * (thread + 1) / options_.threads; ++s) {
    if (options_.cut.gradient_by_slices) {
      SliceGradient{}(PixelSlicer{}(whole_, s, slices), gradient);
      update(gradient);
    } else {
      Reduce{}(Slicer{}(step_, s, slices), sum);
      update(sum);
    }
  }
}

void StraightLoop::shuffle(std::uint32_t epoch) {
  order_ = stages::shuffle(data_.size(), options_.seed, epoch);
}

void StraightLoop::epoch() {
  if (arena_)
    arena_->execute([this] { steps(); });
  else
    steps();
}

void StraightLoop::steps() {
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
    together([this](std::size_t thread) { score(thread); });
    if (options_.cut.gradient_by_slices) {
      gatherer_(group(scored_), whole_);
      metrics_[0] = {CrossEntropy{}(whole_.scored), Accuracy{}(whole_.scored)};
    } else {
      planner_(group(partial_), step_);
    }
    together([this](std::size_t thread) { update(thread); });
    weights_ = options_.cut.gradient_by_slices ? whole_.next : step_.next;
    for (const Metrics& m : metrics_) loss_ += m.loss.sum, hits_ += m.hits.hits;
  }
}

}  // namespace sluice::bench
