#include <sluice/pipeline/detail/clock.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <sluice/pipeline/detail/ticket.hpp>

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

// From the slowest counter of an Arm processor, 1 MHz, to the fastest of any.
TEST(Clock, WhatTheEngineDecidesByIsTheSameTimeWhateverATickIs) {
  for (const double hertz : {1e6, 24e6, 62.5e6, 122e6, 1e9, 2.4e9, 3.2e9, 5e9}) {
    const Durations d(1 / hertz);
    const double tick = 1 / hertz;
    EXPECT_NEAR(static_cast<double>(d.ticket) / hertz, 10e-6, 1.01 * tick) << hertz;
    EXPECT_NEAR(static_cast<double>(d.shard) / hertz, 0.8e-6, 1.01 * tick) << hertz;
    EXPECT_NEAR(static_cast<double>(d.slow) / hertz, 100e-6, 1.01 * tick) << hertz;
    const double unit = static_cast<double>(std::uint64_t{1} << d.birth_shift) / hertz;
    EXPECT_LE(unit, std::max(0.67e-6, 2 * tick)) << hertz;
    EXPECT_GE(unit * 0x1p31, 600) << hertz << ": ages of ten minutes are told apart";
  }
}

TEST(Clock, AnAgeIsWithinAMicrosecondOrTwoTicks) {
  const double tick = seconds_per_tick();
  const std::uint64_t second = static_cast<std::uint64_t>(1 / tick), born = ticks();
  for (const std::uint64_t age : {std::uint64_t{0}, second / 1000, second, 500 * second})
    EXPECT_NEAR(static_cast<double>(Birth::at(born).age(born + age)) * tick, static_cast<double>(age) * tick,
                std::max(1e-6, 2 * tick));
}

}  // namespace
}  // namespace sluice::detail
