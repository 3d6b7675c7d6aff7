// A clock that costs a few nanoseconds: the processor's counter where it runs at a constant rate, in ticks.
#pragma once

#include <chrono>
#include <cstdint>

namespace sluice::detail {

inline std::uint64_t ticks() {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  std::uint64_t count;
  asm volatile("mrs %0, cntvct_el0" : "=r"(count));
  return count;
#else
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

// A ticket is as long as bodies work for this many ticks, some ten microseconds: a hundred times what an edge costs.
inline constexpr std::uint64_t ticket_ticks = 30'000;
// A shard that takes this long, about a microsecond, is worth a thread of its own.
inline constexpr std::uint64_t shard_ticks = 2'500;

// Measured against the steady clock since the program's first call; gets more exact with time.
double seconds_per_tick();

}  // namespace sluice::detail
