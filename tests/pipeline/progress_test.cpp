// A graph always goes on: with one thread, with many, whatever is woken when.
#include <gtest/gtest.h>
#include <oneapi/tbb/parallel_for.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "tests/pipeline/everything.hpp"
#include "tests/support/concurrency.hpp"
#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

//  numbers -> before
//          -> held
//          -> after
// The last ticket comes to 'held' while its body runs: both neighbours, one wired before and one after it, have had it.
TEST(Progress, WhatArrivesWhileAGateRunsIsSeenBeforeItLeaves) {
  struct Last {
    Signal* seen;
    void operator()(const int&) {}
    void finish() { seen->raise(); }
  };
  Signal before, after;
  Collect taken;
  Graph g("held", threads(2));
  auto numbers = g.source("numbers", Count(1));
  g.sink("before", Last{&before}, numbers);
  g.sink(
      "held",
      [&](const int& n) {
        EXPECT_TRUE(before.wait());
        EXPECT_TRUE(after.wait());
        taken(n);
      },
      numbers);
  g.sink("after", Last{&after}, numbers);
  g.run();
  EXPECT_EQ(taken.taken, iota(1));
}

//  numbers -> a -> end
// Producer and consumer meet at every message: each goes idle while the other wakes it.
TEST(Progress, NoWakeUpIsLostBetweenAFullProducerAndAnEmptyConsumer) {
  for (const std::size_t count : {1u, 2u, 3u, 8u})
    for (const std::size_t room : {1u, 2u, 3u}) {
      int taken = 0;
      Graph g("tight", threads(count));
      auto a = g.map(
          "a", [](const int& n) { return n; }, g.source("numbers", Count(20'000), capacity(room)));
      g.sink(
          "end", [&](const int&) { ++taken; }, g.expand("again", Lag(0), a, capacity(room)));
      g.run();
      EXPECT_EQ(taken, 20'000);
    }
}

//  numbers -> meet -> end
TEST(Progress, AnUnlimitedMapRunsOnEveryThreadAtOnce) {
  for (const std::size_t count : {2u, 8u}) {
    Rendezvous all(count);
    Graph g("unlimited", threads(count));
    auto meet = g.map(
        "meet",
        [&](const int& n) {
          EXPECT_TRUE(all.meet());
          return n;
        },
        g.source("numbers", Count(97)), unlimited);
    g.sink(
        "end", [](const int&) {}, meet);
    g.run();
    EXPECT_TRUE(all.met());
  }
}

TEST(Progress, TwoStagesOfAChainRunAtTheSameTime) {
  Rendezvous both(2);
  Graph g("chain", threads(2));
  auto first = g.map(
      "first",
      [&](const int& n) {
        if (n == 1) {
          EXPECT_TRUE(both.meet());
        }
        return n;
      },
      g.source("numbers", Count(2)));
  g.sink(
      "second",
      [&](const int& n) {
        if (n == 0) {
          EXPECT_TRUE(both.meet());
        }
      },
      first);
  g.run();
  EXPECT_TRUE(both.met());
}

TEST(Progress, AMapNeverHasMoreBodiesAtOnceThanItWasAllowed) {
  for (const std::size_t limit : {1u, 2u, 3u}) {
    Peak bodies;
    Rendezvous as_many(limit);
    Graph g("limits", threads(8));
    auto work = g.map(
        "work",
        [&](const int& n) {
          const Inside inside(bodies);
          EXPECT_TRUE(as_many.meet());
          spin(5000);
          return n;
        },
        g.source("numbers", Count(500)), up_to(limit));
    g.sink(
        "end", [](const int&) {}, work);
    g.run();
    EXPECT_EQ(bodies.peak(), static_cast<long>(limit));
  }
}

TEST(Progress, EveryVerbButAnUnlimitedMapHasOneBodyAtATime) {
  Peak source, expand, fold, sink;
  struct Once {
    Peak* peak;
    std::optional<int> held;
    void push(const int& n) {
      const Inside in(*peak);
      held = n;
    }
    std::optional<int> pull() {
      const Inside in(*peak);
      return std::exchange(held, std::nullopt);
    }
  };
  Graph g("one", threads(8));
  int next = 0;
  auto numbers = g.source(
      "numbers",
      [&]() -> std::optional<int> {
        const Inside in(source);
        return next < 3000 ? std::optional(next++) : std::nullopt;
      },
      capacity(8));
  auto same = g.map(
      "same", [](const int& n) { return n; }, numbers, unlimited);
  auto cut = g.split("cut", Cut{}, g.expand("expand", Once{&expand, {}}, same), shards(3));
  auto sum = g.fold(
      "fold",
      [&](Group<int> p) {
        const Inside in(fold);
        return p[0];
      },
      g.map(
          "also", [](const int& n) { return n; }, cut, unlimited));
  g.sink(
      "sink", [&](const int&) { const Inside in(sink); }, sum);
  g.run();
  for (const Peak* peak : {&source, &expand, &fold, &sink}) EXPECT_EQ(peak->peak(), 1);
}

//  numbers -> a -> together
//          -> b -> together
//          -> c -> together
TEST(Progress, ThreeConsumersOfOneStreamOfUnequalSpeedAllGetEverything) {
  for_each_shape([](const Shape& shape) {
    int seen = 0;
    Graph g("fan out", threads(shape.threads));
    auto numbers = g.source("numbers", Count(shape.items), capacity(shape.capacity));
    auto a = g.map(
        "a", [](const int& n) { return n; }, numbers, unlimited);
    auto b = g.expand("b", Lag(shape.capacity - 1), numbers, capacity(1));
    auto c = g.fold("c", Sum{}, g.split("cut", Cut{}, numbers, shards(2), capacity(2)));
    g.sink(
        "together", [&](const int& x, const int& y, const long& z) { seen += x == y && z == 4 * x + 1; }, a, b, c);
    g.run();
    EXPECT_EQ(seen, shape.items);
  });
}

TEST(Progress, BodiesMayUseNestedParallelism) {
  for_each_thread_count([](std::size_t count) {
    const auto nested = [](long n) {
      std::atomic<long> sum{0};
      tbb::parallel_for(0, 64, [&](int i) { sum += i; });
      return n + sum - 2016;
    };
    long taken = 0;
    int next = 0;
    Graph g("nested", threads(count));
    auto numbers = g.source(
        "numbers", [&]() -> std::optional<long> { return next < 200 ? std::optional(nested(next++)) : std::nullopt; },
        capacity(4));
    auto work = g.map(
        "work", [&](const long& n) { return nested(n); }, numbers, unlimited);
    auto sum = g.fold(
        "sum", [&](Group<long> p) { return nested(p[0] + p[1]); },
        g.split(
            "cut", [&](const long& n, std::size_t, std::size_t) { return nested(n); }, work, shards(2)));
    g.sink(
        "end", [&](const long& n) { taken += nested(n); }, sum);
    g.run();
    EXPECT_EQ(taken, 199 * 200);
  });
}

// Each on threads of its own, as the jobs of a sweep are; and when the outer one is cancelled, those within still end.
TEST(Progress, BodiesMayRunGraphsOfTheirOwn) {
  for_each_thread_count([](std::size_t count) {
    for (const std::size_t within : {1u, 2u}) {
      const auto inner = [within](const int& n) {
        long sum = 0;
        int next = 0;
        Graph g("inner", Threads(within));
        auto numbers = g.source(
            "numbers", [&]() -> std::optional<int> { return next < 50 ? std::optional(n + next++) : std::nullopt; });
        auto doubled = g.map(
            "double", [](const int& m) { return 2L * m; }, numbers, unlimited);
        g.sink(
            "sum", [&](const long& m) { sum += m; }, doubled);
        g.run(), next = 0, g.run();
        return sum;
      };
      long taken = 0;
      int next = 0;
      Graph g("outer", threads(count));
      auto numbers =
          g.source("numbers", [&]() -> std::optional<int> { return next < 40 ? std::optional(next++) : std::nullopt; });
      g.sink(
          "end", [&](const long& n) { taken += n; }, g.map("inner", inner, numbers, unlimited));
      g.run();
      EXPECT_EQ(taken, 40 * 2 * 2 * 1225 + 2 * 2 * 50 * 780);
      next = 0;
      std::atomic<int> begun{0};
      Graph cut("cut", threads(count));
      auto again = cut.source("numbers",
                              [&]() -> std::optional<int> { return next < 40 ? std::optional(next++) : std::nullopt; });
      const auto cancels = [&](const int& n) {
        if (++begun == 5) cut.cancel();
        return inner(n);
      };
      cut.sink(
          "end", [](const long&) {}, cut.map("inner", cancels, again, unlimited));
      EXPECT_THROW(cut.run(), Cancelled);
    }
  });
}

// A body that waits for its own parallel loop must not find another body of the graph on its stack: what it keeps in
// thread-locals would be overwritten, and its time would be counted twice.
TEST(Progress, NoBodyRunsInsideAnotherThatWaitsForItsNestedTasks) {
  static thread_local int depth = 0;
  for_each_thread_count([](std::size_t count) {
    std::atomic<int> deepest{0};
    const auto nested = [&](const int& n) {
      if (++depth > deepest) deepest = depth;
      tbb::parallel_for(
          0, 16, [](int i) { spin(1000 * i); }, tbb::simple_partitioner());
      --depth;
      return n;
    };
    Graph g("nested", threads(count));
    auto work = g.map("work", nested, g.source("numbers", Count(1000), capacity(64)), unlimited);
    g.sink("end", nested, work);
    g.run();
    EXPECT_EQ(deepest, 1);
  });
}

TEST(Progress, ABodyMayRunAnotherGraphOnTheSameThreads) {
  for_each_thread_count([](std::size_t count) {
    int sum = 0;
    Graph outer("outer", threads(count));
    auto work = outer.map(
        "work",
        [&](const int& n) {
          int inner_sum = 0;
          Graph inner("inner", threads(count));
          inner.sink(
              "end", [&](const int& k) { inner_sum += k; }, inner.source("numbers", Count(n)));
          inner.run();
          return inner_sum;
        },
        outer.source("numbers", Count(20)), unlimited);
    outer.sink(
        "end", [&](const int& n) { sum += n; }, work);
    outer.run();
    EXPECT_EQ(sum, 1140);
  });
}

TEST(Progress, GraphsThatShareThreadsRunAtTheSameTime) {
  for_each_thread_count([](std::size_t count) {
    std::vector<std::thread> runners;
    std::atomic<int> right{0};
    for (int graph = 0; graph < 4; ++graph)
      runners.emplace_back([&] {
        Everything all(97, threads(count));
        std::vector<long> expected;
        all.expected(expected);
        all.graph.run();
        right += all.taken == expected;
      });
    for (auto& runner : runners) runner.join();
    EXPECT_EQ(right, 4);
  });
}

// Random graphs of streams of equal length: chains, branches, zips, shards, with random capacities.
class RandomGraph {
 public:
  RandomGraph(std::uint32_t seed, int items, const Threads& workers) : g("random", workers), state_(seed) {
    add(g.source("source", Count(items), room()), iota(items));
    for (int k = static_cast<int>(2 + random(10)); k > 0; --k) grow();
    // Whatever nobody reads gets a sink.
    for (std::size_t i = 0; i < streams_.size(); ++i) {
      sinks_.push_back(std::make_unique<Collect<int>>());
      g.sink(name(), std::ref(*sinks_.back()), streams_[i]);
    }
  }
  void run_and_check() {
    g.run();
    for (std::size_t i = 0; i < streams_.size(); ++i) ASSERT_EQ(sinks_[i]->taken, values_[i]) << g.dot();
  }

  Graph g;

 private:
  std::uint32_t random(std::uint32_t below) {
    state_ = state_ * 1664525 + 1013904223;
    return (state_ >> 16) % below;
  }
  std::string name() { return "s" + std::to_string(names_++); }
  Capacity room() { return capacity(capacities[random(4)]); }
  Concurrency at_once() { return Concurrency{random(3)}; }
  void add(Stream<int> stream, std::vector<int> values) {
    streams_.push_back(stream);
    values_.push_back(std::move(values));
  }
  static int mix(int a, int b) { return (3 * a + b) % 10'007; }

  void grow() {
    const std::size_t a = random(static_cast<std::uint32_t>(streams_.size()));
    const std::size_t b = random(static_cast<std::uint32_t>(streams_.size()));
    std::vector<int> values = values_[a];
    switch (random(4)) {
      case 0:
        for (int& n : values) n = mix(n, 1);
        return add(g.map(
                       name(), [](const int& n) { return mix(n, 1); }, streams_[a], at_once()),
                   values);
      case 1:
        return add(g.expand(name(), Lag(0), streams_[a], room()), values);
      case 2: {
        for (std::size_t k = 0; k < values.size(); ++k) values[k] = mix(values[k], values_[b][k]);
        auto pair = g.zip(name(), streams_[a], streams_[b], room());
        return add(g.map(
                       name(), [](const std::tuple<int, int>& p) { return mix(std::get<0>(p), std::get<1>(p)); }, pair,
                       at_once()),
                   values);
      }
      default: {
        const int parts = static_cast<int>(1 + random(5));
        for (int& n : values) n = (n + parts) % 10'007;
        auto cut = g.split(
            name(), [](const int& n, std::size_t part, std::size_t) { return part == 0 ? n + 1 : 1; }, streams_[a],
            shards(static_cast<std::size_t>(parts)), room());
        auto same = g.map(
            name(), [](const int& n) { return n; }, cut, at_once());
        return add(g.fold(
                       name(),
                       [](Group<int> p) {
                         int sum = 0;
                         for (const int n : p) sum += n;
                         return sum % 10'007;
                       },
                       same, room()),
                   values);
      }
    }
  }

  std::uint32_t state_;
  int names_ = 0;
  std::vector<Stream<int>> streams_;
  std::vector<std::vector<int>> values_;
  std::vector<std::unique_ptr<Collect<int>>> sinks_;
};

TEST(Progress, RandomGraphsOfStreamsOfEqualLengthRunToTheirEnd) {
  for_each_thread_count([](std::size_t count) {
    for (std::uint32_t seed = 0; seed < 60; ++seed) {
      SCOPED_TRACE(testing::Message() << "seed " << seed);
      RandomGraph random(seed, item_counts[seed % 4], threads(count));
      random.run_and_check();
    }
  });
}

// Wiring and running take time linear in the graph: thirty diamonds have 2^30 paths.
TEST(Progress, AChainOfThirtyDiamondsIsWiredRunAndDrawn) {
  Graph g("diamonds", threads(2));
  Stream<int> stream = g.source("source", Count(97));
  for (int k = 0; k < 30; ++k) {
    const std::string n = std::to_string(k);
    auto left = g.map(
        "left " + n, [](const int& i) { return i + 1; }, stream);
    auto pair = g.zip("pair " + n, left, stream);
    stream = g.map(
        "sum " + n, [](const std::tuple<int, int>& p) { return std::get<0>(p) + std::get<1>(p) - std::get<1>(p); },
        pair);
  }
  Collect taken;
  g.sink("taken", std::ref(taken), stream);
  g.run();
  EXPECT_EQ(taken.taken, iota(97, 30));
  EXPECT_FALSE(g.picture().empty());
}

}  // namespace
}  // namespace sluice::test
