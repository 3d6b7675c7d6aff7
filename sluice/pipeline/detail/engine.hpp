// Runs checked stages as a oneTBB flow graph: each stage a node, each arrow an edge.
//
// What travels on the edges are tickets, ranges of sequence numbers; the values lie in the stages' rings. Every stage
// is a function_node. A gate (every verb but map) restores order and emits while there is room; between gates lies a
// segment, and message k of a segment has room when k - capacity was consumed by every consumer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <sluice/pipeline/detail/ends.hpp>
#include <sluice/pipeline/detail/recorder.hpp>
#include <sluice/pipeline/detail/stage.hpp>
#include <sluice/pipeline/detail/ticket.hpp>
#include <sluice/pipeline/stats.hpp>
#include <sluice/pipeline/threads.hpp>

namespace sluice::detail {

class Engine {
 public:
  // The stages have been checked (stage.hpp) and outlive the engine, as does what ends its runs.
  Engine(const std::string& graph, const Stages& stages, Threads threads, Ends& ends);
  ~Engine();

  // One run, from start to end. Throws StageError and Stalled. False: it was halted from outside before all was done.
  // recorder: of this run, or none.
  bool run(Recorder* recorder);
  bool was_cut_short() const;  // the last run: a source was asked no more, though it had not ended
  Number steps() const;        // of the last run: messages of its longest stream that is not one of shards

  // Adds what was counted to `stats.stages`, which lie in the order of the stages.
  void add_to(std::vector<StageStats>& stats, double wall) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::detail
