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

#include <sluice/pipeline/detail/mishaps.hpp>
#include <sluice/pipeline/detail/verb_table.hpp>
#include <sluice/pipeline/options.hpp>
#include <sluice/pipeline/stage_info.hpp>
#include <sluice/pipeline/verbs.hpp>

namespace sluice::detail {

// How far a source is, for those who look on while its body runs: the number of the message being made, and the time in
// ticks at which it was begun; of a call of run() that has not got so far, `begun`, and between calls, `idle`.
struct Progress {
  static constexpr std::uint64_t idle = 0, begun = 1;
  std::atomic<std::uint64_t> at{0}, since{idle};
};

class Feed;

// Whether a loop over messages is to end. Relaxed: it only ends the loop sooner, and whatever tells of the messages is
// read after the flag has been seen by an order of its own.
inline bool asked_to_stop(const std::atomic<bool>& stop) {
  return stop.load(std::memory_order_relaxed);
}

// The typed part of a stage. The engine calls one body of a gate at a time, in order; a map's run() on several threads.
class Body {
 public:
  virtual ~Body() = default;

  // Before each run.
  virtual void reset() {}
  // Room for `messages` values of the output.
  virtual void allocate(std::size_t /*messages*/) {}
  // Makes the messages [at, last) in order (a sink: takes them). `at` is the one being worked on, so that an exception
  // has an address. Leaves early when `stop` is set. A source returns false when it has ended, a sink when it has
  // enough, all others true. Not called for an expand, a filter or a partition.
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
  // partition: the same for two streams. Works as long as there is room in both.
  struct Branches {
    std::uint64_t made[2], limit[2];
  };
  virtual void part(std::uint64_t& /*in*/, std::uint64_t /*last*/, Branches& /*branches*/,
                    const std::atomic<bool>& /*stop*/) {}
  // expand and sink: no input is left.
  virtual void finish() {}

  // A source that is filled from outside: its other side. Its run() takes what lies there.
  virtual Feed* feed() { return nullptr; }
  // Any other source: where it is to say how far it is.
  virtual void report(Progress& /*progress*/) {}

  // Seconds that its bodies have waited for the outside, as the callable counts them; of them, those before this graph
  // began to count.
  virtual double waited_seconds() const { return 0; }
  double waited_before = 0;

  // Whether messages are destroyed when their last reader is done, so that nothing of them lives on. Not where the
  // memory of one is used again for a later one.
  virtual bool releases() const { return false; }
  // Messages [first, last) have been consumed. Called by one thread at a time, in order.
  virtual void release(std::uint64_t /*first*/, std::uint64_t /*last*/) {}
  // A run is over that did not come to its end: what it left.
  virtual void release_all() {}

  // Whether a number of its stream may have no message.
  virtual void set_holes(bool /*holes*/) {}
  Mishaps mishaps;

  // Some take their input out of its slot when nobody else reads it, and copy it otherwise, where they can.
  virtual bool takes_out() const { return false; }
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
  Stage* first_branch = nullptr;            // of a partition's second stream: the stage that makes both
  Stage* second_branch = nullptr;           // of a partition: the stage of its second stream

  // Found by resolve() (detail/wiring.hpp).
  Stage* gate = nullptr;          // the gate whose segment its output belongs to
  Stage* bracket = nullptr;       // the split inside which its output lies
  bool endless = false;           // it ends when its consumer ends: a feedback, and what is made of feedbacks alone
  bool holes = false;             // a number of its stream may have no message
  std::vector<Stage*> consumers;  // every stage that reads its output, in the order of wiring

  const VerbRow& row() const { return detail::row(verb); }
  bool is_map() const { return !row().gate; }
  bool has_output() const { return row().has_output; }
  bool takes_out() const { return row().takes_out || body->takes_out(); }
  // Its body may meet numbers under which there is no message, or leave one.
  bool may_skip() const {
    bool may = holes || body->mishaps.skips();
    for (const Stage* in : inputs) may |= in->holes;
    return may;
  }
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
