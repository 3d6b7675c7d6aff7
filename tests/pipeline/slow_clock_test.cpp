// With a clock of some 24 MHz, as 64-bit Arm may have: this program's framework reads the counter divided by 128
// (SLUICE_CLOCK_DIVISOR). What the engine decides by is a time, so that it decides as it does everywhere.
#include <sluice/pipeline/detail/clock.hpp>

#include <gtest/gtest.h>

#include <chrono>

#include <sluice/pipeline/graph.hpp>
#include "tests/support/concurrency.hpp"
#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

TEST(SlowClock, ItIsSlow) {
  EXPECT_GT(detail::seconds_per_tick(), 1e-8);
}

//  numbers -> cut => work -> end
//
// With ticks for times, a ticket would last for some forty such shards, and one thread would work on all of them.
TEST(SlowClock, ShardsThatAreWorthAThreadDoNotShareATicket) {
  Graph g("cut", threads(2));
  Rendezvous both(2);
  auto cut = g.split("cut", Cut{}, g.source("numbers", Count(300)), shards(2), capacity(2));
  auto work = g.map(
      "work",
      [&](const int& n) {
        using Clock = std::chrono::steady_clock;
        for (const auto begin = Clock::now(); Clock::now() - begin < std::chrono::microseconds(30);) {
        }
        if (n / 2 == 299) both.meet();
        return n;
      },
      cut, unlimited);
  g.sink(
      "end", [](const int&) {}, work);
  g.run();
  EXPECT_TRUE(both.met());
}

}  // namespace
}  // namespace sluice::test
