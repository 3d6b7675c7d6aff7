// Seen from outside, always.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <thread>
#include <tuple>

#include <sluice/pipeline/detail/counters.hpp>
#include "tests/pipeline/everything.hpp"
#include "tests/support/concurrency.hpp"
#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

TEST(Stats, ItemsAreExactForEveryVerbAndAddUpOverRuns) {
  for_each_thread_count([](std::size_t count) {
    Graph g("items", threads(count));
    auto value = g.feedback("value", 0);
    auto numbers = g.map(
        "map", [](const int& n) { return n; }, g.source("source", Count(97)), unlimited);
    auto pair = g.zip("zip", g.expand("expand", Repeat(2), numbers), value);
    auto cut = g.split(
        "split", [](const std::tuple<int, int>& p, std::size_t, std::size_t) { return std::get<0>(p); }, pair,
        shards(4));
    auto sum = g.fold(
        "fold", [](Group<int> p) { return p[0]; },
        g.map(
            "shards", [](const int& n) { return n; }, cut, unlimited));
    value.close(sum);
    g.sink(
        "sink", [](const int&) {}, sum);
    for (std::uint64_t run = 1; run <= 3; ++run) {
      g.run();
      const GraphStats stats = g.stats();
      EXPECT_EQ(stats.graph, "items");
      EXPECT_EQ(stats.runs, run);
      EXPECT_EQ(stats.threads, count);
      const std::uint64_t repeated = Repeat::expected(97, 2).size();
      EXPECT_EQ(stats.stage("source").items, run * 97);
      EXPECT_EQ(stats.stage("map").items, run * 97);
      EXPECT_EQ(stats.stage("expand").items, run * repeated);
      EXPECT_EQ(stats.stage("zip").items, run * repeated);
      EXPECT_EQ(stats.stage("split").items, run * repeated * 4);
      EXPECT_EQ(stats.stage("shards").items, run * repeated * 4);
      EXPECT_EQ(stats.stage("fold").items, run * repeated);
      EXPECT_EQ(stats.stage("sink").items, run * repeated);
      EXPECT_EQ(stats.stage("value").items, run * (repeated + 1)) << "and the value left over";
    }
  });
}

TEST(Histogram, QuantilesAreWithinASeventh) {
  for (detail::Number n = 0; n < 5000; ++n) {
    detail::Histogram histogram;
    histogram.add(n, 1);
    std::array<detail::Number, 256> sums{};
    histogram.add_to(sums);
    EXPECT_NEAR(detail::Histogram::quantile(sums, 0.5), static_cast<double>(n), static_cast<double>(n) / 7);
    EXPECT_EQ(detail::Histogram::quantile(sums, 0.99), detail::Histogram::quantile(sums, 0.5));
  }
}

// Where a tick is longer than a message takes.
TEST(Histogram, MessagesOfLessThanATickAreToldApart) {
  detail::Histogram histogram;
  histogram.add(10, 100);
  std::array<detail::Number, 256> sums{};
  histogram.add_to(sums);
  EXPECT_NEAR(detail::Histogram::quantile(sums, 0.5), 0.1, 0.1 / 7);
  detail::Cost cost;
  cost.update(10, 100);
  EXPECT_EQ(cost.get(), detail::Cost::of(10) / 100);
}

TEST(Histogram, QuantilesTellTheFewFromTheMany) {
  detail::Histogram histogram;
  histogram.add(100 * 980, 980);
  histogram.add(5000 * 20, 20);
  std::array<detail::Number, 256> sums{};
  histogram.add_to(sums);
  EXPECT_NEAR(detail::Histogram::quantile(sums, 0.5), 100, 100.0 / 7);
  EXPECT_NEAR(detail::Histogram::quantile(sums, 0.99), 5000, 5000.0 / 7);
}

TEST(Stats, TimesAreNeverNegativeAndNoThreadIsInTwoPlaces) {
  for_each_thread_count([](std::size_t count) {
    Everything all(500, threads(count));
    for (int run = 0; run < 3; ++run) all.graph.run();
    const GraphStats stats = all.graph.stats();
    double busy = 0;
    for (const StageStats& s : stats.stages) {
      for (const double time : {s.busy, s.starved, s.blocked, s.ready}) EXPECT_GE(time, 0) << s.name;
      busy += s.busy;
      // A gate is in one of its states at a time.
      if (s.verb != Verb::map) {
        EXPECT_LE(s.busy + s.starved + s.blocked + s.ready, 1.05 * stats.wall + 1e-3) << s.name;
      }
    }
    EXPECT_GT(stats.wall, 0);
    EXPECT_LE(busy, 1.05 * stats.wall * static_cast<double>(count) + 1e-3);
  });
}

//  numbers -> pass -> end
TEST(Stats, ASourceThatWaitsForRoomIsBlockedAndASinkNeverIs) {
  for_each_thread_count([](std::size_t count) {
    Graph g("blocked", threads(count));
    auto pass = g.expand("pass", Lag(0), g.source("numbers", Count(500), capacity(1)), capacity(1));
    g.sink(
        "end", [](const int&) { spin(1000); }, pass);
    g.run();
    EXPECT_GT(g.stats().stage("numbers").blocked, 0);
    EXPECT_GT(g.stats().stage("end").starved, 0);
    EXPECT_GT(g.stats().stage("end").busy, 0);
    EXPECT_EQ(g.stats().stage("end").blocked, 0);
  });
}

// A stage that asks again and again whether something has come looks busy: only it knows that it waits.
TEST(Stats, WhatAStageSaysThatItHasWaitedIsNotBusy) {
  struct Asks {
    const double* waited;
    int operator()(const int& n) const {
      const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
      while (std::chrono::steady_clock::now() < end) {
      }
      return n;
    }
    double waited_seconds() const { return *waited; }
  };
  double waited = 5;  // before this graph
  int next = 0;
  Graph g("asks");
  auto numbers = g.source("numbers", [&] { return next < 10 ? std::optional(next++) : std::nullopt; });
  g.sink(
      "end", [&](const int&) { waited += 0.001; }, g.map("ask", Asks{&waited}, numbers));
  g.run();
  const StageStats ask = g.stats().stage("ask");
  EXPECT_NEAR(ask.waiting, 0.010, 1e-9);
  EXPECT_GT(ask.busy, 0.009);  // of 20 ms
}

TEST(Stats, HighWaterNeverExceedsTheCapacity) {
  for_each_shape([](const Shape& shape) {
    Everything all(static_cast<std::uint64_t>(shape.items), threads(shape.threads), shape.capacity);
    all.graph.run();
    for (const StageStats& s : all.graph.stats().stages) EXPECT_LE(s.high_water, s.capacity) << s.name;
  });
}

//  numbers -> outer => inner => pair => sum => whole -> end
//                            => pair
TEST(Stats, HighWaterCountsMessagesBeforeEveryCutAsTheCapacityDoes) {
  for_each_shape([](const Shape& shape) {
    Graph g("cuts", threads(shape.threads));
    const auto room = capacity(shape.capacity);
    auto inner = g.split("inner", Cut{}, g.split("outer", Cut{}, g.source("numbers", Count(shape.items)), shards(3)),
                         shards(2), room);
    auto sum = g.fold(
        "sum", [](Group<std::tuple<int, int>> parts) { return std::get<0>(parts[0]); },
        g.zip("pair", inner, inner, room), room);
    g.sink(
        "end", [](const int&) {},
        g.fold(
            "whole", [](Group<int> parts) { return parts[0]; }, sum));
    g.run();
    for (const StageStats& s : g.stats().stages) {
      EXPECT_LE(s.high_water, s.capacity) << s.name;
      EXPECT_GE(s.high_water, s.capacity > 0 && shape.items > 0 ? 1u : 0u) << s.name;
      EXPECT_EQ(s.queued, 0u) << s.name;
    }
  });
}

TEST(Stats, CanBeReadFromAnotherThreadWhileTheGraphRuns) {
  std::atomic<bool> done{false};
  Signal reading;
  int next = 0;
  Graph g("read", threads(2));
  auto numbers = g.source("numbers", [&]() -> std::optional<int> {
    if (next == 10) {
      EXPECT_TRUE(reading.wait());
    }
    return next < 5000 ? std::optional(next++) : std::nullopt;
  });
  g.sink(
      "end", [](const int&) {},
      g.map(
          "same", [](const int& n) { return n; }, numbers, unlimited));
  std::thread reader([&] {
    std::uint64_t before = 0;
    while (!done) {
      const GraphStats stats = g.stats();
      const std::uint64_t now = stats.stage("end").items;
      EXPECT_GE(now, before) << "counts only grow";
      EXPECT_GE(stats.wall, 0);
      before = now;
      reading.raise();
    }
  });
  g.run();
  done = true;
  reader.join();
  EXPECT_EQ(g.stats().stage("end").items, 5000u);
}

// Wiring belongs to one thread, reading the counters to any. (Run under the thread sanitizer.)
TEST(Stats, CanBeReadFromAnotherThreadWhileTheGraphIsWiredAndSet) {
  std::atomic<bool> done{false};
  Signal reading;
  Graph g("read", threads(1));
  std::thread reader([&] {
    while (!done) {
      EXPECT_LE(g.stats().stages.size(), 201u);
      reading.raise();
    }
  });
  EXPECT_TRUE(reading.wait());
  Stream<int> stream = g.source("numbers", Count(3));
  for (int k = 0; k < 198; ++k)
    stream = g.map(
        "m" + std::to_string(k), [](const int& n) { return n; }, stream);
  g.sink(
      "end", [](const int&) {}, stream);
  for (int run = 0; run < 5; ++run) {
    g.run();
    g.set_capacity("numbers", 3);
    g.set_concurrency("m1", unlimited);
  }
  done = true;
  reader.join();
}

TEST(Stats, BeginAnewWhenASettingOrTheWiringChanges) {
  Collect a, b;
  Graph g("anew", threads(1));
  auto numbers = g.source("numbers", Count(97));
  g.sink("a", std::ref(a), numbers);
  g.run();
  g.run();
  EXPECT_EQ(g.stats().stage("a").items, 2 * 97u);
  g.set_capacity("numbers", 3);
  EXPECT_EQ(g.stats().stage("a").items, 0u);
  EXPECT_EQ(g.stats().runs, 0u);
  EXPECT_EQ(g.stats().wall, 0);
  g.run();
  EXPECT_EQ(g.stats().stage("a").items, 97u);
  EXPECT_EQ(g.stats().runs, 1u);
  g.sink("b", std::ref(b), numbers);
  EXPECT_EQ(g.stats().runs, 0u);
}

TEST(Stats, SayWhatWasWired) {
  Graph g("wired", threads(2));
  auto numbers = g.source("numbers", Count(3), capacity(5));
  auto a = g.map(
      "a", [](const int& n) { return n; }, numbers, unlimited);
  auto b = g.map(
      "b", [](const int& n) { return n; }, a, up_to(3));
  g.sink(
      "end", [](const int&) {}, b);
  const GraphStats stats = g.stats();  // also before the first run
  ASSERT_EQ(stats.stages.size(), 4u);
  EXPECT_EQ(stats.runs, 0u);
  EXPECT_EQ(stats.stage("numbers").verb, Verb::source);
  EXPECT_EQ(stats.stage("numbers").capacity, 5u);
  EXPECT_EQ(stats.stage("a").concurrency, unlimited);
  EXPECT_EQ(stats.stage("b").concurrency, Concurrency{3});
  EXPECT_EQ(stats.stage("b").capacity, 0u);
  EXPECT_EQ(stats.stage("end").concurrency, serial);
  EXPECT_THROW(stats.stage("nobody"), std::out_of_range);
}

TEST(Stats, OfARunThatFailedCountWhatWasMade) {
  Graph g("failed", threads(1));
  auto map = g.map(
      "map",
      [](const int& n) {
        if (n == 50) throw std::runtime_error("bad");
        return n;
      },
      g.source("numbers", Count(97), capacity(16)));
  g.sink(
      "end", [](const int&) {}, map);
  EXPECT_THROW(g.run(), StageError);
  EXPECT_EQ(g.stats().runs, 1u);
  EXPECT_EQ(g.stats().stage("map").items, 50u);
  EXPECT_GE(g.stats().stage("numbers").items, 51u);
  EXPECT_LE(g.stats().stage("end").items, 50u);
}

}  // namespace
}  // namespace sluice::test
