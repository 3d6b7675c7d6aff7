// Random graphs as plain data, and what they give by a plain sequential interpreter.
//
// A message is a number of 64 bits, practically never the same twice, made from its inputs by mix(): whatever is lost,
// comes twice or changes places shows in every number made of it.
//
// All that is wired ends: streams that are joined are of one *family*, so they have the same length, and the capacities
// allow for how far one of them lags behind the other. Two plans are wrong on purpose: `unequal`, `stalled`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include <sluice/pipeline/options.hpp>
#include <sluice/pipeline/verbs.hpp>
#include "tests/support/random.hpp"

namespace sluice::test {

using Digest = std::uint64_t;
inline constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

// What an expand does; the state of one, at work.
struct Expansion {
  enum Kind {
    repeat,  // none to `most` outputs for an input; `rest` more at the end
    lag,     // one for one, given on `most` inputs later
    gather,  // one for `most` inputs; at the end one for what is left
  };
  Kind kind = repeat;
  std::size_t most = 0, rest = 0;
  Digest salt = 0;

  void push(Digest in);
  std::optional<Digest> pull();
  void finish();

 private:
  Digest state_ = 0;
  std::size_t left_ = 0, gathered_ = 0;
  std::deque<Digest> held_;
  bool finished_ = false;
};

// How long a body takes; which messages are slow is decided by their digests.
struct Delay {
  enum Kind { no, spin, yield, sleep } kind = no;
  unsigned one_in = 1;
  int turns = 0;
};

// Stands where there is no message: a body threw, and the stage skips that (on_error).
inline constexpr Digest hole = 0x5C1A7E0F0DDBA11u;

// Whether the body of a stage that skips throws at what it takes (a source: at what it would make).
constexpr bool fails(std::size_t stage, Digest at) {
  return (at >> 21) % 6 == stage % 5;
}

// Whether a filter keeps a message; whether it goes into a partition's first stream.
constexpr bool keeps(std::size_t stage, Digest in) {
  return (in >> 9) % 5 > stage % 3;
}

struct PlanStage {
  Verb verb{};
  std::string name;
  std::vector<std::size_t> inputs;  // stages; of a feedback the one that closes it
  Concurrency concurrency = serial;
  std::size_t capacity = 1, least_capacity = 1, shards = 1;
  bool recycling = false;  // the form of its callable
  bool takes = false;      // its message, out of its slot
  bool waits = false;      // a source with a token
  bool skips = false;      // what its body throws
  std::size_t count = 0;   // of a source: its messages
  Expansion expansion{};
  Delay delay{};

  std::size_t second = none;   // of a partition's first stream: the other one
  std::size_t first = none;    // of its second stream: the one that makes both
  std::size_t gate = 0;        // that begins the segment of its output
  std::size_t family = 0;      // streams of one family (and one bracket) may be joined
  std::size_t bracket = none;  // the split that its messages are shards of
  bool endless = false;        // it has one message more than the others of its family: made of feedbacks alone
  std::size_t lag = 0;         // messages that it is behind the first of its family, at most
  std::size_t at_most = 0;     // messages, roughly: so that graphs stay small
  std::size_t readers = 0;     // inputs that it is given to

  bool is_pair() const { return verb == Verb::zip; }
};

struct Plan {
  enum Wrong { nothing, unequal, stalled };

  explicit Plan(std::uint64_t seed, Wrong wrong = nothing);
  // Other capacities, concurrencies and shards. Returns the stages that were changed.
  std::vector<std::size_t> change(Random& random);
  // Other lengths of the sources, none longer than it was drawn; equal ones stay equal. Not of a wrong plan.
  void change_lengths(Random& random);
  bool skips() const;                                      // any of them
  std::size_t shards_of_message(std::size_t stage) const;  // into which a message of its family is cut there
  std::string describe() const;

  std::size_t threads = 1;
  std::vector<PlanStage> stages;                         // inputs before the stages that read them, but for feedbacks
  std::size_t wrong_stage = none, patient_stage = none;  // of a wrong plan: the zip, what waits for room before it
};

// What a run gives.
struct Result {
  // By stage: its messages (a zip's: of the pair; a sink's: what it takes), and holes.
  std::vector<std::vector<Digest>> made;
  // Whether what message (group) k of a stage would be made of is not there.
  bool input_is_hole(const PlanStage& stage, std::size_t k, std::size_t group) const;
  std::vector<std::vector<std::size_t>> from;  // of an expand: the input that each output was made of
  std::vector<std::size_t> taken;              // messages (groups) of the first input
  bool complete = false;                       // nothing is left over
};

// `start`: by stage, what a feedback begins with.
Result interpret(const Plan& plan, const std::vector<Digest>& start);

}  // namespace sluice::test
