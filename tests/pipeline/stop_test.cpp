// A run that is ended in order: sources are asked no more, and what they made goes on to its end.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <thread>
#include <tuple>
#include <vector>

#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

// Stops its graph at a message, from a body.
struct StopAt {
  Graph* graph;
  int at;
  int operator()(const int& n) const {
    if (n == at) graph->stop();
    return n;
  }
};

TEST(Stop, WhatWasMadeGoesOnToItsEndAndTheRunEndsAsEver) {
  for_each_thread_count([](std::size_t count) {
    Collect<> taken;
    Graph g("stop", threads(count));
    auto numbers = g.source("numbers", Endless{}, capacity(4));
    g.sink("taken", std::ref(taken), g.map("stops", StopAt{&g, 100}, numbers, unlimited));
    for (int run = 0; run < 3; ++run) {
      g.run();
      EXPECT_EQ(taken.finished, 1);
      EXPECT_GT(taken.taken.size(), 100u);
      EXPECT_EQ(taken.taken, iota(static_cast<int>(taken.taken.size()))) << "in order, and none lost";
      EXPECT_EQ(g.stats().stage("numbers").queued, 0u);
    }
  });
}

TEST(Stop, BeforeARunEndsTheNextAtOnceAndNoOther) {
  Collect<> taken;
  Graph g("stop", threads(2));
  g.sink("taken", std::ref(taken), g.source("numbers", Count(1000)));
  g.stop();
  g.run();
  EXPECT_EQ(taken.taken, std::vector<int>{});
  EXPECT_EQ(taken.finished, 1);
  g.run();
  EXPECT_EQ(taken.taken, iota(1000));
}

TEST(Stop, IsAskedForByATokenToo) {
  for_each_thread_count([](std::size_t count) {
    Collect<> taken;
    Graph g("stop", threads(count));
    std::stop_source source;
    auto stops = g.map(
        "stops",
        [&](const int& n) {
          if (n == 50) source.request_stop();
          return n;
        },
        g.source("numbers", Endless{}, capacity(4)));
    g.sink("taken", std::ref(taken), stops);
    g.run(source.get_token());
    EXPECT_GT(taken.taken.size(), 50u);
    EXPECT_EQ(taken.taken, iota(static_cast<int>(taken.taken.size())));
    g.run(source.get_token());
    EXPECT_EQ(taken.taken, std::vector<int>{}) << "it has asked already";
  });
}

TEST(Stop, FromAnotherThreadEndsAnEndlessRun) {
  for_each_thread_count([](std::size_t count) {
    Collect<> taken;
    Graph g("stop", threads(count));
    g.sink("taken", std::ref(taken), g.source("numbers", Endless{}));
    std::thread other([&] {
      while (g.stats().stage("numbers").items < 1000) std::this_thread::yield();
      g.stop();
    });
    g.run();
    other.join();
    EXPECT_GE(taken.taken.size(), 1000u);
  });
}

//  left  -> pair -> taken
//  right -> pair
TEST(Stop, OfJoinedStreamsTheShorterIsTheEnd) {
  for_each_thread_count([](std::size_t count) {
    Collect<std::tuple<int, int>> taken;
    Graph g("stop", threads(count));
    auto left = g.source("left", Endless{}, capacity(3));
    auto right = g.map("stops", StopAt{&g, 40}, g.source("right", Endless{}, capacity(50)));
    g.sink("taken", std::ref(taken), g.zip("pair", left, right, capacity(2)));
    for (int run = 0; run < 20; ++run) {
      g.run();
      EXPECT_EQ(taken.finished, 1);
      for (int k = 0; k < static_cast<int>(taken.taken.size()); ++k)
        EXPECT_EQ(taken.taken[static_cast<std::size_t>(k)], std::tuple(k, k));
    }
  });
}

TEST(Stop, AFeedbackKeepsTheValueOfItsLastLap) {
  for_each_thread_count([](std::size_t count) {
    Collect<> taken;
    Graph g("stop", threads(count));
    auto sum = g.feedback("sum", 0);
    auto both = g.zip("both", g.source("numbers", Endless{}, capacity(4)), sum);
    auto next = g.map(
        "next", [](const std::tuple<int, int>& p) { return std::get<0>(p) + std::get<1>(p); }, both);
    sum.close(next);
    g.sink("taken", std::ref(taken),
           g.map(
               "stops",
               [&](const int& n) {
                 if (n > 1000) g.stop();
                 return n;
               },
               next));
    g.run();
    ASSERT_FALSE(taken.taken.empty());
    EXPECT_EQ(sum.value(), taken.taken.back());
    const int before = sum.value();
    g.run();
    EXPECT_EQ(taken.taken.front(), before) << "the next run goes on from there";
  });
}

TEST(Stop, AnErrorMeanwhileIsAnErrorAndACancelEndsItAtOnce) {
  Graph g("stop", threads(2));
  bool cancels = false;
  auto numbers = g.source("numbers", Endless{}, capacity(4));
  g.sink(
      "end",
      [&](const int& n) {
        if (n == 10) g.stop();
        if (n == 10 && cancels) g.cancel();
        if (n == 10 && !cancels) throw std::runtime_error("10");
      },
      numbers);
  EXPECT_THROW(g.run(), StageError);
  cancels = true;
  EXPECT_THROW(g.run(), Cancelled);
}

// A token is asked for one run: not for one that is refused, and not behind the run.
TEST(Stop, ATokenStopsItsOwnRunAlone) {
  std::stop_source stopped;
  stopped.request_stop();
  Collect<> taken;
  Graph g("stop", threads(2));
  std::atomic<bool> refused{false};
  g.sink("taken", std::ref(taken),
         g.map(
             "tries",
             [&](const int& n) {
               if (n == 0) {
                 EXPECT_THROW(g.run(stopped.get_token()), std::logic_error);
                 refused = true;
               }
               return n;
             },
             g.source("numbers", Count(1000), capacity(4))));
  g.run();
  EXPECT_TRUE(refused);
  EXPECT_EQ(taken.taken, iota(1000));

  std::stop_source later;
  g.run(later.get_token());
  later.request_stop();
  g.run();
  EXPECT_EQ(taken.taken, iota(1000));
}

}  // namespace
}  // namespace sluice::test
