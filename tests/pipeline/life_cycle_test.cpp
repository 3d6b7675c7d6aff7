// A graph is run, run again, cancelled and destroyed.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "tests/pipeline/everything.hpp"
#include "tests/support/concurrency.hpp"
#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

struct RaiseAt {
  Signal* signal;
  int at;
  void operator()(const int& n) {
    if (n == at) signal->raise();
  }
};

TEST(LifeCycle, AGraphRunsAgainWithTheSameResult) {
  for_each_thread_count([](std::size_t count) {
    Everything all(97, threads(count));
    std::vector<long> expected;
    all.expected(expected);
    for (int run = 0; run < 10; ++run) {
      all.state.set_value(0);
      all.graph.run();
      ASSERT_EQ(all.taken, expected);
    }
  });
}

TEST(LifeCycle, SettingsMayChangeBetweenTwoRuns) {
  for_each_thread_count([](std::size_t count) {
    Everything all(97, threads(count));
    std::vector<long> expected;
    all.expected(expected);
    for (const std::size_t room : {1u, 16u, 2u}) {
      for (const char* stage : {"numbers", "repeat", "pair", "cut", "sum"}) all.graph.set_capacity(stage, room);
      all.graph.set_concurrency("plus", Concurrency{room});
      all.state.set_value(0);
      all.graph.run();
      ASSERT_EQ(all.taken, expected);
    }
  });
}

//  numbers -> a
//          -> b
TEST(LifeCycle, StagesMayBeAddedAfterARun) {
  Collect a, b;
  Graph g("grows", threads(2));
  auto numbers = g.source("numbers", Count(9));
  g.sink("a", std::ref(a), numbers);
  g.run();
  g.sink("b", std::ref(b), numbers);
  g.run();
  EXPECT_EQ(a.taken, iota(9));
  EXPECT_EQ(b.taken, iota(9));
}

//  numbers -> same -> end
TEST(LifeCycle, CancelFromAnotherThreadEndsARunAndTheNextOneWorks) {
  for_each_thread_count([](std::size_t count) {
    for (const std::size_t room : capacities) {
      Signal under_way;
      Endless numbers;
      Graph g("cancelled", threads(count));
      auto same = g.map(
          "same", [](const int& n) { return n; }, g.source("numbers", std::ref(numbers), capacity(room)), unlimited);
      g.sink("end", RaiseAt{&under_way, 100}, same);
      std::thread other([&] {
        EXPECT_TRUE(under_way.wait());
        g.cancel();
      });
      EXPECT_EQ(thrown<Cancelled>([&] { g.run(); }), "graph 'cancelled' was cancelled");
      other.join();
    }
    Everything all(97, threads(count));
    all.graph.cancel();
    EXPECT_THROW(all.graph.run(), Cancelled);
    std::vector<long> expected;
    all.expected(expected);
    all.graph.run();
    EXPECT_EQ(all.taken, expected);
  });
}

TEST(LifeCycle, CancelBeforeARunCancelsThatRunBeforeAnythingIsMade) {
  Graph g("cancelled", threads(2));
  Collect taken;
  int asked = 0;
  g.sink("taken", std::ref(taken), g.source("numbers", [&]() -> std::optional<int> { return ++asked, std::nullopt; }));
  g.cancel();
  g.cancel();
  EXPECT_THROW(g.run(), Cancelled);
  EXPECT_EQ(asked, 0);
  g.run();
  EXPECT_EQ(asked, 1);
}

TEST(LifeCycle, ABodyMayCancelItsOwnGraph) {
  for_each_thread_count([](std::size_t count) {
    int taken = 0;
    Graph g("cancelled", threads(count));
    g.sink(
        "end",
        [&](const int& n) {
          ++taken;
          if (n == 5) g.cancel();
        },
        g.source("numbers", Endless{}));
    EXPECT_THROW(g.run(), Cancelled);
    EXPECT_EQ(taken, 6) << "no body begins after the cancel";
  });
}

TEST(LifeCycle, ARunThatWasCancelledFinishesNoSink) {
  Collect taken;
  Graph g("cancelled", threads(2));
  auto numbers = g.source("numbers", Count(1000), capacity(1));
  g.sink("taken", std::ref(taken), numbers);
  g.sink(
      "end",
      [&](const int& n) {
        if (n == 5) g.cancel();
      },
      numbers);
  EXPECT_THROW(g.run(), Cancelled);
  EXPECT_EQ(taken.finished, 0);
}

TEST(LifeCycle, AnErrorGoesBeforeACancel) {
  Graph g("both", threads(1));
  g.sink(
      "end",
      [&](const int&) {
        g.cancel();
        throw std::runtime_error("first");
      },
      g.source("numbers", Endless{}));
  EXPECT_TRUE(stage_error([&] { g.run(); }));
}

TEST(LifeCycle, AGraphMayBeDestroyedWhileItRunsInAnotherThread) {
  for_each_thread_count([](std::size_t count) {
    for (int again = 0; again < 20; ++again) {
      Signal under_way;
      auto g = std::make_unique<Graph>("destroyed", threads(count));
      auto same = g->map(
          "same", [](const int& n) { return n; }, g->source("numbers", Endless{}), unlimited);
      g->sink("end", RaiseAt{&under_way, again}, same);
      std::thread runner([graph = g.get()] { EXPECT_THROW(graph->run(), Cancelled); });
      EXPECT_TRUE(under_way.wait());
      g.reset();
      runner.join();
    }
  });
}

TEST(LifeCycle, AGraphMayBeDestroyedUnwiredUnrunAfterAnErrorAndAfterAStall) {
  { const Graph empty("empty", threads(2)); }
  {
    Graph g("half wired", threads(2));
    g.feedback("open", std::vector<int>(10));
    g.source("numbers", Count(3));
  }
  {
    Graph g("failed", threads(2));
    auto texts = g.map(
        "texts", [](const int&) { return std::string(100, 'x'); }, g.source("numbers", Count(30)));
    g.sink(
        "end", [](const std::string&) { throw std::runtime_error("bad"); }, texts);
    EXPECT_THROW(g.run(), StageError);
  }
  {
    Graph g("stalled", threads(2));
    auto numbers = g.source("numbers", Count(30), capacity(1));
    auto lag = g.expand("lag", Lag(5), numbers);
    g.sink(
        "end", [](const std::tuple<int, int>&) {}, g.zip("pair", numbers, lag));
    EXPECT_THROW(g.run(), Stalled);
  }
}

TEST(LifeCycle, AGraphWithoutStagesRunsAndDoesNothing) {
  Graph g("empty", threads(2));
  g.run();
  EXPECT_EQ(g.stats().runs, 1u);
  EXPECT_EQ(g.picture(), "");
}

TEST(LifeCycle, ASecondRunAtTheSameTimeIsRefused) {
  Signal under_way, refused;
  Graph g("twice", threads(2));
  g.sink(
      "end",
      [&](const int&) {
        under_way.raise();
        EXPECT_TRUE(refused.wait());
      },
      g.source("numbers", Count(1)));
  std::thread runner([&] { g.run(); });
  EXPECT_TRUE(under_way.wait());
  EXPECT_EQ(thrown<std::logic_error>([&] { g.run(); }), "graph 'twice' is running already");
  refused.raise();
  runner.join();
}

TEST(LifeCycle, ARunningGraphIsNotChanged) {
  Signal under_way, refused;
  Graph g("running", threads(2));
  auto numbers = g.source("numbers", Count(1));
  g.sink(
      "end",
      [&](const int&) {
        under_way.raise();
        EXPECT_TRUE(refused.wait());
      },
      numbers);
  std::thread runner([&] { g.run(); });
  EXPECT_TRUE(under_way.wait());
  EXPECT_THROW(g.set_capacity("numbers", 3), std::logic_error);
  EXPECT_THROW(g.sink(
                   "late", [](const int&) {}, numbers),
               std::logic_error);
  refused.raise();
  runner.join();
  EXPECT_EQ(g.stages().size(), 2u);
}

// A value that cancels when it comes to lie where a run leaves its result: later than that a cancel cannot come.
struct CancelsLate {
  static inline Graph* graph = nullptr;
  static inline const CancelsLate* place = nullptr;
  explicit CancelsLate(int value) : n(value) {}
  CancelsLate(const CancelsLate&) = default;
  CancelsLate& operator=(const CancelsLate&) = default;
  CancelsLate& operator=(CancelsLate&& other) noexcept {
    n = other.n;
    if (this == place) graph->cancel();
    return *this;
  }
  int n;
};

TEST(LifeCycle, ACancelThatComesWhenAllIsDoneDoesNotTakeBackTheRun) {
  Graph g("late", threads(2));
  auto value = g.feedback("value", CancelsLate(0));
  auto step = g.zip("step", g.source("numbers", Count(20)), value);
  value.close(g.map(
      "next", [](const std::tuple<int, CancelsLate>& s) { return CancelsLate(std::get<1>(s).n + 1); }, step));
  CancelsLate::graph = &g;
  CancelsLate::place = &value.value();
  g.run();
  EXPECT_EQ(value.value().n, 20);
  g.run();
  EXPECT_EQ(value.value().n, 40);
  CancelsLate::place = nullptr;
}

}  // namespace
}  // namespace sluice::test
