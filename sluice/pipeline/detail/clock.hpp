// A clock that costs a few nanoseconds: the processor's counter where it runs at a constant rate, in ticks. How long a
// tick is differs by a hundred (x86: 2 to 4 GHz; Arm: 24 MHz to 1 GHz), so whatever the engine decides by is a duration
// here.
#pragma once

#include <chrono>
#include <cstdint>

#ifndef SLUICE_CLOCK_DIVISOR
#define SLUICE_CLOCK_DIVISOR 1  // of tests: a clock so many times slower
#endif

namespace sluice::detail {

inline std::uint64_t ticks() {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc() / SLUICE_CLOCK_DIVISOR;
#elif defined(__aarch64__)
  std::uint64_t count;
  asm volatile("mrs %0, cntvct_el0" : "=r"(count));
  return count / SLUICE_CLOCK_DIVISOR;
#else
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) / SLUICE_CLOCK_DIVISOR;
#endif
}

// Measured against the steady clock since the program's first call; gets more exact with time.
double seconds_per_tick();

// What the engine decides by, in ticks.
struct Durations {
  explicit Durations(double seconds_per_tick);

  // A ticket is as long as bodies work for this long, ten microseconds: a hundred times what an edge costs.
  std::uint64_t ticket;
  // A shard that takes this long, most of a microsecond, is worth a thread of its own.
  std::uint64_t shard;
  // A body that takes longer, a tenth of a millisecond, may have waited.
  std::uint64_t slow;
  // 2^this ticks are a third to two thirds of a microsecond, or two ticks, where one is longer than that.
  unsigned birth_shift;
};

// Of this machine, measured once. The first call waits until the program is a millisecond old.
const Durations& durations();

}  // namespace sluice::detail
