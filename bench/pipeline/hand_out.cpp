// What it costs to hand S parts of t microseconds out to threads and to wait for them, beside tbb::parallel_for and
// beside the arithmetic: the parts that one thread has to work on, S / threads of them.
//
//  steps -> step -> part => work => sum -> state
//  state -> step
//
// A step needs the state that the one before left, so that nothing overlaps; each run is compared with the straight
// loop.
//
//   hand_out [steps=1000] [rounds=7] [threads=all]
#include <fmt/core.h>
#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include "bench/support/in_turn.hpp"

namespace {

using sluice::bench::InTurn;
using Number = std::uint64_t;
using Step = std::tuple<Number, Number>;

std::size_t steps = 1000;
volatile Number result = 0;  // so that what is only timed is worked out
int turns = 0;               // of a chain of dependent multiplications a part

Number busy(Number n) {
  for (int k = 0; k < turns; ++k) n = n * 0x9E3779B97F4A7C15u + 1;
  return n;
}
Number seed(Number step, Number state, std::size_t part) {
  return step ^ state << 1 ^ part << 32;
}

struct alignas(64) Line {
  Number n = 0;
};
Number sum_of(const std::vector<Line>& parts) {
  Number sum = 0;
  for (const Line& p : parts) sum = 3 * sum + p.n;
  return sum;
}

Number straight(std::size_t parts) {
  Number state = 1;
  for (Number step = 0; step < steps; ++step) {
    Number sum = 0;
    for (std::size_t part = 0; part < parts; ++part) sum = 3 * sum + busy(seed(step, state, part));
    state = sum;
  }
  return state;
}

template <class Partitioner>
Number loops(tbb::task_arena& arena, std::size_t parts) {
  std::vector<Line> made(parts);
  Number state = 1;
  arena.execute([&] {
    for (Number step = 0; step < steps; ++step) {
      tbb::parallel_for(
          tbb::blocked_range<std::size_t>(0, parts),
          [&](const tbb::blocked_range<std::size_t>& range) {
            for (std::size_t part = range.begin(); part < range.end(); ++part)
              made[part].n = busy(seed(step, state, part));
          },
          Partitioner{});
      state = sum_of(made);
    }
  });
  return state;
}

class Ours {
 public:
  Ours(const sluice::Threads& threads, std::size_t parts)
      : graph_("hand out", threads), state_(graph_.feedback("state", Number{1})) {
    auto numbers = graph_.source(
        "steps", [this]() -> std::optional<Number> { return next_ < steps ? std::optional(next_++) : std::nullopt; });
    auto cut = graph_.split(
        "part", [](const Step& s, std::size_t part, std::size_t) { return seed(std::get<0>(s), std::get<1>(s), part); },
        graph_.zip("step", numbers, state_), sluice::shards(parts), sluice::capacity(1));
    auto made = graph_.map(
        "work", [](const Number& n) { return busy(n); }, cut, sluice::unlimited);
    state_.close(graph_.fold(
        "sum",
        [](sluice::Group<Number> all) {
          Number sum = 0;
          for (const Number n : all) sum = 3 * sum + n;
          return sum;
        },
        made));
  }
  Number operator()() {
    next_ = 0;
    state_.set_value(1);
    graph_.run();
    return state_.value();
  }

 private:
  Number next_ = 0;
  sluice::Graph graph_;
  sluice::Feedback<Number> state_;
};

}  // namespace

int main(int argc, char** argv) {
  std::size_t rounds = 7, threads = sluice::default_threads();
  for (const auto& [place, to] : {std::pair<int, std::size_t*>{1, &steps}, {2, &rounds}, {3, &threads}}) {
    if (argc > place) *to = std::strtoull(argv[place], nullptr, 10);
    if (*to > 0 && argc <= 4) continue;
    fmt::print(stderr, "usage: hand_out [steps=1000] [rounds=7] [threads=all]\n");
    return 2;
  }
  const tbb::global_control allowed(tbb::global_control::max_allowed_parallelism, threads);
  const sluice::Threads workers(threads);
  tbb::task_arena arena(static_cast<int>(threads));
  fmt::print("us a step on {} threads: the parts that one thread has to work on, and what handing out adds to that\n",
             threads);
  fmt::print("{:>6} {:>8} {:>8} {:>13} {:>8} {:>8} {:>15}\n", "parts", "us each", "work", "+ parallel_for", "+ static",
             "+ graph", "/ parallel_for");
  turns = 10'000;
  double seconds = 1e9;  // the least of some: what is slower was disturbed
  for (int i = 0; i < 5; ++i) seconds = std::min(seconds, sluice::bench::timed([] { result = straight(1); }));
  const double us_a_turn = seconds / static_cast<double>(steps) / turns * 1e6;
  for (std::size_t parts = 2; parts <= 16; parts *= 2)
    for (const double us : {1, 2, 5, 10, 20, 50}) {
      turns = static_cast<int>(us / us_a_turn);
      const Number expected = straight(parts);
      const auto check = [&](Number state) {
        if (state != expected) throw std::runtime_error("the state is not the straight loop's");
      };
      Ours ours(workers, parts);
      const InTurn t({{"work", [&] { check(straight(parts)); }},
                      {"for", [&] { check(loops<tbb::auto_partitioner>(arena, parts)); }},
                      {"static", [&] { check(loops<tbb::static_partitioner>(arena, parts)); }},
                      {"graph", [&] { check(ours()); }}},
                     rounds);
      const double a_step = 1e6 / static_cast<double>(steps);
      const double one = t.seconds("work") * a_step / static_cast<double>(parts);
      const double best = one * static_cast<double>((parts + threads - 1) / threads);
      const auto added = [&](const char* name) { return t.seconds(name) * a_step - best; };
      fmt::print("{:>6} {:>8.1f} {:>8.1f} {:>13.2f} {:>8.2f} {:>8.2f} {:>15.2f}\n", parts, one, best, added("for"),
                 added("static"), added("graph"), added("graph") / added("for"));
    }
}
