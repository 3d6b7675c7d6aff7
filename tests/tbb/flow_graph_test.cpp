// Facts of oneTBB's flow graph that sluice/pipeline/detail/node.cpp and engine.cpp rely on.
#include <gtest/gtest.h>
#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/concurrency.hpp"

namespace {

namespace flow = tbb::flow;
using Node = flow::function_node<int>;   // a stage
using Edge = flow::broadcast_node<int>;  // an arrow's tail

// Everything below on one thread: what comes next is then a matter of the order of tasks alone.
template <class F>
void on_one_thread(F&& f) {
  tbb::task_arena arena(1);
  arena.execute(std::forward<F>(f));
}

TEST(FlowGraph, AnUnlimitedFunctionNodeAcceptsEveryMessage) {
  std::atomic<int> sum{0};
  flow::graph g;
  Node node(g, flow::unlimited, [&](int n) { sum += n; });
  for (int n = 0; n < 1000; ++n) ASSERT_TRUE(node.try_put(n));
  g.wait_for_all();
  EXPECT_EQ(sum, 499'500);
}

TEST(FlowGraph, AnUnlimitedFunctionNodeTakesMessagesWhileItsBodyRuns) {
  sluice::test::Rendezvous both(2);
  tbb::global_control two(tbb::global_control::max_allowed_parallelism, 2);
  tbb::task_arena arena(2);
  arena.execute([&] {
    flow::graph g;
    Node node(g, flow::unlimited, [&](int) { EXPECT_TRUE(both.meet()); });
    node.try_put(0);
    node.try_put(1);
    g.wait_for_all();
  });
  EXPECT_TRUE(both.met());
}

TEST(FlowGraph, WhatABodyPutsAlongAnEdgeDoesNotRunInsideThatBody) {
  on_one_thread([] {
    int depth = 0, deepest = 0;
    flow::graph g;
    Edge edge(g);
    Node node(g, flow::unlimited, [&](int n) {
      deepest = std::max(deepest, ++depth);
      if (n > 0) edge.try_put(n - 1);
      --depth;
    });
    flow::make_edge(edge, node);  // a cycle
    node.try_put(100'000);
    g.wait_for_all();
    EXPECT_EQ(deepest, 1);
  });
}

TEST(FlowGraph, WhatWasPutLastComesFirstOnOneThread) {
  on_one_thread([] {
    std::string order;
    flow::graph g;
    Node a(g, flow::unlimited, [&](int) { order += 'a'; }), b(g, flow::unlimited, [&](int) { order += 'b'; });
    Edge to_a(g), to_b(g);
    flow::make_edge(to_a, a);
    flow::make_edge(to_b, b);
    Node first(g, flow::unlimited, [&](int) { to_a.try_put(0), to_b.try_put(0); });
    first.try_put(0);
    g.wait_for_all();
    EXPECT_EQ(order, "ba");
  });
}

TEST(FlowGraph, AnEdgeDeliversWhatSeveralThreadsPutAtOnce) {
  std::atomic<int> sum{0};
  flow::graph g;
  Edge edge(g);
  Node node(g, flow::unlimited, [&](int n) { sum += n; });
  flow::make_edge(edge, node);
  std::vector<std::thread> threads;
  for (int k = 0; k < 4; ++k)
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) EXPECT_TRUE(edge.try_put(1));
    });
  for (auto& thread : threads) thread.join();
  g.wait_for_all();
  EXPECT_EQ(sum, 4000);
}

TEST(FlowGraph, ALimitedFunctionNodeNeverHasMoreBodiesThanItsLimit) {
  for (const std::size_t limit : {2u, 3u}) {
    sluice::test::Peak bodies;
    flow::graph g;
    Node node(g, limit, [&](int) {
      const sluice::test::Inside inside(bodies);
      sluice::test::spin(1000);
    });
    for (int n = 0; n < 2000; ++n) ASSERT_TRUE(node.try_put(n));
    g.wait_for_all();
    EXPECT_LE(bodies.peak(), static_cast<long>(limit));
  }
}

TEST(FlowGraph, WaitForAllWaitsForWhatBodiesPut) {
  for (int again = 0; again < 100; ++again) {
    std::atomic<int> left{1000};
    flow::graph g;
    Edge edge(g);
    Node node(g, flow::unlimited, [&](int) {
      if (--left > 0) edge.try_put(0);
    });
    flow::make_edge(edge, node);
    node.try_put(0);
    g.wait_for_all();
    ASSERT_EQ(left, 0);
  }
}

TEST(FlowGraph, AGraphMayBeWaitedForAndUsedAgain) {
  std::atomic<int> sum{0};
  flow::graph g;
  flow::function_node<int> node(g, flow::unlimited, [&](int n) { sum += n; });
  for (int run = 1; run <= 3; ++run) {
    node.try_put(1);
    g.wait_for_all();
    EXPECT_EQ(sum, run);
  }
}

TEST(FlowGraph, NodesAreDestroyedInAnyOrderOnceNothingRuns) {
  flow::graph g;
  auto a = std::make_unique<Edge>(g), b = std::make_unique<Edge>(g);
  auto c = std::make_unique<Node>(g, flow::unlimited, [](int) {});
  flow::make_edge(*a, *c);
  flow::make_edge(*b, *c);
  a->try_put(1);
  b->try_put(1);
  g.wait_for_all();
  b.reset();
  c.reset();
  a.reset();
}

// From 2022 on each worker counts what it owes to a graph by itself, and finds the counter by the graph's address.
TEST(FlowGraph, AGraphMayLieWhereAnotherLay) {
  std::optional<flow::graph> g;
  for (int again = 0; again < 500; ++again) {
    std::atomic<int> left{200};
    g.emplace();
    Edge edge(*g);
    Node node(*g, flow::unlimited, [&](int) {
      if (--left > 0) edge.try_put(0);
    });
    flow::make_edge(edge, node);
    node.try_put(0);
    g->wait_for_all();
    ASSERT_EQ(left, 0);
  }
}

// Such counters are kept, up to a thousand a thread.
TEST(FlowGraph, ThousandsOfGraphsMayLiveAtOnce) {
  std::atomic<int> ran{0};
  struct One {
    explicit One(std::atomic<int>& all) : node(g, flow::unlimited, [&](int) { ++all; }) {}
    flow::graph g;
    Node node;
  };
  std::vector<std::unique_ptr<One>> graphs;
  for (int k = 0; k < 3000; ++k) graphs.push_back(std::make_unique<One>(ran));
  for (int again = 1; again <= 2; ++again) {
    for (auto& one : graphs) one->node.try_put(0);
    for (auto& one : graphs) one->g.wait_for_all();
    EXPECT_EQ(ran, 3000 * again);
  }
}

// The tasks of a graph run where it was made, not where it is waited for.
TEST(FlowGraph, AGraphBelongsToTheArenaInWhichItWasMade) {
  tbb::task_arena narrow(1), wide(4);
  std::unique_ptr<flow::graph> g;
  narrow.execute([&] { g = std::make_unique<flow::graph>(); });
  std::set<int> widths;
  flow::function_node<int> node(*g, flow::serial, [&](int) { widths.insert(tbb::this_task_arena::max_concurrency()); });
  wide.execute([&] {
    for (int n = 0; n < 100; ++n) node.try_put(n);
    g->wait_for_all();
  });
  EXPECT_EQ(widths, std::set<int>{1});
}

TEST(FlowGraph, AnExceptionThatLeavesABodyCancelsTheGraphUntilItIsReset) {
  // Why bodies are caught where they run: this is what it would be otherwise.
  flow::graph g;
  std::atomic<int> ran{0};
  flow::function_node<int> node(g, flow::serial, [&](int n) {
    ++ran;
    if (n == 0) throw std::runtime_error("body");
  });
  node.try_put(0);
  EXPECT_THROW(g.wait_for_all(), std::runtime_error);
  EXPECT_TRUE(g.exception_thrown());
  g.reset();
  node.try_put(1);
  g.wait_for_all();
  EXPECT_EQ(ran, 2);
}

}  // namespace
