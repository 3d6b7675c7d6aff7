// What the types cannot catch is reported together, before anything runs.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/parameters.hpp"
#include "tests/support/payloads.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

const auto same = [](const int& n) { return n; };
const auto drop = [](const int&) {};

TEST(Wiring, EveryMistakeIsReportedAtOnceAndNothingRuns) {
  int asked = 0;
  Graph g("wrong", threads(1));
  auto numbers = g.source(
      "numbers", [&]() -> std::optional<int> { return ++asked, std::nullopt; }, capacity(0));
  auto open = g.feedback("open", 0);
  g.sink(
      "sink", [](const std::tuple<int, int>&) {}, g.zip("numbers", numbers, open));
  g.map("unread", same, numbers, up_to(0));
  const Mistakes expected = {"map 'unread': up_to(0), expected at least 1",
                             "stage 'numbers': capacity 0, expected 1 to 1048576", "two stages are named 'numbers'",
                             "feedback 'open' is not closed: call close() with the stream that comes back",
                             "stage 'unread': nobody reads its messages"};
  EXPECT_EQ(mistakes(g), expected);
  EXPECT_THROW(g.run(), WiringError);
  EXPECT_EQ(asked, 0);
  EXPECT_THROW(g.picture(), WiringError);
  EXPECT_THROW(g.stages(), WiringError);
}

TEST(Wiring, AGraphWithoutMistakesPassesTheCheck) {
  Graph g("right", threads(1));
  g.sink("end", drop, g.source("numbers", Count(1)));
  EXPECT_EQ(mistakes(g), Mistakes{});
}

TEST(Wiring, AStageNeedsAName) {
  Graph g("wrong", threads(1));
  g.sink("", drop, g.source("numbers", Count(1)));
  EXPECT_EQ(mistakes(g), Mistakes{"a sink has no name"});
}

TEST(Wiring, AFeedbackIsClosedOnce) {
  Graph g("wrong", threads(1));
  auto value = g.feedback("value", 0);
  auto step = g.zip("step", g.source("numbers", Count(1)), value);
  auto a = g.map(
      "a", [](const std::tuple<int, int>&) { return 0; }, step);
  auto b = g.map(
      "b", [](const std::tuple<int, int>&) { return 0; }, step);
  value.close(a);
  value.close(b);
  EXPECT_EQ(mistakes(g), (Mistakes{"feedback 'value' is closed twice: with 'a' and with 'b'",
                                   "stage 'b': nobody reads its messages"}));
}

TEST(Wiring, ACycleThatNothingEndsIsAMistake) {
  {
    Graph g("wrong", threads(1));
    auto value = g.feedback("value", 0);
    value.close(g.map("next", same, value));
    EXPECT_EQ(mistakes(g).size(), 1u);
  }
  {
    Graph g("wrong", threads(1));
    auto a = g.feedback("a", 0);
    auto b = g.feedback("b", 0);
    a.close(b);
    b.close(a);
    EXPECT_EQ(mistakes(g).size(), 2u);
  }
}

TEST(Wiring, AFoldReadsShards) {
  Graph g("wrong", threads(1));
  g.sink(
      "end", [](const long&) {}, g.fold("sum", Sum{}, g.source("numbers", Count(1))));
  EXPECT_EQ(mistakes(g), Mistakes{"fold 'sum': 'numbers' gives no shards: a fold reads what a split has cut"});
}

TEST(Wiring, WhatIsJoinedIsCutByTheSameSplit) {
  Graph g("wrong", threads(1));
  auto numbers = g.source("numbers", Count(1));
  auto a = g.split("a", Cut{}, numbers, shards(2));
  auto b = g.split("b", Cut{}, numbers, shards(2));
  g.sink(
      "first", [](const std::tuple<int, int>&) {}, g.zip("zip", a, b));
  g.sink(
      "second", [](const int&, const int&) {}, numbers, a);
  EXPECT_EQ(mistakes(g),
            (Mistakes{"zip 'zip': 'a' gives shards of 'a', 'b' gives shards of 'b': fold the shards first",
                      "sink 'second': 'numbers' gives no shards, 'a' gives shards of 'a': fold the shards first"}));
}

TEST(Wiring, AFeedbackIsNotClosedWithShards) {
  Graph g("wrong", threads(1));
  auto value = g.feedback("value", 0);
  auto step = g.zip("step", g.source("numbers", Count(1)), value);
  value.close(g.split(
      "cut", [](const std::tuple<int, int>&, std::size_t, std::size_t) { return 0; }, step, shards(2)));
  EXPECT_EQ(mistakes(g), Mistakes{"feedback 'value': closed with the shards of 'cut': fold them first"});
}

TEST(Wiring, MessagesThatCannotBeCopiedAreTakenByOneStage) {
  Graph g("wrong", threads(1));
  auto only = g.map(
      "only", [](const int& n) { return MoveOnly(n); }, g.source("numbers", Count(1)));
  g.sink(
      "end", [](const std::tuple<MoveOnly, int>&) {}, g.zip("zip", only, g.source("others", Count(1))));
  EXPECT_EQ(mistakes(g), Mistakes{});
  g.sink(
      "beside", [](const MoveOnly&) {}, only);
  EXPECT_EQ(mistakes(g), Mistakes{"zip 'zip': the messages of 'only' cannot be copied and are needed elsewhere too"});
}

TEST(Wiring, MessagesThatCannotBeCopiedMayBeReadByManyThatDoNotTakeThem) {
  int sum = 0;
  Graph g("right", threads(2));
  auto only = g.map(
      "only", [](const int& n) { return MoveOnly(n); }, g.source("numbers", Count(9)));
  g.sink(
      "a", [](const MoveOnly&) {}, only);
  g.sink(
      "b", [&](const int& n) { sum += n; },
      g.map(
          "get", [](const MoveOnly& m) { return m.get(); }, only, unlimited));
  g.run();
  EXPECT_EQ(sum, 36);
}

TEST(Wiring, OptionsThatAStageDoesNotHaveAreMistakes) {
  Graph g("wrong", threads(1));
  auto numbers = g.source("numbers", Count(1), unlimited, shards(2));
  auto map = g.map("map", same, numbers, capacity(3));
  auto cut = g.split("cut", Cut{}, map, shards(0));
  g.sink(
      "end", [](const long&) {}, g.fold("sum", Sum{}, cut, up_to(2)));
  EXPECT_EQ(
      mistakes(g),
      (Mistakes{"stage 'numbers' is a source: it works on one message at a time, only maps on several",
                "stage 'numbers' is no split", "stage 'map' is a map: the capacity of its segment is that of 'numbers'",
                "stage 'sum' is a fold: it works on one message at a time, only maps on several",
                "split 'cut': 0 shards, expected 1 to 1048576"}));
}

TEST(Wiring, WhatNoMemoryHoldsIsAMistake) {
  Graph g("wrong", threads(1));
  auto numbers = g.source("numbers", Count(1), capacity(std::size_t{1} << 50));
  g.sink("a", drop, g.split("wild", Cut{}, numbers, shards(std::size_t{1} << 50)));
  g.sink("b", drop, g.split("together", Cut{}, numbers, shards(1u << 20), capacity(2)));
  EXPECT_EQ(mistakes(g), (Mistakes{"stage 'numbers': capacity 1125899906842624, expected 1 to 1048576",
                                   "split 'wild': 1125899906842624 shards, expected 1 to 1048576",
                                   "stage 'together': capacity 2 times its shards are more than 1048576 messages"}));
}

TEST(Wiring, AStreamOfAnotherGraphIsAMistakeWithTheOthers) {
  Graph other("other", threads(1)), g("wrong", threads(1));
  auto foreign = other.source("foreign", Count(3));
  auto numbers = g.source("numbers", Count(3), capacity(0));
  auto value = g.feedback("value", 0);
  g.sink(
      "end", [](const std::tuple<int, int>&) {}, g.zip("pair", numbers, g.map("map", same, foreign)));
  g.sink("beside", drop, value);
  value.close(foreign);
  EXPECT_EQ(mistakes(g), (Mistakes{"stage 'map' reads 'foreign' of another graph",
                                   "feedback 'value' is closed with 'foreign' of another graph",
                                   "stage 'numbers': capacity 0, expected 1 to 1048576"}));
  EXPECT_THROW(g.run(), WiringError);
  other.sink("end", drop, foreign);
  other.run();
}

TEST(Wiring, MistakesOfSettingsCanBeSetRight) {
  Graph g("wrong", threads(1));
  g.sink("end", drop, g.source("numbers", Count(1), capacity(0)));
  EXPECT_THROW(g.run(), WiringError);
  g.set_capacity("numbers", 1);
  g.run();
}

}  // namespace
}  // namespace sluice::test
