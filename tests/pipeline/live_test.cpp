// Sources that wait for the outside: inlets, sources with a token, plain bodies that block.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/support/concurrency.hpp"
#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

using namespace std::chrono_literals;

const auto same = [](const int& n) { return n; };

// Waits for numbers that a test gives it, one after the other.
class Numbers {
 public:
  void give(int n) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(n);
    changed_.notify_all();
  }
  void end() {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  std::optional<int> operator()(const std::stop_token& token) {
    std::unique_lock lock(mutex_);
    ++asked_;
    if (!changed_.wait(lock, token, [this] { return !waiting_.empty() || ended_; }) || waiting_.empty())
      return std::nullopt;
    const int n = waiting_.front();
    waiting_.erase(waiting_.begin());
    return n;
  }
  int asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<int> waiting_;
  bool ended_ = false;
  int asked_ = 0;
};

TEST(WaitingSource, HandsOnWhatItHasMadeWhileItWaits) {
  for_each_thread_count([](std::size_t count) {
    Numbers numbers;
    std::atomic<int> seen{0};
    Signal three;
    Graph g("live", threads(count));
    auto in = g.source("numbers", std::ref(numbers));
    auto mapped = g.map("c", same, g.map("b", same, g.map("a", same, in), unlimited));
    g.sink(
        "end",
        [&](const int&) {
          if (++seen == 3) three.raise();
        },
        mapped);
    std::thread run([&] { g.run(); });
    for (const int n : {1000, 1001, 1002}) numbers.give(n);
    EXPECT_TRUE(three.wait()) << "the source waits for a fourth";
    numbers.end();
    run.join();
    EXPECT_EQ(seen, 3);
  });
}

TEST(WaitingSource, IsWokenByStopAndByCancelAndByAnError) {
  for_each_thread_count([](std::size_t count) {
    for (const int how : {0, 1, 2}) {
      Numbers numbers;
      Collect<> taken;
      Signal one;
      Graph g("live", threads(count));
      auto checked = g.map(
          "checked",
          [&](const int& n) {
            if (n < 0) throw std::runtime_error("negative");
            one.raise();
            return n;
          },
          g.source("numbers", std::ref(numbers)));
      g.sink("taken", std::ref(taken), checked);
      std::thread other([&] {
        numbers.give(7);
        EXPECT_TRUE(one.wait());
        if (how == 0) g.stop();
        if (how == 1) g.cancel();
        if (how == 2) numbers.give(-1);
      });
      if (how == 0) {
        EXPECT_EQ(g.run().why, RunEnd::stopped);
        EXPECT_EQ(taken.taken, std::vector<int>{7});
        EXPECT_EQ(taken.finished, 1);
      } else if (how == 1) {
        EXPECT_THROW(g.run(), Cancelled);
      } else {
        EXPECT_THROW(g.run(), StageError);
      }
      other.join();
    }
  });
}

// After stop() it is asked on until it says that it has ended: what it holds is not lost.
TEST(WaitingSource, GivesWhatItHoldsWhenItIsStopped) {
  for_each_thread_count([](std::size_t count) {
    Collect<> taken;
    Graph g("live", threads(count));
    int held = 0;
    auto numbers = g.source("numbers", [&](const std::stop_token& token) -> std::optional<int> {
      while (!token.stop_requested()) std::this_thread::yield();
      return held < 100 ? std::optional(held++) : std::nullopt;
    });
    g.sink("taken", std::ref(taken), numbers);
    std::thread other([&] { g.stop(); });
    g.run();
    other.join();
    EXPECT_EQ(taken.taken, iota(100));
  });
}

TEST(WaitingSource, IsAskedOnlyWhenThereIsRoom) {
  Numbers numbers;
  Signal in_sink, go_on;
  Graph g("live", threads(1));
  auto in = g.source("numbers", std::ref(numbers), capacity(2));
  std::vector<int> taken;
  g.sink(
      "end",
      [&](const int& n) {
        in_sink.raise();
        EXPECT_TRUE(go_on.wait());
        taken.push_back(n);
      },
      in);
  for (int n = 0; n < 10; ++n) numbers.give(n);
  numbers.end();
  std::thread run([&] { g.run(); });
  EXPECT_TRUE(in_sink.wait());
  std::this_thread::sleep_for(20ms);
  EXPECT_LE(numbers.asked(), 2) << "the sink holds the first of two";
  go_on.raise();
  run.join();
  EXPECT_EQ(taken, iota(10));
}

TEST(WaitingSource, HasARecyclingFormWhoseMemoryComesBack) {
  const int* first = nullptr;
  int made = 0, moved = 0;
  Graph g("live", threads(1));
  auto blocks = g.source<std::vector<int>>(
      "blocks",
      [&](std::vector<int>& out, const std::stop_token&) {
        if (made == 1000) return false;
        if (made > 20 && out.capacity() < 100) ++moved;
        out.assign(100, made++);
        if (!first) first = out.data();
        return true;
      },
      capacity(4));
  long sum = 0;
  g.sink(
      "sum", [&](const std::vector<int>& block) { sum += block[99]; }, blocks);
  g.run();
  EXPECT_EQ(sum, 999 * 1000 / 2);
  EXPECT_EQ(moved, 0) << "memory of earlier blocks";
}

TEST(WaitingSource, AnExceptionHasItsAddress) {
  for_each_thread_count([](std::size_t count) {
    Graph g("live", threads(count));
    int n = 0;
    auto numbers = g.source("numbers", [&](const std::stop_token&) -> std::optional<int> {
      if (n == 5) throw std::runtime_error("no more");
      return n++;
    });
    g.sink(
        "end", [](const int&) {}, numbers);
    try {
      g.run();
      FAIL();
    } catch (const StageError& e) {
      EXPECT_EQ(e.stage(), "numbers");
      EXPECT_EQ(e.sequence(), 5u);
    }
  });
}

TEST(WaitingSource, MayRunAgain) {
  Collect<> taken;
  int made = 0;
  Graph g("live", threads(2));
  g.sink("taken", std::ref(taken), g.source("numbers", [&](const std::stop_token&) -> std::optional<int> {
    if (made % 50 == 49) return ++made, std::nullopt;
    return made++ % 50;
  }));
  for (int run = 0; run < 20; ++run) {
    EXPECT_EQ(g.run().why, RunEnd::complete);
    EXPECT_EQ(taken.taken, iota(49));
  }
}

// A plain source that blocks keeps its thread; with another one, what it has made is handed on.
TEST(PlainSource, ThatBlocksKeepsNothingBackFromTwoThreadsOn) {
  for (const std::size_t count : {2u, 8u})
    for (int repeat = 0; repeat < 5; ++repeat) {
      Signal all_seen;
      std::atomic<int> seen{0};
      int n = 0;
      Graph g("live", threads(count));
      auto numbers = g.source("numbers", [&]() -> std::optional<int> {
        if (n == 4000) return std::nullopt;
        // Ranges have become long by now; it blocks in the middle of one.
        if (n == 3003) {
          EXPECT_TRUE(all_seen.wait());
        }
        return n++;
      });
      auto mapped = g.map("b", same, g.map("a", same, numbers), unlimited);
      g.sink(
          "end",
          [&](const int&) {
            if (++seen == 3003) all_seen.raise();
          },
          mapped);
      g.run();
      EXPECT_EQ(seen, 4000);
    }
}

TEST(PlainSource, ThatBlocksIsSaidToWait) {
  int n = 0;
  Graph g("live", threads(2));
  auto numbers = g.source("numbers", [&]() -> std::optional<int> {
    if (n == 20) return std::nullopt;
    std::this_thread::sleep_for(5ms);
    return n++;
  });
  g.sink(
      "end", [](const int&) {}, numbers);
  g.run();
  const StageStats s = g.stats().stage("numbers");
  EXPECT_GE(s.waiting + s.busy, 0.09) << "the bodies' time, whatever it is called";
  EXPECT_GT(s.waiting, 2 * s.busy);
}

// From the making of a message to the end of it, whatever lies between: maps, gates, shards.
TEST(Latency, IsThatOfTheWholeWay) {
  for_each_thread_count([](std::size_t count) {
    Graph g("latency", threads(count));
    auto slow = g.map(
        "slow",
        [](const int& n) {
          std::this_thread::sleep_for(4ms);
          return n;
        },
        g.source("numbers", Count(12), capacity(1)));
    auto kept = g.filter(
        "kept", [](const int&) { return true; }, slow);
    auto cut = g.split(
        "cut", [](const int& n, std::size_t, std::size_t) { return n; }, kept, shards(2));
    auto again = g.map(
        "again",
        [](const int& n) {
          std::this_thread::sleep_for(2ms);
          return n;
        },
        cut, unlimited);
    g.sink(
        "end", [](const int&) {},
        g.fold(
            "whole", [](Group<int> s) { return s[0]; }, again));
    g.sink(
        "early", [](const int&) {}, slow);
    g.run();
    const GraphStats stats = g.stats();
    EXPECT_GE(stats.stage("end").latency_p50, 0.0060 * 6 / 7);  // within a seventh
    EXPECT_GE(stats.stage("end").latency_p99, stats.stage("end").latency_p50);
    EXPECT_GE(stats.stage("early").latency_p50, 0.0040 * 6 / 7);
    EXPECT_LT(stats.stage("early").latency_p50, stats.stage("end").latency_p99);
    EXPECT_EQ(stats.stage("whole").latency_p50, 0) << "of sinks";
  });
}

// A graph with a source that waits stalls as any other: what waits there for room waits for nobody outside.
TEST(WaitingSource, DoesNotHideThatTheGraphHasStalled) {
  for_each_thread_count([](std::size_t count) {
    Graph g("live", threads(count));
    int n = 0;
    auto numbers = g.source(
        "numbers",
        [&](const std::stop_token&) -> std::optional<int> { return n < 100 ? std::optional(n++) : std::nullopt; },
        capacity(4));
    g.sink(
        "end", [](const std::tuple<int, int>&) {}, g.zip("pair", numbers, g.expand("lag", Lag(8), numbers)));
    EXPECT_THROW(g.run(), Stalled);
  });
}

TEST(Inlet, GivesWhatIsPutInInOrder) {
  for_each_thread_count([](std::size_t count) {
    Collect<> taken;
    Graph g("live", threads(count));
    auto inlet = g.inlet<int>("in", capacity(4));
    g.sink("taken", std::ref(taken), g.map("same", same, inlet, unlimited));
    std::thread other([&] {
      for (int n = 0; n < 2000; ++n) EXPECT_EQ(inlet.put(n), Put::accepted);
      inlet.close();
      EXPECT_EQ(inlet.put(1), Put::closed);
    });
    EXPECT_EQ(g.run().why, RunEnd::complete);
    other.join();
    EXPECT_EQ(taken.taken, iota(2000));
    EXPECT_LE(g.stats().stage("in").high_water, 4u);
  });
}

TEST(Inlet, TakesItsCapacityBeforeTheRunAndNoMore) {
  Collect<> taken;
  Graph g("live", threads(1));
  auto inlet = g.inlet<int>("in", capacity(3));
  g.sink("taken", std::ref(taken), inlet);
  for (int n = 0; n < 3; ++n) EXPECT_EQ(inlet.put(n), Put::accepted);
  EXPECT_EQ(inlet.try_put(3), Put::full);
  EXPECT_EQ(inlet.put_for(3, 1ms), Put::full);
  inlet.close();
  EXPECT_TRUE(inlet.closed());
  g.run();
  EXPECT_EQ(taken.taken, iota(3));
}

TEST(Inlet, LeavesWhatItRefusesToItsOwner) {
  Graph g("live", threads(1));
  auto inlet = g.inlet<std::unique_ptr<int>>("in", capacity(1));
  g.sink(
      "end", [](const std::unique_ptr<int>&) {}, inlet);
  EXPECT_EQ(inlet.put(std::make_unique<int>(1)), Put::accepted);
  auto second = std::make_unique<int>(2);
  EXPECT_EQ(inlet.try_put(std::move(second)), Put::full);
  ASSERT_TRUE(second);
  inlet.close();
  EXPECT_EQ(inlet.put(std::move(second)), Put::closed);
  EXPECT_TRUE(second);
  g.run();
}

TEST(Inlet, IsClosedBehindARunUntilItIsOpened) {
  Collect<> taken;
  Graph g("live", threads(2));
  auto inlet = g.inlet<int>("in");
  g.sink("taken", std::ref(taken), inlet);
  inlet.close();
  g.run();
  EXPECT_EQ(inlet.put(1), Put::closed) << "nobody listens";
  try {
    g.run();
    FAIL();
  } catch (const std::logic_error& e) {
    EXPECT_STREQ(e.what(), "inlet 'in' is closed since the last run: open() it");
  }
  inlet.open();
  EXPECT_EQ(inlet.put(1), Put::accepted);
  inlet.close();
  g.run();
  EXPECT_EQ(taken.taken, std::vector<int>{1});
}

TEST(Inlet, AStopClosesItAndWhatWasAcceptedIsAnswered) {
  for_each_thread_count([](std::size_t count) {
    Collect<> taken;
    Graph g("live", threads(count));
    auto inlet = g.inlet<int>("in", capacity(8));
    g.sink("taken", std::ref(taken), inlet);
    std::atomic<int> accepted{0};
    std::thread other([&] {
      while (inlet.put(accepted.load()) == Put::accepted)
        if (++accepted == 100) g.stop();
    });
    EXPECT_EQ(g.run().why, RunEnd::stopped);
    other.join();
    EXPECT_GE(accepted, 100);
    EXPECT_EQ(taken.taken, iota(accepted));
  });
}

TEST(Inlet, APutThatWaitsHearsOfTheEndOfTheRun) {
  for (const bool cancels : {false, true}) {
    Graph g("live", threads(2));
    auto inlet = g.inlet<int>("in", capacity(1));
    Signal full;
    g.sink(
        "end",
        [&](const int&) {
          EXPECT_TRUE(full.wait());
          if (cancels)
            g.cancel();
          else
            throw std::runtime_error("stop");
        },
        inlet);
    EXPECT_EQ(inlet.put(0), Put::accepted);
    std::thread other([&] {
      EXPECT_EQ(inlet.try_put(1), Put::full);
      full.raise();
      EXPECT_EQ(inlet.put(1), Put::closed);
    });
    EXPECT_THROW(g.run(), Error);
    other.join();
  }
}

TEST(Inlet, APutFromABodyOfItsOwnGraphNeverWaits) {
  for_each_thread_count([](std::size_t count) {
    Graph g("live", threads(count));
    auto inlet = g.inlet<int>("in", capacity(2));
    std::vector<Put> said;
    g.sink(
        "end",
        [&](const int& n) {
          if (n > 0) return inlet.close();
          for (int more = 1; more < 4; ++more) said.push_back(inlet.put(more));
        },
        inlet);
    EXPECT_EQ(inlet.put(0), Put::accepted);
    g.run();
    ASSERT_EQ(said.size(), 3u);
    EXPECT_EQ(said[0], Put::accepted) << "there was room for one";
    EXPECT_EQ(said[2], Put::full);
  });
}

TEST(Inlet, ManyThreadsPutAndNoneIsLost) {
  for_each_thread_count([](std::size_t count) {
    constexpr int putters = 4, each = 500;
    std::vector<int> last(putters, -1), wrong;
    int taken = 0;
    Graph g("live", threads(count));
    auto inlet = g.inlet<int>("in", capacity(5));
    g.sink(
        "end",
        [&](const int& n) {
          const auto who = static_cast<std::size_t>(n / each);
          if (n % each != last[who] + 1) wrong.push_back(n);
          last[who] = n % each;
          ++taken;
        },
        inlet);
    std::vector<std::thread> others;
    std::atomic<int> left{putters};
    for (int who = 0; who < putters; ++who)
      others.emplace_back([&, who] {
        for (int n = 0; n < each; ++n) EXPECT_EQ(inlet.put(who * each + n), Put::accepted);
        if (--left == 0) inlet.close();
      });
    g.run();
    for (std::thread& t : others) t.join();
    EXPECT_EQ(taken, putters * each);
    EXPECT_TRUE(wrong.empty()) << "each putter's messages keep their order";
  });
}

TEST(Inlet, WhileItWaitsNothingIsBusy) {
  Graph g("live", threads(2));
  auto inlet = g.inlet<int>("in");
  g.sink(
      "end", [](const int&) {}, inlet);
  double before = 0, after = 0;
  const auto processor_time = [] {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           1e-6 * static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
  };
  std::thread other([&] {
    std::this_thread::sleep_for(50ms);
    before = processor_time();
    std::this_thread::sleep_for(200ms);
    after = processor_time();
    inlet.close();
  });
  g.run();
  other.join();
  EXPECT_LT(after - before, 0.05);
  EXPECT_GT(g.stats().stage("in").waiting, 0.2);
  EXPECT_EQ(g.stats().stage("in").busy, 0.0);
}

TEST(Inlet, ARunThatIsRefusedLosesNothing) {
  Collect<> taken;
  Graph g("live", threads(1));
  auto a = g.inlet<int>("a"), b = g.inlet<int>("b");
  g.sink("taken", std::ref(taken), a);
  g.sink(
      "of b", [](const int&) {}, b);
  a.close(), b.close();
  g.run();
  a.open();
  for (int n = 0; n < 3; ++n) EXPECT_EQ(a.put(n), Put::accepted);
  EXPECT_THROW(g.run(), std::logic_error) << "b is closed";
  EXPECT_FALSE(a.closed());
  b.open(), b.close(), a.close();
  g.run();
  EXPECT_EQ(taken.taken, iota(3));
}

TEST(Inlet, MayBeOpenedAgainBeforeARun) {
  Collect<> taken;
  Graph g("live", threads(1));
  auto inlet = g.inlet<int>("in");
  g.sink("taken", std::ref(taken), inlet);
  inlet.close();
  EXPECT_EQ(inlet.put(1), Put::closed);
  inlet.open();
  EXPECT_EQ(inlet.put(2), Put::accepted);
  inlet.close();
  g.run();
  EXPECT_EQ(taken.taken, std::vector<int>{2});
}

// A run that ends before it begins ends for those who wait to put, too.
TEST(Inlet, APutThatWaitsHearsOfARunThatWasCancelledBeforeIt) {
  Graph g("live", threads(1));
  auto inlet = g.inlet<int>("in", capacity(1));
  g.sink(
      "end", [](const int&) {}, inlet);
  EXPECT_EQ(inlet.put(0), Put::accepted);
  std::thread other([&] { EXPECT_EQ(inlet.put(1), Put::closed); });
  g.cancel();
  EXPECT_THROW(g.run(), Cancelled);
  other.join();
}

// What a message does when it is destroyed is its own business: also to close where it came from.
TEST(Inlet, AMessageMayCloseItWhenItIsDestroyed) {
  struct Closes {
    Inlet<Closes>* of = nullptr;
    Closes() = default;
    explicit Closes(Inlet<Closes>* inlet) : of(inlet) {}
    Closes(Closes&& other) noexcept : of(std::exchange(other.of, nullptr)) {}
    Closes& operator=(Closes&& other) noexcept {
      std::swap(of, other.of);
      return *this;
    }
    ~Closes() {
      if (of) of->close();
    }
  };
  for (const bool fails : {false, true}) {
    Graph g("live", threads(2));
    auto inlet = g.inlet<Closes>("in", capacity(8));
    int seen = 0;
    g.sink(
        "end",
        [&](const Closes&) {
          if (fails) throw std::runtime_error("stop");
          ++seen;
        },
        inlet);
    for (int n = 0; n < 4; ++n) EXPECT_EQ(inlet.put(Closes(&inlet)), Put::accepted);
    if (fails) {
      EXPECT_THROW(g.run(), StageError);
    } else {
      g.run();
      EXPECT_EQ(seen, 4) << "the first that was gone closed it, and the others were in";
    }
  }
}

TEST(Inlet, APutMayWaitForEver) {
  Graph g("live", threads(1));
  auto inlet = g.inlet<int>("in", capacity(1));
  Collect<> taken;
  g.sink("taken", std::ref(taken), inlet);
  EXPECT_EQ(inlet.put_for(0, std::chrono::hours::max()), Put::accepted);
  std::thread other([&] {
    EXPECT_EQ(inlet.put_for(1, std::chrono::hours::max()), Put::accepted);
    EXPECT_EQ(inlet.put_for(2, std::chrono::nanoseconds::max()), Put::accepted);
    inlet.close();
  });
  g.run();
  other.join();
  EXPECT_EQ(taken.taken, iota(3));
}

TEST(WaitingSource, ThatThrowsWhenItIsWokenHasEnded) {
  Graph g("live", threads(2));
  Signal asked;
  int calls = 0;
  auto numbers = g.source(
      "numbers",
      [&](const std::stop_token& token) -> std::optional<int> {
        ++calls;
        asked.raise();
        while (!token.stop_requested()) std::this_thread::yield();
        throw std::runtime_error("interrupted");
      },
      on_error(skip));
  g.sink(
      "end", [](const int&) {}, numbers);
  std::thread other([&] {
    EXPECT_TRUE(asked.wait());
    g.stop();
  });
  g.run();
  other.join();
  EXPECT_EQ(calls, 1);
}

TEST(WaitingSource, ItsMemoryIsInTheBound) {
  struct Fills {
    using Output = std::vector<char>;
    bool operator()(std::vector<char>&, const std::stop_token&) { return false; }
    std::size_t payload_bytes() const { return 1000; }
  };
  Graph g("live", threads(1));
  g.sink(
      "end", [](const std::vector<char>&) {}, g.source("fills", Fills{}, capacity(8)));
  EXPECT_GE(g.bound().bytes, 2 * 8 * 1000u) << "in the slots, and on the way to them";
}

// As many at once as the graph has threads, whoever puts.
TEST(Inlet, BringsInNoThreadMore) {
  for_each_thread_count([](std::size_t count) {
    Peak peak;
    Graph g("live", threads(count));
    auto inlet = g.inlet<int>("in", capacity(64));
    auto mapped = g.map(
        "spin",
        [&](const int& n) {
          const Inside inside(peak);
          spin(20'000);
          return n;
        },
        inlet, unlimited);
    g.sink(
        "end", [](const int&) {}, mapped);
    std::thread other([&] {
      for (int n = 0; n < 500; ++n) EXPECT_EQ(inlet.put(n), Put::accepted);
      inlet.close();
    });
    g.run();
    other.join();
    EXPECT_LE(peak.peak(), static_cast<long>(count));
  });
}

}  // namespace
}  // namespace sluice::test
