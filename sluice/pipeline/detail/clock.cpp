#include <sluice/pipeline/detail/clock.hpp>

#include <algorithm>
#include <bit>
#include <limits>

namespace sluice::detail {
namespace {

// Both clocks at one moment: of several readings the one that was interrupted least.
struct Anchor {
  Anchor() {
    std::uint64_t least = std::numeric_limits<std::uint64_t>::max();
    for (int i = 0; i < 5; ++i) {
      const std::uint64_t before = ticks();
      const auto now = std::chrono::steady_clock::now();
      const std::uint64_t took = ticks() - before;
      if (took < least) least = took, time = now, count = before + took / 2;
    }
  }
  std::chrono::steady_clock::time_point time{};
  std::uint64_t count = 0;
};
const Anchor start;

std::uint64_t ticks_of(std::chrono::nanoseconds duration, double seconds_per_tick) {
  return std::max<std::uint64_t>(
      1, static_cast<std::uint64_t>(std::chrono::duration<double>(duration).count() / seconds_per_tick));
}

}  // namespace

double seconds_per_tick() {
  constexpr std::chrono::milliseconds enough(1);  // the error of one reading is a few thousandths of this at most
  for (;;) {
    const Anchor now;
    if (now.time - start.time >= enough && now.count > start.count)
      return std::chrono::duration<double>(now.time - start.time).count() /
             static_cast<double>(now.count - start.count);
  }
}

Durations::Durations(double seconds_per_tick)
    : ticket(ticks_of(std::chrono::microseconds(10), seconds_per_tick)),
      shard(ticks_of(std::chrono::nanoseconds(800), seconds_per_tick)),
      slow(ticks_of(std::chrono::microseconds(100), seconds_per_tick)),
      birth_shift(static_cast<unsigned>(std::bit_width(ticks_of(std::chrono::nanoseconds(333), seconds_per_tick)))) {}

const Durations& durations() {
  static const Durations of_this_machine(seconds_per_tick());
  return of_this_machine;
}

}  // namespace sluice::detail
