#include <sluice/pipeline/detail/clock.hpp>

#include <gtest/gtest.h>

#include <chrono>

namespace sluice::detail {
namespace {

TEST(Clock, TicksNeverGoBackOnOneThread) {
  std::uint64_t before = ticks();
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t now = ticks();
    ASSERT_GE(now, before);
    before = now;
  }
}

TEST(Clock, ATickIsAsLongAsTheSteadyClockSays) {
  const auto time = std::chrono::steady_clock::now();
  const std::uint64_t count = ticks();
  while (std::chrono::steady_clock::now() - time < std::chrono::milliseconds(20)) {
  }
  const double by_ticks = static_cast<double>(ticks() - count) * seconds_per_tick();
  const double by_clock = std::chrono::duration<double>(std::chrono::steady_clock::now() - time).count();
  EXPECT_GE(by_ticks, 0.019);
  EXPECT_LE(by_ticks, 1.05 * by_clock + 1e-3);
}

TEST(Clock, TheLengthOfATickIsKnownSoonAfterTheStartAndStays) {
  const double once = seconds_per_tick();
  EXPECT_GT(once, 0);
  EXPECT_NEAR(seconds_per_tick() / once, 1, 0.05);
}

}  // namespace
}  // namespace sluice::detail
