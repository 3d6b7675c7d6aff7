// Facts of oneTBB's tasks that sluice/pipeline/detail/hand_out.cpp relies on: what its own parallel_for is made of, and
// no document describes.
#include <gtest/gtest.h>
#include <oneapi/tbb/detail/_task.h>
#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

namespace {

using tbb::detail::d1::execution_data;
using tbb::detail::d1::slot_id;
using tbb::detail::d1::spawn;
using Task = tbb::detail::d1::task;

// Calls f, and lets the graph end.
class Call final : public Task {
 public:
  Call(tbb::flow::graph& graph, std::function<void()> f) : f_(std::move(f)), graph_(graph) {}
  Task* execute(execution_data&) override {
    tbb::flow::graph& graph = graph_;
    f_();
    graph.release_wait();
    return nullptr;
  }
  Task* cancel(execution_data& data) override { return execute(data); }

 private:
  std::function<void()> f_;
  tbb::flow::graph& graph_;
};

// An arena of `slots`, and a graph whose tasks run in it.
struct Arena {
  explicit Arena(int slots) : arena(slots, 1) {
    arena.execute([this] { graph = std::make_unique<tbb::flow::graph>(); });
  }
  void run(const std::function<void()>& f) {
    arena.execute([&] {
      f();
      graph->wait_for_all();
    });
  }
  tbb::task_arena arena;
  std::unique_ptr<tbb::flow::graph> graph;
  tbb::task_group_context context;
};

TEST(Spawn, ATaskThatIsSentToASlotRunsOnceWhoeverIsThere) {
  for (const int slots : {1, 2, 4, 16}) {
    Arena a(slots);
    std::vector<std::atomic<int>> runs(64);
    std::vector<std::unique_ptr<Call>> tasks;
    for (auto& n : runs) tasks.push_back(std::make_unique<Call>(*a.graph, [&n] { ++n; }));
    for (int round = 1; round <= 100; ++round) {
      a.run([&] {
        for (std::size_t i = 0; i < tasks.size(); ++i) {
          a.graph->reserve_wait();
          spawn(*tasks[i], a.context, static_cast<slot_id>(i % static_cast<std::size_t>(slots)));
        }
      });
      for (const auto& n : runs) ASSERT_EQ(n, round) << slots << " slots";
    }
  }
}

TEST(Spawn, ATaskForASlotThatNobodyIsInIsRunByWhoWaits) {
  const tbb::global_control alone(tbb::global_control::max_allowed_parallelism, 1);
  Arena a(8);
  int runs = 0, slot = -1;
  Call task(*a.graph, [&] { ++runs, slot = tbb::this_task_arena::current_thread_index(); });
  a.run([&] {
    a.graph->reserve_wait();
    spawn(task, a.context, slot_id{7});
  });
  EXPECT_EQ(runs, 1);
  EXPECT_NE(slot, 7);
}

TEST(Spawn, ATaskMayBeSentAgainWhileItStillRuns) {
  Arena a(2);
  int runs = 0;
  std::unique_ptr<Call> task;
  task = std::make_unique<Call>(*a.graph, [&] {
    if (++runs == 10'000) return;
    a.graph->reserve_wait();
    spawn(*task, a.context, static_cast<slot_id>(runs % 2));
  });
  a.run([&] {
    a.graph->reserve_wait();
    spawn(*task, a.context);
  });
  EXPECT_EQ(runs, 10'000);
}

TEST(Spawn, AGraphWaitsForWhatWasReserved) {
  Arena a(2);
  std::atomic<int> runs{0};
  std::vector<std::unique_ptr<Call>> tasks;
  for (int i = 0; i < 100; ++i) tasks.push_back(std::make_unique<Call>(*a.graph, [&] { ++runs; }));
  a.run([&] {
    for (auto& task : tasks) {
      a.graph->reserve_wait();
      spawn(*task, a.context, slot_id{1});
    }
  });
  EXPECT_EQ(runs, 100);
}

}  // namespace
