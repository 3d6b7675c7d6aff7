// What a graph counted, always, also while it runs: items and times of every stage, high-water mark of every segment.
//
// Times are in seconds, summed over the stage's bodies (a map that ran on two threads for one second was busy for two).
//   busy      in its body
//   starved   had no input
//   blocked   had input but no room downstream; only gates can be (a map's room was granted at its segment's start)
//   ready     had a message, or room, and waited for a thread
//   waiting   of a source: had room, and nothing came from outside; also in a body that slept for
//             most of its time, of a tenth of a millisecond and more; of any stage, what it says (waited_seconds())
// For a map that may work on several messages at once, starved is what is left of the workers' time that it could have
// used: wall x min(concurrency, threads) less busy and ready, never below zero.
// Any other stage's waiting is counted when it ends, so during a run the wait under way is not in the figures.
// Thread-safety: graph.stats() may be called from any thread at any time; the figures of one call are not a single
// instant's. Counts add up over runs; they begin anew when the wiring or a setting changes.
//
//   fmt::print("{}{}\n", profile_table(graph.stats()), verdict(graph.stats()).text);   // sluice/pipeline/verdict.hpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <sluice/pipeline/stage_info.hpp>

namespace sluice {

struct StageStats : StageDescription {
  std::size_t at_once = 1;  // bodies that can be at once: limited by concurrency, threads and messages there are
  std::uint64_t items = 0;  // messages made; of a sink: taken
  double busy = 0, starved = 0, blocked = 0, ready = 0, waiting = 0;  // seconds
  // Seconds of a body, within a seventh; where a body takes microseconds, of the mean of several that ran in a row.
  double p50 = 0, p99 = 0;
  std::uint64_t queued = 0;      // messages in the segment that its output begins, now
  std::uint64_t high_water = 0;  // most messages that were in that segment at once
  // Of a sink: seconds from the making of the source's message that one is made of (the first, where there are
  // several; by way of the first input) to the end of the sink's body, within a seventh.
  double latency_p50 = 0, latency_p99 = 0;
  std::uint64_t errors = 0;  // messages that an exception has cost: on_error(skip); of a partition by its first stream
  std::uint64_t holes = 0;   // messages that were not there for that reason, and were passed over or on
  std::uint64_t left_over = 0;  // messages that came to it behind an early end, and were for nobody
};

struct GraphStats {
  std::string graph;
  std::uint64_t runs = 0;
  double wall = 0;  // seconds in run(), all runs
  std::size_t threads = 0;
  std::vector<StageStats> stages;  // in the order of wiring

  StageStats stage(const std::string& name) const;  // throws std::out_of_range
};

}  // namespace sluice
