// The messages for which a predicate holds.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/parameters.hpp"
#include "tests/support/payloads.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

const auto even = [](const int& n) { return n % 2 == 0; };
const auto all = [](const int&) { return true; };
const auto none_of_them = [](const int&) { return false; };
const auto drop = [](const int&) {};

std::vector<std::string> mistakes(Graph& g) {
  try {
    g.check();
  } catch (const WiringError& e) {
    return e.mistakes();
  }
  return {};
}

//  numbers -> half -> twice -> taken
TEST(Filter, HandsOnWhatItKeepsInOrder) {
  for_each_shape([](const Shape& shape) {
    Collect<> taken;
    Graph g("filter", threads(shape.threads));
    auto numbers = g.source("numbers", Count(shape.items), capacity(shape.capacity));
    auto half = g.filter("half", even, numbers, capacity(shape.capacity));
    g.sink("taken", std::ref(taken),
           g.map(
               "twice", [](const int& n) { return 2 * n; }, half, unlimited));
    for (int run = 0; run < 2; ++run) {
      g.run();
      std::vector<int> expected;
      for (int n = 0; n < shape.items; n += 2) expected.push_back(2 * n);
      EXPECT_EQ(taken.taken, expected);
      EXPECT_EQ(taken.finished, 1);
    }
    EXPECT_EQ(g.stats().stage("half").items, static_cast<std::uint64_t>((shape.items + 1) / 2) * 2);
  });
}

TEST(Filter, MayKeepAllOrNone) {
  for_each_thread_count([](std::size_t count) {
    for (const bool keeps : {false, true}) {
      Collect<> taken;
      Graph g("filter", threads(count));
      auto numbers = g.source("numbers", Count(100), capacity(3));
      auto kept = keeps ? g.filter("kept", all, numbers) : g.filter("kept", none_of_them, numbers);
      g.sink("taken", std::ref(taken), kept);
      g.run();
      EXPECT_EQ(taken.taken, keeps ? iota(100) : std::vector<int>{});
      EXPECT_EQ(taken.finished, 1);
    }
  });
}

// Where it is the only reader, a message is moved, whatever it is.
TEST(Filter, MovesMessagesThatCannotBeCopied) {
  using Box = std::unique_ptr<int>;
  for_each_thread_count([](std::size_t count) {
    int n = 0;
    std::vector<const int*> made, seen;
    Graph g("filter", threads(count));
    auto boxes = g.source("boxes", [&]() -> std::optional<Box> {
      if (n == 200) return std::nullopt;
      Box box = std::make_unique<int>(n++);
      if (*box % 3 == 0) made.push_back(box.get());
      return box;
    });
    auto thirds = g.filter(
        "thirds", [](const Box& box) { return *box % 3 == 0; }, boxes);
    g.sink(
        "seen", [&](const Box& box) { seen.push_back(box.get()); }, thirds);
    g.run();
    EXPECT_EQ(seen, made);
  });
}

TEST(Filter, CopiesWhatOthersReadToo) {
  for_each_thread_count([](std::size_t count) {
    Collect<std::string> kept, whole;
    Graph g("filter", threads(count));
    auto numbers = g.source("numbers", Count(300), capacity(4));
    auto texts = g.map(
        "texts", [](const int& n) { return std::string(40, 'a') + std::to_string(n); }, numbers, unlimited);
    g.sink("kept", std::ref(kept),
           g.filter(
               "long", [](const std::string& s) { return s.size() > 42; }, texts));
    g.sink("whole", std::ref(whole), texts);
    g.run();
    ASSERT_EQ(whole.taken.size(), 300u);
    ASSERT_EQ(kept.taken.size(), 200u);
    EXPECT_EQ(kept.taken.front(), whole.taken[100]);
    EXPECT_EQ(kept.taken.back(), whole.taken[299]);
  });
  using Box = std::unique_ptr<int>;
  Graph g("filter", threads(1));
  auto boxes = g.source("boxes", []() -> std::optional<Box> { return std::nullopt; });
  g.sink(
      "end", [](const Box&) {},
      g.filter(
          "some", [](const Box&) { return true; }, boxes));
  g.sink(
      "other", [](const Box&) {}, boxes);
  EXPECT_EQ(mistakes(g), std::vector<std::string>{
                             "filter 'some': the messages of 'boxes' cannot be copied and are needed elsewhere too"});
}

TEST(Filter, AnErrorSaysWhichMessageItWasAskedOf) {
  for_each_thread_count([](std::size_t count) {
    bool fails = true;
    Collect<> taken;
    Graph g("filter", threads(count));
    auto numbers = g.source("numbers", Count(100), capacity(4));
    auto kept = g.filter(
        "odd",
        [&](const int& n) {
          if (fails && n == 33) throw std::runtime_error("33");
          return n % 2 == 1;
        },
        numbers);
    g.sink("taken", std::ref(taken), kept);
    try {
      g.run();
      ADD_FAILURE() << "no error";
    } catch (const StageError& e) {
      EXPECT_EQ(e.stage(), "odd");
      EXPECT_EQ(e.sequence(), 33u);
    }
    fails = false;
    g.run();
    EXPECT_EQ(taken.taken.size(), 50u);
  });
}

struct Every {
  int nth = 3, at = 0, resets = 0;
  bool operator()(const int&) { return at++ % nth == 0; }
  void reset() { at = 0, ++resets; }
};

TEST(Filter, MayHaveStateWhichIsResetBeforeEachRun) {
  Every every;
  Collect<> taken;
  Graph g("filter", threads(4));
  g.sink("taken", std::ref(taken), g.filter("every", std::ref(every), g.source("numbers", Count(10))));
  for (int run = 0; run < 3; ++run) {
    g.run();
    EXPECT_EQ(taken.taken, (std::vector<int>{0, 3, 6, 9}));
  }
  EXPECT_EQ(every.resets, 3);
}

//  numbers -> half -> tens  -> pair -> taken
//                  -> twice -> pair
TEST(Filter, WhatIsMadeOfItMayBeJoined) {
  for_each_shape([](const Shape& shape) {
    Collect<std::tuple<int, int>> taken;
    Graph g("filter", threads(shape.threads));
    auto half = g.filter("half", even, g.source("numbers", Count(shape.items), capacity(shape.capacity)));
    auto tens = g.map(
        "tens", [](const int& n) { return 10 * n; }, half, unlimited);
    auto twice = g.map(
        "twice", [](const int& n) { return 2 * n; }, half);
    g.sink("taken", std::ref(taken), g.zip("pair", tens, twice, capacity(shape.capacity)));
    g.run();
    ASSERT_EQ(taken.taken.size(), static_cast<std::size_t>((shape.items + 1) / 2));
    for (int k = 0; k < static_cast<int>(taken.taken.size()); ++k)
      EXPECT_EQ(taken.taken[static_cast<std::size_t>(k)], std::tuple(20 * k, 4 * k));
  });
}

// What is of other messages may be filtered to as many, and is an error otherwise as ever.
TEST(Filter, WithAnotherStreamItIsJoinedAsAny) {
  for_each_thread_count([](std::size_t count) {
    for (const int others : {50, 51}) {
      Collect<std::tuple<int, int>> taken;
      Graph g("filter", threads(count));
      auto half = g.filter("half", even, g.source("numbers", Count(100)));
      g.sink("taken", std::ref(taken), g.zip("pair", half, g.source("others", Count(others))));
      if (others == 50) {
        g.run();
        EXPECT_EQ(taken.taken.size(), 50u);
        continue;
      }
      try {
        g.run();
        ADD_FAILURE() << "no error";
      } catch (const StageError& e) {
        EXPECT_TRUE(e.cause_as<UnequalStreams>());
      }
    }
  });
}

TEST(Filter, IsNotJoinedWithWhatItWasFilteredFrom) {
  Graph g("filter", threads(1));
  auto numbers = g.source("numbers", Count(10));
  auto twice = g.map(
      "twice", [](const int& n) { return 2 * n; }, numbers);
  auto half = g.filter("half", even, numbers), others = g.filter("others", all, twice);
  g.sink(
      "a", [](const std::tuple<int, int>&) {}, g.zip("pair", twice, half));
  g.sink(
      "b", [](const int&, const int&) {}, half, others);
  EXPECT_EQ(mistakes(g),
            (std::vector<std::string>{
                "zip 'pair': 'half' is what 'half' has let through, 'twice' is not: join them first, and filter "
                "behind it",
                "sink 'b': 'half' is what 'half' has let through, 'others' is not: join them first, and filter "
                "behind it"}));
}

TEST(Filter, IsNotWhereShardsAreFoldedTogether) {
  Graph g("filter", threads(1));
  auto cut = g.split(
      "cut", [](const int& n, std::size_t, std::size_t) { return n; }, g.source("numbers", Count(10)), shards(3));
  g.sink("end", drop, g.filter("some", even, cut));
  EXPECT_EQ(mistakes(g), std::vector<std::string>{"filter 'some': 'cut' gives shards of 'cut', which are folded "
                                                  "together: do it before they are cut, or behind the fold"});
}

TEST(Filter, IsNotOnAFeedbacksWay) {
  Graph g("filter", threads(1));
  auto sum = g.feedback("sum", 0);
  auto both = g.zip("both", g.source("numbers", Count(10)), sum);
  auto next = g.map(
      "next", [](const std::tuple<int, int>& p) { return std::get<0>(p) + std::get<1>(p); }, both);
  sum.close(g.filter("some", even, next));
  EXPECT_EQ(mistakes(g), std::vector<std::string>{
                             "feedback 'sum': filter 'some' lies on its way: what is dropped there never comes back"});
  // Beside it, it may be.
  Graph h("filter", threads(2));
  Collect<> taken;
  auto total = h.feedback("sum", 0);
  auto pairs = h.zip("both", h.source("numbers", Count(10)), total);
  auto sums = h.map(
      "next", [](const std::tuple<int, int>& p) { return std::get<0>(p) + std::get<1>(p); }, pairs);
  total.close(sums);
  h.sink("taken", std::ref(taken), h.filter("some", even, sums));
  h.run();
  EXPECT_EQ(taken.taken, (std::vector<int>{0, 6, 10, 28, 36}));
  EXPECT_EQ(total.value(), 45);
}

TEST(Filter, TakesACapacityAndNoConcurrencyAndStatesWhatItsMessagesOwn) {
  Graph g("filter", threads(1));
  g.sink("end", drop, g.filter("some", even, g.source("numbers", Count(10)), capacity(7)));
  EXPECT_EQ(g.stages()[1].capacity, 7u);
  EXPECT_THROW(g.set_concurrency("some", unlimited), std::invalid_argument);
  g.set_capacity("some", 3);
  EXPECT_EQ(g.stages()[1].capacity, 3u);
  EXPECT_TRUE(g.bound().complete);
}

}  // namespace
}  // namespace sluice::test
