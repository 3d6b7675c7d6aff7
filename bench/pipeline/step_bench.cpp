// What a training-like step costs beside a straight loop that does the same work on one thread.
//
//  batches -> work -> shard => forward => gradient => reduce -> update -> weights
//  weights -> work
//
// A step has some 30 us of work, cut into S shards; with two threads half of that is the best there is. Each benchmark
// compares its weights with the straight loop's before it reports anything. Items are steps.
#include <benchmark/benchmark.h>
#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "pipeline/graph.hpp"

namespace {

using Number = std::uint64_t;
constexpr Number steps = 1000;
constexpr int turns = 24'000;  // of a chain of dependent multiplications a step

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

bool right(benchmark::State& state, Number weight, std::size_t parts) {
  const bool same = weight == straight(parts);
  if (!same) state.SkipWithError("the weights are not the straight loop's");
  return same;
}

void report(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(steps));
}

void straight_loop(benchmark::State& state) {
  const auto parts = static_cast<std::size_t>(state.range(0));
  Number weight = 0;
  for (auto _ : state) benchmark::DoNotOptimize(weight = straight(parts));
  if (right(state, weight, parts)) report(state);
}
BENCHMARK(straight_loop)->Arg(2)->Arg(4)->ArgName("shards")->Unit(benchmark::kMillisecond)->UseRealTime();

// One node a shard and operation, native edges, a counter for the last shard.
void bare_tbb(benchmark::State& state) {
  namespace flow = tbb::flow;
  const auto parts = static_cast<std::size_t>(state.range(0));
  const auto threads = static_cast<std::size_t>(state.range(1));
  const tbb::global_control control(tbb::global_control::max_allowed_parallelism, threads);
  tbb::task_arena arena(static_cast<int>(threads));
  std::unique_ptr<flow::graph> graph;
  arena.execute([&] { graph = std::make_unique<flow::graph>(); });

  using Step = std::tuple<Number, Number>;
  Number weight = 0;
  std::vector<Number> gradients(parts);
  std::vector<std::unique_ptr<flow::function_node<Step, Shard>>> forwards;
  std::vector<std::unique_ptr<flow::function_node<Shard, flow::continue_msg>>> backwards;
  flow::broadcast_node<Step> step(*graph);
  Number batch = 0;
  flow::continue_node<flow::continue_msg> reduce(*graph, [&](flow::continue_msg) {
    Number sum = 0;
    for (const Number g : gradients) sum = 3 * sum + g;
    weight = update(sum);
    if (++batch < steps) step.try_put({batch, weight});
  });
  for (std::size_t part = 0; part < parts; ++part) {
    forwards.push_back(std::make_unique<flow::function_node<Step, Shard>>(
        *graph, flow::unlimited,
        [part, parts](const Step& s) { return forward(cut(std::get<0>(s), std::get<1>(s), part, parts)); }));
    backwards.push_back(std::make_unique<flow::function_node<Shard, flow::continue_msg>>(
        *graph, flow::unlimited, [&, part](const Shard& s) {
          gradients[part] = gradient(s);
          return flow::continue_msg();
        }));
    flow::make_edge(step, *forwards.back());
    flow::make_edge(*forwards.back(), *backwards.back());
    flow::make_edge(*backwards.back(), reduce);
  }
  for (auto _ : state) {
    batch = 0;
    arena.execute([&] {
      step.try_put({0, 1});
      graph->wait_for_all();
    });
  }
  if (right(state, weight, parts)) report(state);
}
BENCHMARK(bare_tbb)
    ->ArgsProduct({{2, 4}, {1, 2}})
    ->ArgNames({"shards", "threads"})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void sluice_graph(benchmark::State& state) {
  using Step = std::tuple<Number, Number>;
  const auto parts = static_cast<std::size_t>(state.range(0));
  Number next = 0;
  sluice::Graph g("step", sluice::Threads(static_cast<std::size_t>(state.range(1))));
  auto weights = g.feedback("weights", Number{1});
  auto batches = g.source(
      "batches", [&]() -> std::optional<Number> { return next < steps ? std::optional(next++) : std::nullopt; });
  auto work = g.zip("work", batches, weights);
  auto shards = g.split(
      "shard",
      [](const Step& s, std::size_t part, std::size_t of) { return cut(std::get<0>(s), std::get<1>(s), part, of); },
      work, sluice::shards(parts));
  auto gradients = g.map("gradient", gradient, g.map("forward", forward, shards, sluice::unlimited), sluice::unlimited);
  auto reduced = g.fold(
      "reduce",
      [](sluice::Group<Number> all) {
        Number sum = 0;
        for (const Number n : all) sum = 3 * sum + n;
        return sum;
      },
      gradients);
  weights.close(g.map("update", update, reduced));
  for (auto _ : state) {
    next = 0;
    weights.set_value(1);
    g.run();
  }
  if (right(state, weights.value(), parts)) report(state);
}
BENCHMARK(sluice_graph)
    ->ArgsProduct({{2, 4}, {1, 2}})
    ->ArgNames({"shards", "threads"})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
