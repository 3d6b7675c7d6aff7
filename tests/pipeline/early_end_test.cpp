// A sink that has enough ends the run in order.
#include <gtest/gtest.h>

#include <functional>
#include <tuple>
#include <vector>

#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

// The first `wanted` numbers.
struct First {
  std::size_t wanted = 10;
  std::vector<int> taken{};
  int finished = 0;
  Demand operator()(const int& n) {
    taken.push_back(n);
    return taken.size() < wanted ? Demand::more : Demand::enough;
  }
  void finish() { ++finished; }
  void reset() { taken.clear(); }
};

TEST(EarlyEnd, TheSinkHasSeenJustWhatItWantedAndTheRunIsComplete) {
  for_each_thread_count([](std::size_t count) {
    First first;
    Graph g("first", threads(count));
    auto numbers = g.source("numbers", Endless{}, capacity(16));
    g.sink("first", std::ref(first),
           g.map(
               "same", [](const int& n) { return n; }, numbers, unlimited));
    for (int run = 1; run <= 5; ++run) {
      const RunEnd end = g.run();
      EXPECT_EQ(end.why, RunEnd::enough);
      EXPECT_EQ(end.by, "first");
      EXPECT_TRUE(end.early());
      EXPECT_EQ(first.taken, iota(10));
      EXPECT_EQ(first.finished, run);
      EXPECT_EQ(g.stats().stage("numbers").queued, 0u);
    }
  });
}

TEST(EarlyEnd, ARunThatEndsByItselfIsComplete) {
  First first{.wanted = 100};
  Graph g("first", threads(2));
  g.sink("first", std::ref(first), g.source("numbers", Count(50)));
  const RunEnd end = g.run();
  EXPECT_EQ(end.why, RunEnd::complete);
  EXPECT_EQ(end.by, "");
  EXPECT_FALSE(end.early());
  g.stop();
  EXPECT_EQ(g.run().why, RunEnd::stopped);
  EXPECT_EQ(first.taken, std::vector<int>{});
}

// Of two that ask for the end, the first one did it.
TEST(EarlyEnd, WhoStoppedItFirstIsNamed) {
  Graph g("first", threads(1));
  int taken = 0;
  auto numbers = g.source("numbers", Endless{}, capacity(64));
  g.sink(
      "end",
      [&](const int&) {
        if (++taken == 20) g.stop();
        return taken > 20 ? Demand::enough : Demand::more;
      },
      numbers);
  const RunEnd end = g.run();
  EXPECT_EQ(end.why, RunEnd::stopped);
  EXPECT_EQ(end.by, "");
}

TEST(EarlyEnd, OtherSinksTakeWhatIsOnItsWay) {
  for_each_thread_count([](std::size_t count) {
    First first;
    Collect<> all;
    Graph g("first", threads(count));
    auto numbers = g.source("numbers", Endless{}, capacity(16));
    g.sink("first", std::ref(first), numbers);
    g.sink("all", std::ref(all), numbers);
    EXPECT_EQ(g.run().by, "first");
    EXPECT_EQ(first.taken, iota(10));
    EXPECT_GE(all.taken.size(), 10u);
    EXPECT_EQ(all.taken, iota(static_cast<int>(all.taken.size())));
    EXPECT_EQ(all.finished, 1);
    const GraphStats stats = g.stats();
    EXPECT_EQ(stats.stage("first").left_over + 10, all.taken.size()) << "what came behind is told";
    EXPECT_EQ(stats.stage("all").left_over, 0u);
  });
}

TEST(EarlyEnd, AZipEndsAtItsShorterInputAndCountsTheRest) {
  for_each_thread_count([](std::size_t count) {
    First first{.wanted = 3};
    std::size_t pairs = 0;
    Graph g("first", threads(count));
    auto a = g.source("a", Endless{}, capacity(4)), b = g.source("b", Endless{}, capacity(32));
    auto pair = g.zip("pair", a, b);
    g.sink(
        "pairs",
        [&](const std::tuple<int, int>& p) {
          EXPECT_EQ(std::get<0>(p), std::get<1>(p));
          ++pairs;
        },
        pair);
    g.sink("first", std::ref(first), a);
    g.run();
    const GraphStats stats = g.stats();
    EXPECT_EQ(stats.stage("pair").left_over + 2 * pairs, stats.stage("a").items + stats.stage("b").items);
    EXPECT_EQ(stats.stage("pair").items, pairs);
  });
}

TEST(EarlyEnd, AFeedbackKeepsTheValueOfItsLastLap) {
  for_each_thread_count([](std::size_t count) {
    First first{.wanted = 7};
    Graph g("first", threads(count));
    auto sum = g.feedback("sum", 0);
    auto step = g.zip("step", g.source("numbers", Endless{}), sum);
    auto next = g.map(
        "add", [](const std::tuple<int, int>& p) { return std::get<0>(p) + std::get<1>(p); }, step);
    sum.close(next);
    std::vector<int> sums;
    g.sink(
        "sums", [&](const int& n) { sums.push_back(n); }, next);
    g.sink("first", std::ref(first), next);
    g.run();
    ASSERT_GE(sums.size(), 7u);
    EXPECT_EQ(sum.value(), sums.back());
  });
}

}  // namespace
}  // namespace sluice::test
