// The bodies of a random graph: they compute what the interpreter computes, and look at everything that the framework
// promises to a body. What is broken is written down, as bodies run on any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <vector>

#include "tests/pipeline/random_plan.hpp"

namespace sluice::test {

// A message with heap memory that repeats what it says: one that is read while it is written does not add up.
struct Message {
  Message() = default;
  explicit Message(Digest d) { set(d); }
  void set(Digest d) {
    digest = d;
    echo.assign(1 + d % 3, d);
  }
  bool whole() const {
    for (const Digest d : echo)
      if (d != digest) return false;
    return echo.size() == 1 + digest % 3;
  }
  Digest digest = 0;
  std::vector<Digest> echo;
};
using Pair = std::tuple<Message, Message>;

// Where a body is to throw, or to cancel the run.
struct Trap {
  enum Where { body, pull, finish, reset } where = body;
  std::uint64_t sequence = 0;  // pull: when so many outputs have been made
  std::size_t stage = none;
  bool cancels = false;
};
struct Sprung : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// What a stage throws that skips it.
struct Failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What the bodies of one graph share.
class Watch {
 public:
  explicit Watch(std::size_t threads) : threads_(threads) {}

  void fault(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (faults_.size() < 8) faults_.push_back(what);
  }
  std::vector<std::string> faults() const {
    const std::lock_guard lock(mutex_);
    return faults_;
  }

  void enter() {
    calls.fetch_add(1, std::memory_order_relaxed);
    if (inside_.fetch_add(1) >= threads_) fault("more bodies at once than threads");
  }
  void leave() { --inside_; }
  std::size_t inside() const { return inside_; }

  std::function<void()> cancel;                    // the run, from a body
  std::atomic<std::uint64_t> calls{0};             // of bodies, in this run
  std::atomic<std::uint64_t> cancelled_at{never};  // calls, when it was cancelled
  std::atomic<bool> begun{false};                  // the run
  std::atomic<bool> stopped{false};                // in order: there may be fewer messages than expected
  static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

 private:
  const std::size_t threads_;
  std::atomic<std::size_t> inside_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> faults_;
};

// What a stage does. Lives outside the graph, which holds callables that call it (random_graph.cpp).
class StageBody {
 public:
  StageBody(const Plan& plan, std::size_t id, Watch& watch) : plan_(plan), id_(id), watch_(watch) {}

  // Before a run. `expected` stays in place.
  void prepare(const Result& expected, std::size_t window, std::vector<Trap> traps);

  // What the callables do.
  void reset();
  std::optional<Digest> source();
  Digest map(Digest in);
  void push(Digest in);
  std::optional<Digest> pull();
  bool keep(Digest in);
  bool part(Digest in, StageBody& second);
  void finish();
  Digest cut(Digest in, std::size_t part, std::size_t parts);
  template <class Shards>
  Digest fold(const Shards& shards);
  Demand sink(Digest in);

  Digest look(const Message& m) {
    if (!m.whole()) fault("a message that is not whole");
    return m.digest;
  }
  Digest look(const Pair& p) { return mix(look(std::get<0>(p)), look(std::get<1>(p))); }

  // Those who consume what this gate makes: of its messages they have consumed (done * multiply + slack) / divide, at
  // most. (A zip is no body: it is as far as its consumers, and what its segment holds, at most.)
  struct Consumer {
    const StageBody* body;
    std::uint64_t multiply, divide, slack;
  };
  std::vector<Consumer> consumers;
  std::atomic<std::uint64_t> done{0};  // messages (groups) consumed; a little earlier than the framework says so
  std::uint64_t enough_at = ~std::uint64_t{0};  // a sink's message after which it has enough
  std::uint64_t made() const { return made_; }
  std::uint64_t taken() const { return taken_; }
  std::uint64_t finishes() const { return finishes_; }
  std::uint64_t resets() const { return resets_; }

 private:
  class Inside;

  const PlanStage& stage() const { return plan_.stages[id_]; }
  void fault(const std::string& what);
  void expect_input(std::uint64_t k, Digest in);
  // The next message (group, shard) that is there, from number k on.
  std::uint64_t next_there(std::uint64_t k) const;
  void fail_if_it_does(Digest at) const;
  void expect_room(std::uint64_t k);
  void spring(Trap::Where where, std::uint64_t k) const;
  void spring(const Trap& trap) const;
  void delay(Digest in) const;

  const Plan& plan_;
  const std::size_t id_;
  Watch& watch_;
  const Result* expected_ = nullptr;
  std::size_t window_ = 0;
  std::vector<Trap> traps_;
  std::vector<Digest> trapped_;  // of a map or split: the messages at which the traps are

  std::atomic<std::size_t> inside_{0};
  std::atomic<std::uint64_t> made_{0};
  std::uint64_t taken_ = 0, resets_ = 0, finishes_ = 0;
  Digest sum_ = 0;
  Expansion expansion_;
};

class StageBody::Inside {
 public:
  explicit Inside(StageBody& body) : body_(body) {
    const PlanStage& s = body.stage();
    std::size_t limit = s.verb == Verb::map ? body.window_ : 1;  // as many as there are messages
    if (s.verb == Verb::map && s.concurrency.limit > 0) limit = std::min(limit, s.concurrency.limit);
    const std::size_t before = body.inside_.fetch_add(1);
    if (before >= limit) body.fault(std::to_string(before + 1) + " bodies at once");
    if (!s.waits) body.watch_.enter();  // that one keeps none of the graph's threads
  }
  ~Inside() {
    if (!body_.stage().waits) body_.watch_.leave();
    --body_.inside_;
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  StageBody& body_;
};

template <class Shards>
Digest StageBody::fold(const Shards& shards) {
  const Inside inside(*this);
  made_ = next_there(made_);
  const std::uint64_t k = made_, size = shards.size();
  expect_room(k);
  spring(Trap::body, k);
  if (size != plan_.stages[plan_.stages[stage().inputs[0]].bracket].shards) fault("a group of " + std::to_string(size));
  std::uint64_t at = k * size;
  ++made_;
  done = next_there(made_);
  for (const auto& shard : shards) {
    const Digest in = look(shard);
    expect_input(at++, in);
    if (at == k * size + 1) fail_if_it_does(in);
    sum_ = mix(sum_, in);
  }
  delay(sum_);
  return sum_;
}

}  // namespace sluice::test
