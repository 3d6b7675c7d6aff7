// The k-th of one stream with the k-th of the other.
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

using Pair = std::tuple<int, int>;

std::vector<Pair> pairs(int count) {
  std::vector<Pair> all;
  for (int n = 0; n < count; ++n) all.emplace_back(n, n);
  return all;
}

//  left  -> pair -> taken
//  right -> pair
TEST(Zip, JoinsTheKthWithTheKth) {
  for_each_shape([](const Shape& shape) {
    Collect<Pair> taken;
    Graph g("zip", threads(shape.threads));
    auto left = g.source("left", Count(shape.items), capacity(shape.capacity));
    auto right = g.source("right", Count(shape.items), capacity(1));
    g.sink("taken", std::ref(taken), g.zip("pair", left, right, capacity(shape.capacity)));
    g.run();
    EXPECT_EQ(taken.taken, pairs(shape.items));
  });
}

//  numbers -> pair -> taken
//          -> pair
TEST(Zip, OfAStreamWithItselfGivesEachMessageTwice) {
  for_each_shape([](const Shape& shape) {
    Collect<std::tuple<std::string, std::string>> taken;
    Graph g("zip", threads(shape.threads));
    auto numbers = g.source("numbers", Count(shape.items), capacity(shape.capacity));
    auto texts = g.map(
        "texts", [](const int& n) { return std::string(40, 'a') + std::to_string(n); }, numbers, unlimited);
    g.sink("taken", std::ref(taken), g.zip("pair", texts, texts));
    g.run();
    ASSERT_EQ(taken.taken.size(), static_cast<std::size_t>(shape.items));
    for (int n = 0; n < shape.items; ++n) {
      const std::string text = std::string(40, 'a') + std::to_string(n);
      EXPECT_EQ(taken.taken[static_cast<std::size_t>(n)], std::tuple(text, text));
    }
  });
}

//  numbers -> a -> pair -> taken
//          -> b -> pair
TEST(Zip, JoinsBranchesOfOneStreamThatAreCutIntoOtherSegments) {
  for_each_shape([](const Shape& shape) {
    Collect<Pair> taken;
    Graph g("zip", threads(shape.threads));
    auto numbers = g.source("numbers", Count(shape.items), capacity(shape.capacity));
    auto a = g.map(
        "a", [](const int& n) { return n; }, numbers, unlimited);
    auto b = g.expand("b", Lag(0), g.expand("c", Lag(0), numbers, capacity(1)), capacity(3));
    g.sink("taken", std::ref(taken), g.zip("pair", a, b));
    g.run();
    EXPECT_EQ(taken.taken, pairs(shape.items));
  });
}

TEST(Zip, TakesAMessageThatNobodyElseReadsWithoutCopyingIt) {
  struct Copies {
    Copies() = default;
    Copies(const Copies& other) : copied(other.copied + 1) {}
    Copies& operator=(const Copies& other) { return copied = other.copied + 1, *this; }
    Copies(Copies&&) = default;
    Copies& operator=(Copies&&) = default;
    int copied = 0;
  };
  int most = 0, least = 100;
  Graph g("zip", threads(1));
  const auto fresh = [](const int&) { return Copies(); };
  auto alone = g.map("alone", fresh, g.source("a", Count(20)));
  auto shared = g.map("shared", fresh, g.source("b", Count(20)));
  g.sink(
      "look",
      [&](const std::tuple<Copies, Copies>& pair) {
        most = std::max(most, std::get<0>(pair).copied);
        least = std::min(least, std::get<1>(pair).copied);
      },
      g.zip("pair", alone, shared));
  g.sink(
      "other", [](const Copies& c) { EXPECT_EQ(c.copied, 0); }, shared);
  g.run();
  EXPECT_EQ(most, 0);
  EXPECT_EQ(least, 1);
}

//  left  -> pair -> taken
//  right -> pair
TEST(Zip, StreamsOfUnequalLengthAreAnErrorThatNamesBoth) {
  for_each_thread_count([](std::size_t count) {
    for (const auto& [left, right] :
         {std::pair(3, 5), std::pair(5, 3), std::pair(0, 1), std::pair(97, 96), std::pair(2, 90)})
      for (const std::size_t room : capacities) {
        Collect<Pair> taken;
        Graph g("zip", threads(count));
        auto a = g.source("left", Count(left), capacity(room));
        auto b = g.map(
            "right", [](const int& n) { return n; }, g.source("numbers", Count(right), capacity(room)));
        g.sink("taken", std::ref(taken), g.zip("pair", a, b));
        const auto error = stage_error([&] { g.run(); });
        ASSERT_TRUE(error);
        EXPECT_EQ(error->stage(), "pair");
        EXPECT_EQ(error->sequence(), std::min(left, right));
        const std::string text = error->what();
        EXPECT_NE(text.find("'left'"), text.npos) << text;
        EXPECT_NE(text.find("'right'"), text.npos) << text;
        EXPECT_NE(text.find(std::to_string(std::min(left, right)) + " messages"), text.npos) << text;
      }
  });
}

//  short, long => taken
TEST(Zip, ASinkOfStreamsOfUnequalLengthIsTheSameError) {
  Graph g("sink", threads(2));
  auto a = g.source("short", Count(3));
  auto b = g.source("long", Count(4));
  g.sink(
      "taken", [](const int&, const int&) {}, a, b);
  const auto error = stage_error([&] { g.run(); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->stage(), "taken");
}

}  // namespace
}  // namespace sluice::test
