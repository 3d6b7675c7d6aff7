// A stage as a node of a oneTBB flow graph, and the way of a ticket from one to the next.
//
// Every arrow is an edge. A ticket is first accepted by each successor: a map must have a thread for it; a gate marks
// what has arrived, and needs a thread only if it was idle. Where a thread is needed, the ticket travels along the edge
// and oneTBB finds one; but when the producer has nothing more to do it goes on itself with its last successor, the
// one on the way to a feedback, outside the scheduler. (What is spawned is at the mercy of whoever steals: on the way
// round a training step that cost microseconds.)
#pragma once

#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/task_arena.h>

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sluice/pipeline/detail/clock.hpp>
#include <sluice/pipeline/detail/counters.hpp>
#include <sluice/pipeline/detail/ends.hpp>
#include <sluice/pipeline/detail/next.hpp>
#include <sluice/pipeline/detail/recorder.hpp>
#include <sluice/pipeline/detail/segment.hpp>
#include <sluice/pipeline/detail/stage.hpp>
#include <sluice/pipeline/detail/ticket.hpp>
#include <sluice/pipeline/errors.hpp>
#include <sluice/pipeline/stats.hpp>

namespace sluice::detail {

namespace flow = tbb::flow;

// What the nodes of one run share.
struct Context {
  const std::string& graph;
  Ends& ends;
  Recorder* recorder = nullptr;  // of the run under way, where it is traced
  std::mutex mutex{};
  std::optional<StageError> error{};  // the first
  std::exception_ptr broken{};        // what is no body's: no memory for its address, or for a task

  bool stopping() const { return ends.halted(); }
  bool is_ending() const { return ends.ending(); }
  void fail(const Stage& stage, std::optional<Number> sequence, std::exception_ptr cause) noexcept;
  void fail(std::exception_ptr cause) noexcept;
  // Now, without looking at the clock once more. (In a trace slices would touch, which viewers do not tell apart.)
  Number time_of(const Next& next) const { return next.now && !recorder ? next.ticket.stamp : ticks(); }

  // Whose body runs on this thread, while it does.
  static inline thread_local const Context* works_here = nullptr;
};

class WorksHere {
 public:
  explicit WorksHere(const Context& context) : before_(Context::works_here) { Context::works_here = &context; }
  ~WorksHere() { Context::works_here = before_; }
  WorksHere(const WorksHere&) = delete;
  WorksHere& operator=(const WorksHere&) = delete;

 private:
  const Context* const before_;
};

// Calls bodies. One that waits for parallel work of its own must not run another body meanwhile: what it keeps in
// thread-locals would be lost, and its time counted twice.
template <class F>
auto isolated(F&& f) {
  return tbb::this_task_arena::isolate(std::forward<F>(f));
}

class Edge;

class Node {
 public:
  using Flow = flow::function_node<Ticket>;

  // limit: bodies at once that oneTBB allows, 0: any number.
  Node(flow::graph& graph, Stage& stage, Context& context, std::size_t limit);
  virtual ~Node() = default;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // From any thread: whether this node needs a thread to run() it with the ticket, which a stage has emitted.
  virtual bool accept(const Ticket& ticket, std::size_t producer) = 0;
  virtual Next run(const Next& next, Later& later) = 0;
  // Whether what waits for a thread of its own may wait for this node's bodies: they only hand values on.
  virtual bool quick() const = 0;
  virtual void add_to(StageStats& stats, double wall, double seconds_per_tick) const = 0;

  // Makes an edge; the successor that comes last is the one to go on with.
  void connect(flow::graph& graph, Node& successor);
  // Hands a ticket to every successor, and goes on with what this thread may take.
  void hand(const Ticket& ticket) {
    const Next next = deliver(ticket, true);
    follow({next.node, next.ticket});  // it has waited for this thread
  }
  // The run cannot go on, and no body is to blame.
  void fail(std::exception_ptr cause) noexcept { context_.fail(std::move(cause)); }
  const Stage& stage() const { return stage_; }
  Flow& flow_node() { return flow_; }

 protected:
  // Hands a ticket to every successor. go_on: this thread has nothing more to do here and may take the last one.
  Next deliver(const Ticket& ticket, bool go_on);

  Stage& stage_;
  Context& context_;

 private:
  void follow(Next next);

  const bool limited_;  // only oneTBB may run it
  std::vector<std::unique_ptr<Edge>> successors_;
  Flow flow_;
};

// From one node to another: oneTBB finds a thread for what is put into it.
class Edge {
 public:
  Edge(flow::graph& graph, Node& to) : to_(to), tail_(graph) { flow::make_edge(tail_, to.flow_node()); }
  Node& to() const { return to_; }
  void put(const Ticket& ticket) { tail_.try_put(ticket); }

 private:
  Node& to_;
  flow::broadcast_node<Ticket> tail_;
};

// A map that may work on several tickets at once: works through the ticket's range and passes the ticket on.
class ParallelMap final : public Node {
 public:
  // at_once: bodies at most, for whatever reason.
  ParallelMap(flow::graph& graph, Stage& stage, Context& context, std::size_t limit, std::size_t at_once,
              std::size_t threads);

  bool accept(const Ticket&, std::size_t) override { return true; }
  bool quick() const override { return false; }
  Next run(const Next& next, Later& later) override;
  void add_to(StageStats& stats, double wall, double seconds_per_tick) const override;
  const Cost& cost() const { return cost_; }

  Segment* split = nullptr;  // whose shards it is the first to work on

 private:
  struct alignas(64) Counts {
    Counter items, busy, ready;
    Histogram bodies;
  };
  const std::size_t at_once_;
  const bool may_skip_;
  std::vector<Counts> counts_;  // one a thread
  Cost cost_;
};

}  // namespace sluice::detail
