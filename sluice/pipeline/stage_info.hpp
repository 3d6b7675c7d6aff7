// What a stage is: its description as it was wired and set, which statistics share (sluice/pipeline/stats.hpp), and the
// most that it holds.
//
//   for (const StageInfo& stage : graph.stages())
//     fmt::print("{} ({}): {} messages\n", stage.name, to_string(stage.verb), stage.bound.messages);
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <sluice/pipeline/options.hpp>
#include <sluice/pipeline/verbs.hpp>

namespace sluice {

struct StageDescription {
  std::string name;
  Verb verb = Verb::source;
  std::vector<std::string> inputs;   // the stages whose messages it reads; a feedback's is the one that closes it
  Concurrency concurrency = serial;  // bodies at once; of every verb but map: serial
  std::size_t capacity = 0;          // of the segment that its output begins, in messages; 0: it begins none
  bool sharded = false;              // its messages are shards
  std::size_t shards = 1;            // of which one message consists that is sharded
};

// The most that a graph, or a stage's stream, holds at once, by construction.
struct Bound {
  std::size_t messages = 0;
  std::size_t bytes = 0;  // of all slots, with the heap memory that stages declare of their messages and themselves
  bool complete = true;   // false: some stage's messages own heap memory of undeclared size

  Bound& operator+=(const Bound& other) {
    messages += other.messages;
    bytes += other.bytes;
    complete &= other.complete;
    return *this;
  }
};

struct StageInfo : StageDescription {
  Bound bound;  // of the values of its stream
};

}  // namespace sluice
