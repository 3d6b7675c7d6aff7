// What is told of a run while it is on.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

// Ends when it has been told of so often.
struct Until {
  std::atomic<int>* told;
  int often, next = 0;
  std::optional<int> operator()() { return *told < often ? std::optional(next++) : std::nullopt; }
  void reset() { next = 0; }
};

TEST(OnProgress, TellsWhatHasBeenCountedOnAThreadOfItsOwnWhileARunIsOn) {
  for_each_thread_count([](std::size_t count) {
    std::atomic<int> told{0};
    std::mutex mutex;
    std::set<std::thread::id> bodies, tellers;
    std::uint64_t before = 0;
    Graph g("progress", threads(count));
    auto numbers = g.source("numbers", Until{&told, 5}, capacity(4));
    g.sink(
        "end",
        [&](const int&) {
          const std::lock_guard lock(mutex);
          bodies.insert(std::this_thread::get_id());
        },
        numbers);
    g.on_progress(200us, [&](const GraphStats& stats) {
      EXPECT_EQ(stats.graph, "progress");
      const std::uint64_t items = stats.stage("numbers").items;
      EXPECT_GE(items, before);
      before = items;
      tellers.insert(std::this_thread::get_id());
      ++told;
    });
    g.run();
    const int after = told;
    EXPECT_GE(after, 5);
    EXPECT_EQ(tellers.size(), 1u);
    for (const std::thread::id teller : tellers) EXPECT_EQ(bodies.count(teller), 0u);
    std::this_thread::sleep_for(3ms);
    EXPECT_EQ(told, after) << "nobody is called behind the run";
    g.on_progress(200us, {});
    g.run();
    EXPECT_EQ(told, after);
  });
}

TEST(OnProgress, WhatItThrowsEndsTheRunAndIsThrown) {
  std::atomic<int> told{0};
  Graph g("progress", threads(2));
  g.sink(
      "end", [](const int&) {}, g.source("numbers", Until{&told, 2}, capacity(4)));
  g.on_progress(100us, [](const GraphStats&) { throw std::out_of_range("told"); });
  EXPECT_THROW(g.run(), std::out_of_range);
  g.on_progress(100us, [&](const GraphStats&) { ++told; });
  g.run();
  EXPECT_GE(told, 2);
}

TEST(OnProgress, ItMayStopTheRun) {
  std::atomic<int> never{0};
  Collect<> taken;
  Graph g("progress", threads(2));
  g.sink("taken", std::ref(taken), g.source("numbers", Until{&never, 1}, capacity(4)));
  g.on_progress(100us, [&](const GraphStats& stats) {
    if (stats.stage("taken").items > 100) g.stop();
  });
  g.run();
  EXPECT_EQ(taken.taken, iota(static_cast<int>(taken.taken.size())));
  EXPECT_GT(taken.taken.size(), 100u);
}

TEST(OnProgress, APeriodThatCannotBeIsRefused) {
  Graph g("progress", threads(1));
  EXPECT_THROW(g.on_progress(0ns, [](const GraphStats&) {}), std::invalid_argument);
  g.on_progress(0ns, {});
}

}  // namespace
}  // namespace sluice::test
