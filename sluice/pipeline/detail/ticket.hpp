// What the nodes of a running graph tell one another.
#pragma once

#include <cstdint>
#include <limits>

namespace sluice::detail {

using Number = std::uint64_t;
inline constexpr Number unknown = std::numeric_limits<Number>::max();

// A range of messages of one stage's stream. The values lie in the stage's ring.
struct Ticket {
  Number first = 0;
  Number stamp = 0;  // ticks at which it was emitted
  std::uint32_t count = 0;
  std::uint16_t stream = 0;  // the stage that emitted it
  bool last = false;         // the stream ends with first + count
};

}  // namespace sluice::detail
