// Ordered, nothing lost, nothing twice, the same for every number of threads.
#include <gtest/gtest.h>

#include <atomic>
#include <tuple>
#include <vector>

#include "tests/pipeline/everything.hpp"
#include "tests/support/concurrency.hpp"
#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

// Message 0 leaves the map after message 1 has: whoever reads next sees them out of order, unless they are put in
// order.
struct Overtaken {
  Signal* second;
  int operator()(const int& n) const {
    if (n == 1) second->raise();
    if (n == 0) {
      EXPECT_TRUE(second->wait());
    }
    return n;
  }
};

//  numbers -> overtaken -> taken
TEST(Order, ASinkSees012WhateverOvertakesInAnUnlimitedMap) {
  for (const std::size_t count : {2u, 8u}) {
    Signal second;
    Collect taken;
    Graph g("order", threads(count));
    auto numbers = g.source("numbers", Count(50));
    g.sink("taken", std::ref(taken), g.map("overtaken", Overtaken{&second}, numbers, unlimited));
    g.run();
    EXPECT_EQ(taken.taken, iota(50));
  }
}

//  numbers -> overtaken -> serial -> taken
TEST(Order, ASerialMapSees012WhateverOvertakesBeforeIt) {
  for (const std::size_t room : {2u, 16u, 100u}) {
    Signal second;
    Collect taken;
    std::vector<int> seen;
    Graph g("order", threads(4));
    auto numbers = g.source("numbers", Count(300), capacity(room));
    auto overtaken = g.map("overtaken", Overtaken{&second}, numbers, unlimited);
    auto serial = g.map(
        "serial",
        [&](const int& n) {
          seen.push_back(n);
          return n;
        },
        overtaken);
    g.sink("taken", std::ref(taken), serial);
    g.run();
    EXPECT_EQ(seen, iota(300)) << room;
    EXPECT_EQ(taken.taken, iota(300));
  }
}

//  numbers -> overtaken -> repeat -> taken
TEST(Order, AnExpandIsPushed012WhateverOvertakesBeforeIt) {
  Signal second;
  Collect taken;
  Graph g("order", threads(2));
  auto numbers = g.source("numbers", Count(50));
  auto overtaken = g.map("overtaken", Overtaken{&second}, numbers, unlimited);
  g.sink("taken", std::ref(taken), g.expand("repeat", Repeat(3), overtaken));
  g.run();
  EXPECT_EQ(taken.taken, Repeat::expected(50, 3));
}

//  numbers -> overtaken -> pair -> taken
//          -------------> pair
TEST(Order, AZipJoinsEqualNumbersWhateverOvertakesBeforeIt) {
  Signal second;
  Collect<std::tuple<int, int>> taken;
  Graph g("order", threads(2));
  auto numbers = g.source("numbers", Count(50));
  auto overtaken = g.map("overtaken", Overtaken{&second}, numbers, unlimited);
  g.sink("taken", std::ref(taken), g.zip("pair", overtaken, numbers));
  g.run();
  ASSERT_EQ(taken.taken.size(), 50u);
  for (int n = 0; n < 50; ++n) EXPECT_EQ(taken.taken[static_cast<std::size_t>(n)], std::tuple(n, n));
}

//  numbers -> cut => overtaken => joined -> taken
TEST(Order, AFoldSeesTheShardsInShardOrderWhateverOvertakesBeforeIt) {
  Signal second;
  std::vector<int> taken;
  Graph g("order", threads(2));
  auto cut = g.split("cut", Cut{}, g.source("numbers", Count(50)), shards(2));
  auto overtaken = g.map("overtaken", Overtaken{&second}, cut, unlimited);
  auto joined = g.fold(
      "joined", [](Group<int> parts) { return std::vector<int>(parts.begin(), parts.end()); }, overtaken);
  g.sink(
      "taken", [&](const std::vector<int>& parts) { taken.insert(taken.end(), parts.begin(), parts.end()); }, joined);
  g.run();
  EXPECT_EQ(taken, iota(100));
}

//  numbers -> same -> taken
TEST(Order, NothingIsLostAndNothingComesTwice) {
  for_each_shape([](const Shape& shape) {
    Collect taken;
    Graph g("order", threads(shape.threads));
    auto numbers = g.source("numbers", Count(shape.items), capacity(shape.capacity));
    auto same = g.map(
        "same", [](const int& n) { return n; }, numbers, unlimited);
    g.sink("taken", std::ref(taken), same);
    g.run();
    EXPECT_EQ(taken.taken, iota(shape.items));
    EXPECT_EQ(taken.finished, 1);
  });
}

TEST(Order, EveryVerbTogetherGivesWhatAPlainLoopGivesForEveryNumberOfThreadsAndEveryCapacity) {
  for_each_shape([](const Shape& shape) {
    Everything all(static_cast<std::uint64_t>(shape.items), threads(shape.threads), shape.capacity);
    std::vector<long> expected;
    const long state = all.expected(expected);
    all.graph.run();
    EXPECT_EQ(all.taken, expected);
    EXPECT_EQ(all.state.value(), state);
  });
}

//  numbers -> a -> b -> repeat -> c -> taken
TEST(Order, AHundredThousandMessagesArriveInOrder) {
  constexpr int items = 100'000;
  for_each_thread_count([](std::size_t count) {
    const auto plus = [](const int& n) { return n + 1; };
    Collect taken;
    Graph g("long", threads(count));
    auto numbers = g.source("numbers", Count(items));
    auto b = g.map("b", plus, g.map("a", plus, numbers, unlimited), up_to(3));
    auto repeat = g.expand("repeat", Repeat(2), b);
    g.sink("taken", std::ref(taken),
           g.map(
               "c", [](const int& n) { return n - 2; }, repeat, unlimited));
    g.run();
    std::vector<int> expected = Repeat::expected(items + 2, 2);
    expected.erase(expected.begin());  // the one 1: the stream begins with 2
    for (int& n : expected) n -= 2;
    EXPECT_EQ(taken.taken, expected);
  });
}

}  // namespace
}  // namespace sluice::test
