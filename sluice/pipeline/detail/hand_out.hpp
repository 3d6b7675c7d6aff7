// Hands the shards of a message out to threads: each to the one that it is for (Segment::worker_of), where that one is
// free.
//
// What is spawned the plain way lies in the queue of the thread that spawned it, and idle threads look for it one queue
// at a time, at random, a third of a microsecond a look: with sixteen threads the last shard waits 20 us for a thief.
// Here a shard is sent to a thread's mailbox, which it looks into first; it lies in the queue as well, for whoever
// comes first. A task stands for a range of shards and sends half of it on before it works on its first, so that
// sixteen shards are on their way after four sendings and not after fifteen.
//
// Of oneTBB this takes what its own parallel_for with a static_partitioner is made of: task and spawn() to a slot,
// which are in its headers and its binary interface, and in no document. tests/tbb pins what is relied on.
#pragma once

#include <oneapi/tbb/detail/_task.h>
#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/task_group.h>

#include <cstddef>
#include <cstdint>
#include <deque>

#include <sluice/pipeline/detail/segment.hpp>
#include <sluice/pipeline/detail/ticket.hpp>

namespace sluice::detail {

class Node;

class HandOut {
 public:
  // Of what `from` emits, whose segment holds `most` messages.
  HandOut(tbb::flow::graph& graph, Node& from, const Segment& segment, std::size_t most, std::size_t threads);
  HandOut(const HandOut&) = delete;
  HandOut& operator=(const HandOut&) = delete;

  // So many of a message's shards are one thread's.
  Number per_thread(std::size_t shards) const { return (shards + threads_ - 1) / threads_; }
  // The messages of a ticket in tickets of `length`, all but the one that begins with message `kept`.
  void operator()(const Ticket& whole, Number length, Number kept);

 private:
  struct Range {
    Ticket whole;
    Number length, kept;
    std::uint32_t first, last;  // tickets, counted without the kept one
    Ticket ticket(std::uint32_t place) const;
  };
  class Task final : public tbb::detail::d1::task {
   public:
    explicit Task(HandOut& owner) : owner_(owner) {}
    Range range{};

   private:
    using task = tbb::detail::d1::task;
    // Once its first shard is worked on, the task may be sent again: nothing of it is looked at then.
    task* execute(tbb::detail::d1::execution_data&) override {
      owner_.work(range);
      return nullptr;
    }
    // What happens to whoever runs the graph is no reason to lose a shard.
    task* cancel(tbb::detail::d1::execution_data& data) override { return execute(data); }

    HandOut& owner_;
  };

  void send(const Range& range);
  // oneTBB would work on a task that threw once more.
  void work(Range range) noexcept;

  tbb::flow::graph& graph_;
  Node& from_;
  const Segment& segment_;
  const std::size_t threads_;
  tbb::task_group_context context_{tbb::task_group_context::isolated};  // of no other: they end one after the other
  std::deque<Task> tasks_;  // by the first message of its range; free again when that is worked on
};

}  // namespace sluice::detail
