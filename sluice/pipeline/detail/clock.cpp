#include <sluice/pipeline/detail/clock.hpp>

namespace sluice::detail {
namespace {
struct Anchor {
  std::chrono::steady_clock::time_point time = std::chrono::steady_clock::now();
  std::uint64_t count = ticks();
};
const Anchor start;
}  // namespace

double seconds_per_tick() {
  constexpr std::chrono::milliseconds enough(1);  // the error of one reading is well below a thousandth of this
  for (;;) {
    const Anchor now;
    if (now.time - start.time >= enough && now.count > start.count)
      return std::chrono::duration<double>(now.time - start.time).count() /
             static_cast<double>(now.count - start.count);
  }
}

}  // namespace sluice::detail
