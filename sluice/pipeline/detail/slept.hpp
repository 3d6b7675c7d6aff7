// How long this thread has waited for the outside: for a pipe, a lock, a clock. A thread that was merely put off for
// another one has not.
#pragma once

#include <cstdint>

namespace sluice::detail {

struct SleptSoFar {
  // Asks the system, which takes a third of a microsecond.
  static void note();
  // Of the time from `began` to now: in ticks. Exact where note() was called when it began; otherwise what this thread
  // has worked since it last asked is taken for part of it, and the answer may be too small. 0 where most of the time
  // may have gone by otherwise.
  static std::uint64_t since(std::uint64_t began, std::uint64_t now);
};

}  // namespace sluice::detail
