// What the nodes of a running graph count.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>

#include <sluice/pipeline/detail/ticket.hpp>

namespace sluice::detail {

// One writer at a time, read by anybody. Relaxed: it counts, and publishes nothing. One that is compared with what
// another thread has done (Segment::emitted) is read behind a wish, a ticket or a position that was published after it
// was written.
class Counter {
 public:
  void set(Number n) { value_.store(n, std::memory_order_relaxed); }
  void add(Number n) { value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed); }
  void at_least(Number n) {
    if (n > value_.load(std::memory_order_relaxed)) value_.store(n, std::memory_order_relaxed);
  }
  Number get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<Number> value_{0};
};

// What a message takes may be less than a tick: it is counted in parts of one.
inline constexpr unsigned part_bits = 8;

// How long bodies took a message: counted in buckets of a quarter of an octave.
class Histogram {
 public:
  void add(Number elapsed, Number messages) { add_parts((elapsed << part_bits) / messages, messages); }
  void add_each(Number elapsed, Number times) { add_parts(elapsed << part_bits, times); }
  void add_to(std::array<Number, 256>& sums) const {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += buckets_[i].get();
  }
  // In ticks: the middle of the bucket in which the quantile lies; 0 where nothing was counted.
  static double quantile(const std::array<Number, 256>& sums, double q);

 private:
  void add_parts(Number parts, Number times) { buckets_[bucket(parts)].add(times); }
  static std::size_t bucket(Number n) {
    if (n < 4) return n;
    const auto octave = static_cast<unsigned>(std::bit_width(n)) - 1;
    return octave * 4 + (n >> (octave - 2) & 3);
  }
  std::array<Counter, 256> buckets_;
};

// What a message takes, in parts of a tick, smoothed: what the length of tickets is chosen by. Any thread may update
// it; a lost update is harmless. Relaxed, therefore: any value that it has had will do.
class Cost {
 public:
  void update(Number elapsed, Number count) {
    const Number sample = std::max<Number>(1, of(elapsed) / count), old = get();
    value_.store(old == 0 ? sample : (7 * old + sample) / 8, std::memory_order_relaxed);
  }
  Number get() const { return value_.load(std::memory_order_relaxed); }
  static Number of(Number ticks) { return ticks << part_bits; }

 private:
  std::atomic<Number> value_{0};
};

}  // namespace sluice::detail
