// Facts of oneTBB's flow graph that pipeline/detail/engine.cpp relies on.
#include <gtest/gtest.h>
#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "tests/support/concurrency.hpp"

namespace {

namespace flow = tbb::flow;
using Gate = flow::multifunction_node<int, std::tuple<int>>;

// Everything below on one thread: what comes next is then a matter of the order of tasks alone.
template <class F>
void on_one_thread(F&& f) {
  tbb::task_arena arena(1);
  arena.execute(std::forward<F>(f));
}

//  a -> b
//    -> c
TEST(FlowGraph, a_function_node_continues_with_the_successor_that_was_registered_last) {
  on_one_thread([] {
    for (const bool b_last : {false, true}) {
      std::string order;
      flow::graph g;
      flow::function_node<int, int> a(g, flow::unlimited, [&](int n) { return order += 'a', n; });
      flow::function_node<int> b(g, flow::unlimited, [&](int) { order += 'b'; });
      flow::function_node<int> c(g, flow::unlimited, [&](int) { order += 'c'; });
      flow::make_edge(a, b_last ? c : b);
      flow::make_edge(a, b_last ? b : c);
      a.try_put(0);
      g.wait_for_all();
      EXPECT_EQ(order, b_last ? "abc" : "acb");
    }
  });
}

TEST(FlowGraph, a_function_nodes_result_continues_before_anything_that_was_spawned) {
  on_one_thread([] {
    std::string order;
    flow::graph g;
    flow::function_node<int, int> a(g, flow::unlimited, [&](int n) { return order += 'a', n; });
    flow::function_node<int, int> b(g, flow::unlimited, [&](int n) { return order += 'b', n; });
    flow::function_node<int> c(g, flow::unlimited, [&](int) { order += 'c'; });
    flow::make_edge(a, b);
    flow::make_edge(b, c);
    a.try_put(0);
    a.try_put(1);
    g.wait_for_all();
    EXPECT_EQ(order, "abcabc");
  });
}

TEST(FlowGraph, an_unlimited_multifunction_node_accepts_every_message) {
  std::atomic<int> sum{0};
  flow::graph g;
  Gate gate(g, flow::unlimited, [&](int n, Gate::output_ports_type&) { sum += n; });
  for (int n = 0; n < 1000; ++n) ASSERT_TRUE(gate.try_put(n));
  g.wait_for_all();
  EXPECT_EQ(sum, 499'500);
}

TEST(FlowGraph, an_unlimited_multifunction_node_takes_messages_while_its_body_runs) {
  sluice::test::Rendezvous both(2);
  tbb::global_control two(tbb::global_control::max_allowed_parallelism, 2);
  tbb::task_arena arena(2);
  arena.execute([&] {
    flow::graph g;
    Gate gate(g, flow::unlimited, [&](int, Gate::output_ports_type&) { EXPECT_TRUE(both.meet()); });
    gate.try_put(0);
    gate.try_put(1);
    g.wait_for_all();
  });
  EXPECT_TRUE(both.met());
}

TEST(FlowGraph, what_a_body_puts_into_its_port_is_delivered_to_every_successor) {
  std::atomic<int> a{0}, b{0};
  flow::graph g;
  Gate gate(g, flow::unlimited, [&](int n, Gate::output_ports_type& out) {
    for (int k = 0; k < n; ++k) EXPECT_TRUE(std::get<0>(out).try_put(1));
  });
  flow::function_node<int> first(g, flow::serial, [&](int n) { a += n; });
  flow::function_node<int> second(g, flow::unlimited, [&](int n) { b += n; });
  flow::make_edge(flow::output_port<0>(gate), first);
  flow::make_edge(flow::output_port<0>(gate), second);
  gate.try_put(100);
  g.wait_for_all();
  EXPECT_EQ(a, 100);
  EXPECT_EQ(b, 100);
}

TEST(FlowGraph, what_a_body_puts_does_not_run_inside_that_body) {
  on_one_thread([] {
    int depth = 0, deepest = 0;
    flow::graph g;
    Gate gate(g, flow::unlimited, [&](int n, Gate::output_ports_type& out) {
      deepest = std::max(deepest, ++depth);
      if (n > 0) std::get<0>(out).try_put(n - 1);
      --depth;
    });
    flow::make_edge(flow::output_port<0>(gate), gate);  // a cycle
    gate.try_put(100'000);
    g.wait_for_all();
    EXPECT_EQ(deepest, 1);
  });
}

TEST(FlowGraph, a_broadcast_node_delivers_to_all_its_successors) {
  std::atomic<int> sum{0};
  flow::graph g;
  flow::broadcast_node<int> room(g);
  std::vector<std::unique_ptr<Gate>> gates;
  for (int k = 0; k < 3; ++k) {
    gates.push_back(std::make_unique<Gate>(g, flow::unlimited, [&](int n, Gate::output_ports_type&) { sum += n; }));
    flow::make_edge(room, *gates.back());
  }
  EXPECT_TRUE(room.try_put(5));
  g.wait_for_all();
  EXPECT_EQ(sum, 15);
}

TEST(FlowGraph, a_serial_function_node_queues_without_bound_and_runs_one_body_at_a_time) {
  sluice::test::Peak bodies;
  flow::graph g;
  std::vector<int> order;
  flow::function_node<int> node(g, flow::serial, [&](int n) {
    const sluice::test::Inside inside(bodies);
    order.push_back(n);
  });
  for (int n = 0; n < 10'000; ++n) ASSERT_TRUE(node.try_put(n));
  g.wait_for_all();
  EXPECT_EQ(bodies.peak(), 1);
  EXPECT_EQ(order.size(), 10'000u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end())) << "first in, first out, with one putting thread";
}

TEST(FlowGraph, wait_for_all_waits_for_what_bodies_put) {
  for (int again = 0; again < 100; ++again) {
    std::atomic<int> left{1000};
    flow::graph g;
    Gate gate(g, flow::unlimited, [&](int, Gate::output_ports_type& out) {
      if (--left > 0) std::get<0>(out).try_put(0);
    });
    flow::make_edge(flow::output_port<0>(gate), gate);
    gate.try_put(0);
    g.wait_for_all();
    ASSERT_EQ(left, 0);
  }
}

TEST(FlowGraph, a_graph_may_be_waited_for_and_used_again) {
  std::atomic<int> sum{0};
  flow::graph g;
  flow::function_node<int> node(g, flow::unlimited, [&](int n) { sum += n; });
  for (int run = 1; run <= 3; ++run) {
    node.try_put(1);
    g.wait_for_all();
    EXPECT_EQ(sum, run);
  }
}

TEST(FlowGraph, nodes_are_destroyed_in_any_order_once_nothing_runs) {
  flow::graph g;
  auto a = std::make_unique<flow::broadcast_node<int>>(g);
  auto b = std::make_unique<Gate>(g, flow::unlimited, [](int, Gate::output_ports_type&) {});
  auto c = std::make_unique<flow::function_node<int, int>>(g, flow::serial, [](int n) { return n; });
  flow::make_edge(*a, *b);
  flow::make_edge(flow::output_port<0>(*b), *c);
  flow::make_edge(*c, *b);
  a->try_put(1);
  g.wait_for_all();
  b.reset();
  a.reset();
  c.reset();
}

// The tasks of a graph run where it was made, not where it is waited for.
TEST(FlowGraph, a_graph_belongs_to_the_arena_in_which_it_was_made) {
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

TEST(FlowGraph, an_exception_that_leaves_a_body_cancels_the_graph_until_it_is_reset) {
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
