#include <sluice/pipeline/threads.hpp>

#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <memory>
#include <stdexcept>
#include <thread>

#include "tests/support/concurrency.hpp"
#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

// As many bodies at once as there are threads.
bool all_at_once(const Threads& workers) {
  Rendezvous all(workers.count());
  Graph g("meet", workers);
  const auto meet = [&](const int& n) { return all.meet(), n; };
  g.sink(
      "end", [](const int&) {},
      g.map("meet", meet, g.source("numbers", Count(static_cast<int>(workers.count()))), unlimited));
  g.run();
  return all.met();
}

TEST(Threads, AreAsManyAsWereAskedForAlsoMoreThanThereAreCpus) {
  for (const std::size_t count : {1u, 2u, 3u, 8u}) {
    EXPECT_EQ(threads(count).count(), count);
    EXPECT_TRUE(all_at_once(threads(count)));
  }
}

TEST(Threads, NoBodyRunsOnMoreThreadsThanWereAskedFor) {
  Peak bodies;
  Graph g("two", threads(2));
  auto work = g.map(
      "work",
      [&](const int& n) {
        const Inside in(bodies);
        return n;
      },
      g.source("numbers", Count(5000)), unlimited);
  g.sink(
      "end", [&](const int&) { const Inside in(bodies); }, work);
  g.run();
  EXPECT_LE(bodies.peak(), 2);
}

TEST(Threads, WithOneThreadEveryBodyRunsOnTheThreadThatCalledRun) {
  const auto here = std::this_thread::get_id();
  int elsewhere = 0;
  Graph g("one", threads(1));
  auto work = g.map(
      "work", [&](const int& n) { return elsewhere += std::this_thread::get_id() != here, n; },
      g.source("numbers", Count(97)), unlimited);
  g.sink(
      "end", [&](const int&) { elsewhere += std::this_thread::get_id() != here; }, work);
  g.run();
  EXPECT_EQ(elsewhere, 0);
}

TEST(Threads, FewerThreadsElsewhereTakeNoneAway) {
  const Threads eight(8);
  auto four = std::make_unique<Threads>(4);
  EXPECT_TRUE(all_at_once(eight));
  const Threads twelve(12);
  EXPECT_TRUE(all_at_once(twelve));
  EXPECT_TRUE(all_at_once(*four));
  four.reset();
  EXPECT_TRUE(all_at_once(twelve));
}

TEST(Threads, MadeInsideAnArenaTakeNoneAwayFromTheProcess) {
  using Control = tbb::global_control;
  const std::size_t before = Control::active_value(Control::max_allowed_parallelism);
  tbb::task_arena narrow(1);
  narrow.execute([&] {
    const Threads two(2);
    EXPECT_GE(Control::active_value(Control::max_allowed_parallelism), std::max<std::size_t>(2, before));
  });
  EXPECT_EQ(Control::active_value(Control::max_allowed_parallelism), before);
}

TEST(Threads, NoneOrAWildNumberAreRefused) {
  EXPECT_EQ(thrown<std::invalid_argument>([] { Threads none(0); }), "the number of threads is 0, expected 1 to 4096");
  EXPECT_THROW(Threads(5000), std::invalid_argument);
}

TEST(Threads, CopiesShare) {
  const Threads a(2);
  const Threads b = a;
  EXPECT_EQ(&a.arena(), &b.arena());
}

TEST(Threads, ByDefaultThereIsAtLeastOneAndNoMoreThanTheProcessMayUse) {
  EXPECT_GE(default_threads(), 1u);
  EXPECT_LE(default_threads(), std::max(1u, std::thread::hardware_concurrency()));
  EXPECT_EQ(Threads().count(), default_threads());
}

TEST(Threads, OutliveTheHandleThatMadeThemWhileAGraphUsesThem) {
  auto workers = std::make_unique<Threads>(2);
  Graph g("outlives", *workers);
  workers.reset();
  Collect taken;
  g.sink("taken", std::ref(taken), g.source("numbers", Count(97)));
  g.run();
  EXPECT_EQ(taken.taken, iota(97));
}

}  // namespace
}  // namespace sluice::test
