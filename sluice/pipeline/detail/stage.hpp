// A stage as the engine sees it: what was wired and set, and a Body that does the typed work. Nothing here is a
// template or knows of oneTBB.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sluice/pipeline/detail/verb_table.hpp>
#include <sluice/pipeline/options.hpp>
#include <sluice/pipeline/stage_info.hpp>
#include <sluice/pipeline/verbs.hpp>

namespace sluice::detail {

// The typed part of a stage. The engine calls one body of a gate at a time, in order; a map's run() on several threads.
class Body {
 public:
  virtual ~Body() = default;

  // Before each run.
  virtual void reset() {}
  // Room for `messages` values of the output.
  virtual void allocate(std::size_t /*messages*/) {}
  // Makes the messages [at, last) in order (a sink: takes them). `at` is the one being worked on, so that an exception
  // has an address. Leaves early when `stop` is set. A source returns false when it has ended, all others true.
  // Not called for an expand or a filter.
  virtual bool run(std::uint64_t& at, std::uint64_t last, const std::atomic<bool>& stop) = 0;

  // expand: takes message k; makes message k, or says that it needs the next input first.
  virtual void push(std::uint64_t /*k*/) {}
  virtual bool pull(std::uint64_t /*k*/) { return false; }
  // filter: takes messages [in, last) as long as there is room for what it keeps, and makes messages [made, limit) at
  // most. `in` is the one being worked on. Returns the number of the next that will be made.
  virtual std::uint64_t sift(std::uint64_t& /*in*/, std::uint64_t /*last*/, std::uint64_t made, std::uint64_t /*limit*/,
                             const std::atomic<bool>& /*stop*/) {
    return made;
  }
  // expand and sink: no input is left.
  virtual void finish() {}

  // zip, filter and feedback take their input out of its slot when nobody else reads it, and copy it otherwise.
  virtual void set_exclusive(std::size_t /*port*/, bool /*exclusive*/) {}
  virtual bool copies(std::size_t /*port*/) const { return true; }

  // feedback: message `end` is left over: the run's result and the next run's start.
  virtual void keep(std::uint64_t /*end*/) {}
  // split: into how many; fold: out of how many.
  virtual void set_shards(std::size_t /*count*/) {}

  virtual std::size_t value_bytes() const { return 0; }                   // sizeof the output
  virtual std::optional<std::size_t> payload_bytes() const { return 0; }  // heap memory it owns at most, if declared
  virtual std::size_t state_bytes() const { return 0; }                   // heap memory of the callable, if declared
};

struct Stage {
  std::size_t id = 0;
  std::string name;
  Verb verb = Verb::source;
  std::unique_ptr<Body> body;
  std::vector<Stage*> inputs;  // the producers of its streams; a feedback's is its closing stream
  bool foreign = false;        // a stream of another graph was given to it
  Concurrency concurrency = serial;
  std::size_t capacity = default_capacity;  // of a gate's segment
  std::size_t shards = 1;                   // of a split; of a fold: of its input

  // Found by resolve() (detail/wiring.hpp).
  Stage* gate = nullptr;          // the gate whose segment its output belongs to
  Stage* bracket = nullptr;       // the split inside which its output lies
  bool endless = false;           // it ends when its consumer ends: a feedback, and what is made of feedbacks alone
  std::vector<Stage*> consumers;  // every stage that reads its output, in the order of wiring

  const VerbRow& row() const { return detail::row(verb); }
  bool is_map() const { return !row().gate; }
  bool has_output() const { return row().has_output; }
};

using Stages = std::vector<std::unique_ptr<Stage>>;  // in the order of wiring

// The largest capacity and the largest number of shards; what a segment may hold, too.
inline constexpr std::size_t most_messages = std::size_t{1} << 20;
// A ticket names its stage in 16 bits.
inline constexpr std::size_t most_stages = std::size_t{1} << 16;

// Messages of its stream that a gate's segment may hold: its capacity counts messages before the cut where the stream
// is one of shards.
std::size_t stage_window(const Stage& gate);

StageDescription describe(const Stage& stage);
// The stage has been resolved (detail/wiring.hpp).
StageInfo stage_info(const Stage& stage);

}  // namespace sluice::detail
