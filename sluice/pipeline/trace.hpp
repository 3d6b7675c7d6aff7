// A recording of what ran where and when, as Chrome trace events: opens in Perfetto and in chrome://tracing.
//
// One track for each worker, with a slice for each call of a body: its stage, the sequence number of its first message
// and how many messages it made (a body that takes microseconds is called for a range of them). A track of counters for
// each queue's fill, an arrow from the body that made a message to the one that took it, a track of the graphs' runs.
// A slice is a beginning and, with its numbers, an end ("ph" B and E); those of a track are in order of time, each a
// nanosecond or more behind the one before, so that speedscope, which adds up by name and arguments, adds up by stage.
// Times begin with the trace. One trace may be given to several graphs.
// Bounded: of each graph the first `steps` messages of every stream are recorded, counted over its runs (of shards: the
// shards of so many messages), in about 100 bytes each.
// Behind a split, fill counts shards. Names of graphs and stages are UTF-8.
// Thread-safety: graphs that use one trace may run at the same time; write() and events() not during a run. The trace
// outlives the runs that it records.
// Errors: std::bad_alloc from a run whose recording finds no memory; write() leaves the stream's state to the caller.
//
//   Trace trace(1000);
//   graph.set_trace(&trace);
//   graph.run();
//   trace.write(file);
//
// Source: "Trace Event Format", the JSON object form; times in microseconds.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <memory>

namespace sluice {

class Trace {
 public:
  explicit Trace(std::size_t steps = 1000);
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  std::size_t events() const;  // bodies recorded
  void write(std::ostream& out) const;

 private:
  friend class Graph;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice
