// What the nodes of a running graph tell one another, and the counters that they keep.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>

namespace sluice::detail {

using Number = std::uint64_t;
inline constexpr Number unknown = std::numeric_limits<Number>::max();
inline constexpr Number drained = Number{1} << 42;  // a position beyond any message's

// A range of messages of one stage's stream. The values lie in the stage's ring.
struct Ticket {
  Number first = 0;
  Number stamp = 0;  // ticks at which it was emitted
  std::uint32_t count = 0;
  std::uint16_t stream = 0;  // the stage that emitted it
  bool last = false;         // the stream ends with first + count
};

// One writer at a time, read by anybody.
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

// Ticks a message, smoothed: what the length of tickets is chosen by. Any thread may update it; a lost update is
// harmless.
class Cost {
 public:
  void update(Number elapsed, Number count) {
    const Number sample = std::max<Number>(1, elapsed / count), old = get();
    value_.store(old == 0 ? sample : (7 * old + sample) / 8, std::memory_order_relaxed);
  }
  Number get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<Number> value_{0};
};

}  // namespace sluice::detail
