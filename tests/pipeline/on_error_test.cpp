// Exceptions that cost one message, the holes that they leave, and who passes over them.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <tuple>
#include <vector>

#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

bool bad(int n) {
  return n % 7 == 3;
}
std::vector<int> good(int count) {
  std::vector<int> all;
  for (int n = 0; n < count; ++n)
    if (!bad(n)) all.push_back(n);
  return all;
}
struct Check {
  int operator()(const int& n) const {
    if (bad(n)) throw std::runtime_error("bad " + std::to_string(n));
    return n;
  }
};
constexpr int count = 210, bad_ones = 30;

struct Heard {
  std::vector<std::uint64_t> numbers;
  std::vector<std::string> words;
  OnError handler() {
    return on_error(skip, [this](const StageError& e) {
      numbers.push_back(*e.sequence());
      words.push_back(e.what());
    });
  }
};

TEST(OnError, AMapSkipsTheMessageAndTellsOfIt) {
  for_each_thread_count([](std::size_t threads_) {
    for (const Concurrency c : {serial, unlimited}) {
      Heard heard;
      Collect<> taken;
      Graph g("skip", threads(threads_));
      auto checked = g.map("check", Check{}, g.source("numbers", Count(count)), c, heard.handler());
      g.sink("taken", std::ref(taken),
             g.map(
                 "next", [](const int& n) { return n; }, checked, unlimited));
      g.run();
      EXPECT_EQ(taken.taken, good(count));
      std::sort(heard.numbers.begin(), heard.numbers.end());
      ASSERT_EQ(heard.numbers.size(), static_cast<std::size_t>(bad_ones));
      EXPECT_EQ(heard.numbers[1], 10u);
      EXPECT_NE(std::find(heard.words.begin(), heard.words.end(), "stage 'check', message 10: bad 10"),
                heard.words.end())
          << heard.words[0];
      const GraphStats stats = g.stats();
      EXPECT_EQ(stats.stage("check").errors, static_cast<std::uint64_t>(bad_ones));
      EXPECT_EQ(stats.stage("check").holes, 0u);
      for (const char* stage : {"check", "next", "taken"})
        EXPECT_EQ(stats.stage(stage).items, static_cast<std::uint64_t>(count - bad_ones)) << stage << ": what is there";
      EXPECT_EQ(stats.stage("next").holes, static_cast<std::uint64_t>(bad_ones));
      EXPECT_EQ(stats.stage("taken").holes, static_cast<std::uint64_t>(bad_ones));
      EXPECT_EQ(stats.stage("taken").errors, 0u);
    }
  });
}

TEST(OnError, OtherBranchesKeepTheMessageAndAZipLeavesItOut) {
  for_each_thread_count([](std::size_t threads_) {
    Collect<> all;
    std::vector<int> pairs;
    Graph g("skip", threads(threads_));
    auto numbers = g.source("numbers", Count(count));
    auto checked = g.map("check", Check{}, numbers, unlimited, on_error(skip));
    g.sink("all", std::ref(all), numbers);
    g.sink(
        "pairs",
        [&](const std::tuple<int, int>& p) {
          EXPECT_EQ(std::get<0>(p), std::get<1>(p));
          pairs.push_back(std::get<0>(p));
        },
        g.zip("pair", numbers, checked));
    std::vector<int> joined;
    g.sink(
        "joined",
        [&](const int& a, const int& b) {
          EXPECT_EQ(a, b);
          joined.push_back(a);
        },
        numbers, checked);
    g.run();
    EXPECT_EQ(all.taken, iota(count));
    EXPECT_EQ(pairs, good(count));
    EXPECT_EQ(joined, good(count));
    EXPECT_EQ(g.stats().stage("pair").holes, static_cast<std::uint64_t>(bad_ones));
  });
}

TEST(OnError, AShardThatIsLeftOutTakesItsMessageWithIt) {
  for_each_thread_count([](std::size_t threads_) {
    Collect<> taken;
    Graph g("skip", threads(threads_));
    auto cut = g.split(
        "cut", [](const int& n, std::size_t part, std::size_t) { return 10 * n + static_cast<int>(part); },
        g.source("numbers", Count(50)), shards(3));
    auto checked = g.map(
        "check",
        [](const int& n) {
          if (n % 50 == 21) throw std::runtime_error("shard");
          return n / 10;
        },
        cut, unlimited, on_error(skip));
    g.sink("taken", std::ref(taken),
           g.fold(
               "first", [](Group<int> shards) { return shards[0]; }, checked));
    g.run();
    std::vector<int> expected;
    for (int n = 0; n < 50; ++n)
      if (n % 5 != 2) expected.push_back(n);
    EXPECT_EQ(taken.taken, expected);
    EXPECT_EQ(g.stats().stage("first").holes, 10u);
  });
}

TEST(OnError, FiltersExpandsAndPartitionsPassOverHoles) {
  for_each_thread_count([](std::size_t threads_) {
    Collect<> kept, doubled, yes, no;
    Graph g("skip", threads(threads_));
    auto checked = g.map("check", Check{}, g.source("numbers", Count(count)), unlimited, on_error(skip));
    g.sink("kept", std::ref(kept),
           g.filter(
               "keep", [](const int&) { return true; }, checked));
    g.sink("lagged", std::ref(doubled), g.expand("lag", Lag(3), checked));
    auto [a, b] = g.partition(
        "yes", "no", [](const int&) { return true; }, checked);
    g.sink("a", std::ref(yes), a);
    g.sink("b", std::ref(no), b);
    g.run();
    EXPECT_EQ(kept.taken, good(count));
    EXPECT_EQ(doubled.taken, good(count));
    EXPECT_EQ(yes.taken, good(count));
    EXPECT_TRUE(no.taken.empty());
    for (const char* stage : {"keep", "lag", "yes"})
      EXPECT_EQ(g.stats().stage(stage).holes, static_cast<std::uint64_t>(bad_ones)) << stage;
    for (const char* sink : {"kept", "lagged", "a"}) EXPECT_EQ(g.stats().stage(sink).holes, 0u) << sink;
  });
}

// Every verb with a body of its own.
TEST(OnError, EveryStageWithABodySkips) {
  for_each_thread_count([](std::size_t threads_) {
    const auto throws = [](int n) {
      if (bad(n)) throw std::runtime_error("bad");
    };
    struct Repeat {
      int in = 0, left = 0;
      void push(const int& n) {
        left = 0;
        if (bad(n)) throw std::runtime_error("bad");
        in = n, left = 1;
      }
      std::optional<int> pull() { return left-- > 0 ? std::optional(in) : std::nullopt; }
    };
    Collect<> source, waiting, expand, filter, first, second, split, fold;
    std::vector<int> sink;
    Graph g("skip", threads(threads_));
    int next = 0, late = 0;
    g.sink("source", std::ref(source),
           g.source(
               "a",
               [&]() -> std::optional<int> {
                 throws(next++);
                 return next <= count ? std::optional(next - 1) : std::nullopt;
               },
               on_error(skip)));
    g.sink("waiting", std::ref(waiting),
           g.source(
               "w",
               [&](const std::stop_token&) -> std::optional<int> {
                 throws(late++);
                 return late <= count ? std::optional(late - 1) : std::nullopt;
               },
               on_error(skip)));
    auto numbers = g.source("numbers", Count(count));
    g.sink("expand", std::ref(expand), g.expand("b", Repeat{}, numbers, on_error(skip)));
    g.sink("filter", std::ref(filter),
           g.filter(
               "c",
               [&](const int& n) {
                 throws(n);
                 return true;
               },
               numbers, on_error(skip)));
    auto [d, e] = g.partition(
        "d", "e",
        [&](const int& n) {
          throws(n);
          return true;
        },
        numbers, on_error(skip));
    g.sink("first", std::ref(first), d);
    g.sink("second", std::ref(second), e);
    auto cut = g.split(
        "f",
        [&](const int& n, std::size_t part, std::size_t) {
          if (part == 1) throws(n);
          return n;
        },
        numbers, shards(2), on_error(skip));
    g.sink("split", std::ref(split),
           g.fold(
               "whole", [](Group<int> s) { return s[0]; }, cut));
    auto plain = g.split(
        "plain", [](const int& n, std::size_t, std::size_t) { return n; }, numbers, shards(2));
    g.sink("fold", std::ref(fold),
           g.fold(
               "h",
               [&](Group<int> s) {
                 throws(s[1]);
                 return s[0];
               },
               plain, on_error(skip)));
    g.sink(
        "sink",
        [&](const int& n) {
          throws(n);
          sink.push_back(n);
        },
        on_error(skip), numbers);
    g.run();
    for (const auto* taken : {&source, &waiting, &expand, &filter, &first, &split, &fold})
      EXPECT_EQ(taken->taken, good(count));
    EXPECT_EQ(sink, good(count));
    const GraphStats stats = g.stats();
    for (const char* stage : {"a", "w", "b", "c", "d", "f", "h", "sink"})
      EXPECT_EQ(stats.stage(stage).errors, static_cast<std::uint64_t>(bad_ones)) << stage;
  });
}

TEST(OnError, WhatTheHandlerThrowsEndsTheRun) {
  Graph g("skip", threads(2));
  auto checked = g.map("check", Check{}, g.source("numbers", Count(count)), on_error(skip, [](const StageError& e) {
                         if (e.sequence() == 17u) throw std::logic_error("enough of it");
                       }));
  g.sink(
      "end", [](const int&) {}, checked);
  try {
    g.run();
    FAIL();
  } catch (const StageError& e) {
    EXPECT_EQ(e.stage(), "check");
    EXPECT_EQ(e.sequence(), 17u);
    EXPECT_TRUE(e.cause_as<std::logic_error>());
  }
}

TEST(OnError, IsRefusedOnTheWayToAFeedbackAndWhereThereIsNoBody) {
  Graph g("skip", threads(1));
  auto state = g.feedback("state", 0);
  auto checked = g.map("check", Check{}, g.source("numbers", Count(10)), on_error(skip));
  auto step = g.zip("step", checked, state, on_error(skip));
  auto next = g.map(
      "next", [](const std::tuple<int, int>& p) { return std::get<0>(p); }, step);
  state.close(next);
  g.sink(
      "end", [](const int&) {}, next);
  EXPECT_EQ(mistakes(g), (Mistakes{"stage 'step' has no body that could throw: on_error is not for it",
                                   "feedback 'state': on_error(skip) of 'check' may leave out messages of 'next', and "
                                   "it needs every one"}));
}

TEST(OnError, AnExpandOnTheWayToAFeedbackMustGiveAllItGets) {
  Graph g("skip", threads(1));
  auto state = g.feedback("state", 0);
  auto step = g.zip("step", g.source("numbers", Count(10)), state);
  auto next = g.map(
      "next", [](const std::tuple<int, int>& p) { return std::get<0>(p); }, step, on_error(skip));
  auto same = g.expand("lag", Lag(0), next);
  state.close(same);
  g.sink(
      "end", [](const int&) {}, same);
  EXPECT_EQ(mistakes(g),
            Mistakes{"feedback 'state': expand 'lag' on its way passes over messages (on_error(skip)), and "
                     "it needs every one"});
}

TEST(OnError, WhatAnExpandThrowsAtItsEndHasNoMessage) {
  struct ThrowsLate {
    bool finished = false;
    void push(const int&) {}
    std::optional<int> pull() {
      if (finished) throw std::runtime_error("late");
      return std::nullopt;
    }
    void finish() { finished = true; }
  };
  Graph g("skip", threads(2));
  g.sink(
      "end", [](const int&) {}, g.expand("late", ThrowsLate{}, g.source("numbers", Count(5)), on_error(skip)));
  EXPECT_THROW(g.run(), StageError);
}

TEST(OnError, WithoutItTheRunFails) {
  Graph g("fails", threads(2));
  g.sink(
      "end", [](const int&) {}, g.map("check", Check{}, g.source("numbers", Count(count))));
  EXPECT_THROW(g.run(), StageError);
}

}  // namespace
}  // namespace sluice::test
