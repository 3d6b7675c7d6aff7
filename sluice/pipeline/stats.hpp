// What a graph counted, always, also while it runs: items and times of every stage, high-water mark of every segment.
//
// Times are in seconds, summed over the stage's bodies (a map that ran on two threads for one second was busy for two).
//   busy      in its body
//   starved   had no input
//   blocked   had input but no room downstream; only gates can be (a map's room was granted at its segment's start)
//   ready     had a message, or room, and waited for a thread
// For a map that may work on several messages at once, starved is what is left of the workers' time that it could have
// used: wall x min(concurrency, threads) less busy and ready, never below zero.
// Any other stage's waiting is counted when it ends, so during a run the wait under way is not in the figures.
// Thread-safety: graph.stats() may be called from any thread at any time; the figures of one call are not a single
// instant's. Counts add up over runs; they begin anew when the wiring or a setting changes.
//
//   fmt::print("{}\n{}\n", profile_table(graph.stats()), verdict(graph.stats()).text);   // sluice/pipeline/verdict.hpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

struct StageStats {
  std::string name;
  std::string verb;
  std::vector<std::string> inputs;  // the stages whose messages it reads; a feedback's is the one that closes it
  std::size_t concurrency = 1;      // bodies at once; 0: no limit
  std::size_t at_once = 1;  // bodies that can be at once: limited by concurrency, threads and messages there are
  std::size_t shards = 1;   // of a split, and of what is sharded: shards of a message
  bool sharded = false;     // its messages are shards
  std::uint64_t items = 0;  // messages made; of a sink: taken
  double busy = 0, starved = 0, blocked = 0, ready = 0;  // seconds
  double p50 = 0, p99 = 0;   // of a body, in seconds; within a seventh; where a body takes microseconds, of the mean
                             // of several that ran in a row
  std::size_t capacity = 0;  // of the segment its output begins, in messages; 0: it begins none
  std::uint64_t queued = 0;  // messages in that segment now
  std::uint64_t high_water = 0;  // most messages that were in that segment at once
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
