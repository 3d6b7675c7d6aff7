// No body blocks on another, so a graph that cannot go on stops, and says who waits for what.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <tuple>

#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

using Pair = std::tuple<int, int>;

//  numbers -> lag -> pair -> taken
//          -> pair
struct Diamond {
  Diamond(int items, std::size_t room, std::size_t lag, std::size_t thread_count)
      : g("diamond", threads(thread_count)) {
    auto numbers = g.source("numbers", Count(items), capacity(room));
    auto late = g.expand("lag", Lag(lag), numbers, capacity(1));
    g.sink("taken", std::ref(taken), g.zip("pair", numbers, late, capacity(1)));
  }
  Graph g;
  Collect<Pair> taken;
};

// With every other message of the segment held back, room for a single one must still be offered to the source.
TEST(Stalled, ABranchThatLagsByLessThanTheCapacityFlows) {
  for_each_shape([](const Shape& shape) {
    for (std::size_t lag = 0; lag < shape.capacity; ++lag) {
      Diamond d(shape.items, shape.capacity, lag, shape.threads);
      d.g.run();
      ASSERT_EQ(d.taken.taken.size(), static_cast<std::size_t>(shape.items));
      for (int n = 0; n < shape.items; ++n) EXPECT_EQ(d.taken.taken[static_cast<std::size_t>(n)], Pair(n, n));
    }
  });
}

TEST(Stalled, ABranchThatLagsByTheCapacityIsAnErrorThatNamesStagesAndEdges) {
  for_each_thread_count([](std::size_t count) {
    for (const std::size_t room : capacities) {
      Diamond d(97, room, room, count);
      EXPECT_EQ(thrown<Stalled>([&] { d.g.run(); }),
                "graph 'diamond' stalled: 'numbers' waits for room for message " + std::to_string(room) +
                    " (capacity " + std::to_string(room) + ", edge 'numbers -> pair'); 'lag' waits for message " +
                    std::to_string(room) +
                    " of edge 'numbers -> lag'; 'pair' waits for message 0 of edge 'lag -> pair'; "
                    "'taken' waits for message 0 of edge 'pair -> taken'");
    }
  });
}

TEST(Stalled, AGraphThatStalledRunsWhenItHasGotMoreRoom) {
  for_each_thread_count([](std::size_t count) {
    Diamond d(97, 3, 3, count);
    EXPECT_THROW(d.g.run(), Stalled);
    EXPECT_EQ(d.taken.finished, 0);
    EXPECT_THROW(d.g.run(), Stalled);
    d.g.set_capacity("numbers", 4);
    d.g.run();
    EXPECT_EQ(d.taken.taken.size(), 97u);
  });
}

//  numbers -> step -> value
//  value -> lag -> step
TEST(Stalled, ALoopInWhichEveryGateWaitsForRoomIsAnError) {
  struct Twice {
    int n = 0, left = 0;
    void push(const int& in) { n = in, left = 2; }
    std::optional<int> pull() { return left-- > 0 ? std::optional(n) : std::nullopt; }
  };
  for_each_thread_count([](std::size_t count) {
    Graph g("full", threads(count));
    auto value = g.feedback("value", 0);
    auto twice = g.expand("twice", Twice{}, value, capacity(1));
    auto step = g.zip("step", g.source("numbers", Count(9), capacity(1)), twice, capacity(1));
    value.close(g.map(
        "next", [](const Pair& s) { return std::get<1>(s); }, step));
    const std::string text = thrown<Stalled>([&] { g.run(); });
    for (const char* stage : {"'value'", "'twice'", "'step'"})
      EXPECT_NE(text.find(std::string(stage) + " waits for room"), text.npos) << text;
  });
}

//  numbers -> step -> value
//  value -> lag -> step
TEST(Stalled, ALoopThatHoldsBackItsOnlyValueIsAnError) {
  Graph g("loop", threads(2));
  auto value = g.feedback("value", 0);
  auto step = g.zip("step", g.source("numbers", Count(9)), g.expand("lag", Lag(1), value));
  value.close(g.map(
      "next", [](const Pair& s) { return std::get<1>(s); }, step));
  const std::string text = thrown<Stalled>([&] { g.run(); });
  EXPECT_NE(text.find("'lag' waits for message 1 of edge 'value -> lag'"), text.npos) << text;
  EXPECT_NE(text.find("'step' waits for message 0 of edge 'lag -> step'"), text.npos) << text;
  EXPECT_EQ(value.value(), 0);
}

}  // namespace
}  // namespace sluice::test
