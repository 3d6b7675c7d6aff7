// What a training-like step costs, beside bare oneTBB with one node a shard and operation, and beside the work alone:
// its time on one thread divided by the threads, the best that there can be.
//
//  batches -> work -> shard => forward => gradient => reduce -> update -> weights
//  weights -> work
//
// A step has some work, cut into S shards; every run compares its weights with the straight loop's.
//
//   step_bench [steps=1000] [rounds=15]
#include <fmt/core.h>
#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include "bench/support/in_turn.hpp"

namespace {

namespace flow = tbb::flow;
using sluice::bench::InTurn;
using Number = std::uint64_t;
using Step = std::tuple<Number, Number>;

Number steps = 1000;
int turns = 0;  // of a chain of dependent multiplications a step

Number busy(Number n, int count) {
  for (int k = 0; k < count; ++k) n = n * 0x9E3779B97F4A7C15u + 1;
  return n;
}

struct Shard {
  Number seed;
  int count;
};
Shard cut(Number batch, Number weight, std::size_t part, std::size_t parts) {
  return {batch ^ weight << 1 ^ part << 32, turns / 2 / static_cast<int>(parts)};
}
Shard forward(const Shard& s) {
  return {busy(s.seed, s.count), s.count};
}
Number gradient(const Shard& s) {
  return busy(s.seed, s.count);
}
Number update(const Number& sum) {
  return sum ^ sum >> 7;
}

Number straight(std::size_t parts) {
  Number weight = 1;
  for (Number batch = 0; batch < steps; ++batch) {
    Number sum = 0;
    for (std::size_t part = 0; part < parts; ++part) sum = 3 * sum + gradient(forward(cut(batch, weight, part, parts)));
    weight = update(sum);
  }
  return weight;
}

Number expected = 0;
void check(Number weight) {
  if (weight != expected) throw std::runtime_error("weights are not the straight loop's");
}

class Bare {
 public:
  Bare(std::size_t threads, std::size_t parts)
      : arena_(static_cast<int>(threads)),
        graph_(made()),
        gradients_(parts),
        step_(*graph_),
        reduce_(*graph_, [this](flow::continue_msg) { reduced(); }) {
    for (std::size_t part = 0; part < parts; ++part) {
      forwards_.push_back(std::make_unique<flow::function_node<Step, Shard>>(
          *graph_, flow::unlimited,
          [part, parts](const Step& s) { return forward(cut(std::get<0>(s), std::get<1>(s), part, parts)); }));
      backwards_.push_back(std::make_unique<flow::function_node<Shard, flow::continue_msg>>(
          *graph_, flow::unlimited, [this, part](const Shard& s) {
            gradients_[part] = gradient(s);
            return flow::continue_msg();
          }));
      flow::make_edge(step_, *forwards_.back());
      flow::make_edge(*forwards_.back(), *backwards_.back());
      flow::make_edge(*backwards_.back(), reduce_);
    }
  }
  void operator()() {
    batch_ = 0;
    arena_.execute([this] {
      step_.try_put({0, 1});
      graph_->wait_for_all();
    });
    check(weight_);
  }

 private:
  std::unique_ptr<flow::graph> made() {
    std::unique_ptr<flow::graph> graph;
    arena_.execute([&] { graph = std::make_unique<flow::graph>(); });
    return graph;
  }
  void reduced() {
    Number sum = 0;
    for (const Number g : gradients_) sum = 3 * sum + g;
    weight_ = update(sum);
    if (++batch_ < steps) step_.try_put({batch_, weight_});
  }

  tbb::task_arena arena_;
  std::unique_ptr<flow::graph> graph_;
  Number batch_ = 0, weight_ = 0;
  std::vector<Number> gradients_;
  flow::broadcast_node<Step> step_;
  flow::continue_node<flow::continue_msg> reduce_;
  std::vector<std::unique_ptr<flow::function_node<Step, Shard>>> forwards_;
  std::vector<std::unique_ptr<flow::function_node<Shard, flow::continue_msg>>> backwards_;
};

class Ours {
 public:
  Ours(const sluice::Threads& threads, std::size_t parts)
      : graph_("step", threads), weights_(graph_.feedback("weights", Number{1})) {
    auto batches = graph_.source(
        "batches", [this]() -> std::optional<Number> { return next_ < steps ? std::optional(next_++) : std::nullopt; });
    auto work = graph_.zip("work", batches, weights_);
    auto shards = graph_.split(
        "shard",
        [](const Step& s, std::size_t part, std::size_t of) { return cut(std::get<0>(s), std::get<1>(s), part, of); },
        work, sluice::shards(parts));
    auto gradients =
        graph_.map("gradient", gradient, graph_.map("forward", forward, shards, sluice::unlimited), sluice::unlimited);
    auto reduced = graph_.fold(
        "reduce",
        [](sluice::Group<Number> all) {
          Number sum = 0;
          for (const Number n : all) sum = 3 * sum + n;
          return sum;
        },
        gradients);
    weights_.close(graph_.map("update", update, reduced, sluice::unlimited));
  }
  void operator()() {
    next_ = 0;
    weights_.set_value(1);
    graph_.run();
    check(weights_.value());
  }

 private:
  Number next_ = 0;
  sluice::Graph graph_;
  sluice::Feedback<Number> weights_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) steps = std::strtoull(argv[1], nullptr, 10);
  const std::size_t rounds = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 15;
  fmt::print("us a step; work: on one thread, divided by the threads\n");
  fmt::print("{:>7} {:>6} {:>8} {:>8} {:>8} {:>8} {:>8}\n", "threads", "shards", "work", "bare", "graph", "/ bare",
             "- bare");
  for (const int count : {24'000, 96'000})
    for (const std::size_t threads : {1u, 2u})
      for (const std::size_t parts : {2u, 4u}) {
        turns = count;
        expected = straight(parts);
        const tbb::global_control allowed(tbb::global_control::max_allowed_parallelism, threads);
        const sluice::Threads workers(threads);
        Bare bare(threads, parts);
        Ours ours(workers, parts);
        const InTurn t(
            {{"work", [&] { check(straight(parts)); }}, {"bare", [&] { bare(); }}, {"graph", [&] { ours(); }}}, rounds);
        const auto us = [&](const char* name) { return t.seconds(name) / static_cast<double>(steps) * 1e6; };
        fmt::print("{:>7} {:>6} {:>8.1f} {:>8.1f} {:>8.1f} {:>8.3f} {:>8.1f}\n", threads, parts,
                   us("work") / static_cast<double>(threads), us("bare"), us("graph"), t.ratio("graph", "bare"),
                   us("graph") - us("bare"));
      }
}
