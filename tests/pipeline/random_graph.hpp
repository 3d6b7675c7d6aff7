// A random plan as a graph, and each of its runs held against the interpreter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include "tests/pipeline/random_plan.hpp"
#include "tests/pipeline/random_stages.hpp"

namespace sluice::test {

class RandomGraph {
 public:
  RandomGraph(std::uint64_t seed, Plan::Wrong wrong);

  // Before each run: what it is to give, and where it is to throw.
  void prepare(std::vector<Trap> traps = {});
  // After it. A run that was not complete is only held to what holds for any part of one.
  void check(bool complete);
  void check_stopped();  // of a run that was stopped in order, at some time
  // A sink that has enough when it has taken message k. Returns nothing where there is none that gets so far.
  std::optional<std::size_t> have_enough(Random& random);
  void check_enough(std::size_t sink, const RunEnd& end);
  void fault(const std::string& what) { watch.fault(what); }
  void cancel();

  // A stage that can throw, and where.
  Trap draw_trap(Random& random) const;
  // Whether this trap may be what a StageError says.
  bool explains(const Trap& trap, const StageError& error) const;
  void change_settings(Random& random);
  void give_room(std::size_t stage);
  void set_values(Random& random);  // of the feedbacks

  std::uint64_t calls() const;  // of bodies in a complete run, roughly
  std::string describe() const;

  Plan plan;
  Watch watch;
  std::unique_ptr<Graph> graph;
  Result expected;

 private:
  using AnyStream = std::variant<std::monostate, Stream<Message>, Stream<Pair>>;

  AnyStream add(std::size_t id);
  std::uint64_t sequence_of(const Trap& trap) const;  // that its StageError names; `none`: no number
  std::size_t window(std::size_t id) const { return plan.stages[id].capacity * plan.shards_of_message(id); }
  std::vector<StageBody::Consumer> consumers_of(std::size_t gate) const;

  std::vector<std::unique_ptr<StageBody>> bodies_;
  std::vector<AnyStream> streams_;
  std::vector<std::optional<Feedback<Message>>> feedbacks_;
  std::vector<Digest> start_;  // of the feedbacks
  GraphStats before_;
};

}  // namespace sluice::test
