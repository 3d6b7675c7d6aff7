// Facts of oneTBB's arenas that sluice/pipeline/threads.cpp and the counters rely on.
#include <gtest/gtest.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include "tests/support/concurrency.hpp"

namespace {

using Control = tbb::global_control;
using sluice::test::Rendezvous;

std::size_t allowed() {
  return Control::active_value(Control::max_allowed_parallelism);
}

bool meets_in(tbb::task_arena& arena, std::size_t parties) {
  Rendezvous all(parties);
  arena.execute([&] {
    tbb::task_group group;
    for (std::size_t k = 0; k < parties; ++k) group.run([&] { all.meet(); });
    group.wait();
  });
  return all.met();
}

TEST(Arena, GlobalControlAllowsMoreThreadsThanThereAreCpus) {
  const Control eight(Control::max_allowed_parallelism, 8);
  tbb::task_arena arena(8);
  EXPECT_TRUE(meets_in(arena, 8));
}

TEST(Arena, OfSeveralGlobalControlsTheSmallestHolds) {
  const Control eight(Control::max_allowed_parallelism, 8);
  EXPECT_EQ(allowed(), 8u);
  {
    const Control four(Control::max_allowed_parallelism, 4);
    EXPECT_EQ(allowed(), 4u);
  }
  EXPECT_EQ(allowed(), 8u);
}

TEST(Arena, AGlobalControlEndsWithItsObject) {
  const std::size_t before = allowed();
  { const Control more(Control::max_allowed_parallelism, before + 5); }
  EXPECT_EQ(allowed(), before);
}

TEST(Arena, TheIndexOfAThreadIsBelowTheSizeOfTheArena) {
  const Control eight(Control::max_allowed_parallelism, 8);
  for (const int size : {2, 3, 8}) {
    std::atomic<int> outside{0};
    tbb::task_arena arena(size, 1);
    const auto work = [&] {
      tbb::parallel_for(0, 2000, [&](int) {
        const int index = tbb::this_task_arena::current_thread_index();
        if (index < 0 || index >= size) ++outside;
      });
    };
    std::vector<std::thread> threads;
    for (int k = 0; k < 4; ++k) threads.emplace_back([&] { arena.execute(work); });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(outside, 0);
  }
}

// What is counted differs: 2021.8 and 2022.1 count the CPUs of the affinity mask, 2023.1 heeds a quota of the
// container, too.
TEST(Arena, WithoutAGlobalControlAsManyThreadsAreAllowedAsInfoSays) {
  EXPECT_EQ(allowed(), static_cast<std::size_t>(tbb::info::default_concurrency()));
}

// An arena of one has a second slot: work that another thread hands in may be done by a worker. The counters of maps
// are one a slot.
TEST(Arena, TheIndexOfAThreadInAnArenaOfOneIsBelowTwo) {
  std::atomic<int> outside{0};
  tbb::task_arena arena(1, 1);
  const auto work = [&] {
    tbb::parallel_for(0, 2000, [&](int) {
      const int index = tbb::this_task_arena::current_thread_index();
      if (index < 0 || index >= 2) ++outside;
    });
  };
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; ++k)
    threads.emplace_back([&] {
      for (int again = 0; again < 20; ++again) arena.execute(work);
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(outside, 0);
}

TEST(Arena, ExecuteFromMoreThreadsThanTheArenaHasSlotsServesThemAll) {
  tbb::task_arena arena(1, 1);
  std::atomic<int> served{0};
  std::vector<std::thread> threads;
  for (int k = 0; k < 8; ++k) threads.emplace_back([&] { arena.execute([&] { ++served; }); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(served, 8);
}

TEST(Arena, AnIsolatedBodyRunsNoTaskFromOutsideWhileItWaits) {
  tbb::task_arena arena(1);
  arena.execute([] {
    thread_local bool inside = false;
    int nested = 0;
    tbb::task_group outer;
    for (int k = 0; k < 100; ++k)
      outer.run([&] {
        nested += inside;
        inside = true;
        tbb::this_task_arena::isolate([] { tbb::parallel_for(0, 100, [](int) {}); });
        inside = false;
      });
    outer.wait();
    EXPECT_EQ(nested, 0);
  });
}

}  // namespace
