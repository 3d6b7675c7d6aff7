// What the nodes of a running graph tell one another.
#pragma once

#include <cstdint>
#include <limits>

#include <sluice/pipeline/detail/clock.hpp>

namespace sluice::detail {

using Number = std::uint64_t;
inline constexpr Number unknown = std::numeric_limits<Number>::max();

// A time in 31 bits, which is enough to tell how long ago it was: within a microsecond, or two ticks, up to ten
// minutes.
class Birth {
 public:
  Birth() = default;
  static Birth at(Number ticks) { return Birth(static_cast<std::uint32_t>(ticks >> durations().birth_shift) & mask); }
  static Birth of(std::uint32_t bits) { return Birth(bits & mask); }
  Number age(Number now) const { return Number{(at(now).bits_ - bits_) & mask} << durations().birth_shift; }  // ticks
  std::uint32_t bits() const { return bits_; }

 private:
  explicit Birth(std::uint32_t bits) : bits_(bits) {}
  static constexpr std::uint32_t mask = (std::uint32_t{1} << 31) - 1;
  std::uint32_t bits_ = 0;
};

// A range of messages of one stage's stream. The values lie in the stage's ring. (24 bytes: with eight more, oneTBB's
// task that carries one would take a cache line more.)
struct Ticket {
  Number first = 0;
  Number stamp = 0;  // ticks at which it was emitted
  std::uint32_t count = 0;

  // When the source made what its first message is made of; and whether the stream ends with first + count.
  Birth born() const { return Birth::of(tail_ >> 1); }
  bool last() const { return (tail_ & 1) != 0; }
  void set(Birth born, bool last) { tail_ = born.bits() << 1 | (last ? 1u : 0u); }
  void set_last(bool last) { tail_ = (tail_ & ~1u) | (last ? 1u : 0u); }

  std::uint32_t tail_ = 0;
};
static_assert(sizeof(Ticket) == 24);

}  // namespace sluice::detail
