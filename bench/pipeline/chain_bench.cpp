// What a message costs on its way through a source, three maps and a sink, beside the plain loop and bare oneTBB.
//
//  numbers -> a -> b -> c -> sum
//
// Each benchmark compares its sum with the plain loop's before it reports anything. Items are messages.
#include <benchmark/benchmark.h>
#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "pipeline/graph.hpp"

namespace {

using Number = std::uint64_t;
constexpr Number messages = 200'000;

Number mix(const Number& n) {
  return n * 0x9E3779B97F4A7C15u ^ n >> 31;
}

Number plain() {
  Number sum = 0;
  for (Number n = 0; n < messages; ++n) {
    Number m = n;
    for (int stage = 0; stage < 3; ++stage) benchmark::DoNotOptimize(m = mix(m));
    sum += m;
  }
  return sum;
}

// False, and no report, for a wrong answer.
bool right(benchmark::State& state, Number sum) {
  static const Number expected = plain();
  if (sum != expected) state.SkipWithError("the sum is not the plain loop's");
  return sum == expected;
}

void report(benchmark::State& state) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(messages));
}

void plain_loop(benchmark::State& state) {
  for (auto _ : state)
    if (!right(state, plain())) return;
  report(state);
}
BENCHMARK(plain_loop)->Unit(benchmark::kMillisecond)->UseRealTime();

// No bound and no order: every message lies in a queue before the first has arrived.
void bare_tbb(benchmark::State& state, std::size_t concurrency) {
  const auto threads = static_cast<int>(state.range(0));
  const tbb::global_control control(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
  tbb::task_arena arena(threads);
  namespace flow = tbb::flow;
  std::unique_ptr<flow::graph> graph;
  arena.execute([&] { graph = std::make_unique<flow::graph>(); });
  Number next = 0, sum = 0;
  flow::input_node<Number> numbers(*graph, [&](tbb::flow_control& control_flow) {
    if (next == messages) control_flow.stop();
    return next == messages ? 0 : next++;
  });
  flow::function_node<Number, Number> a(*graph, concurrency, mix), b(*graph, concurrency, mix),
      c(*graph, concurrency, mix);
  flow::function_node<Number> total(*graph, flow::serial, [&](const Number& n) { sum += n; });
  flow::make_edge(numbers, a);
  flow::make_edge(a, b);
  flow::make_edge(b, c);
  flow::make_edge(c, total);
  for (auto _ : state) {
    next = sum = 0;
    arena.execute([&] {
      numbers.activate();
      graph->wait_for_all();
      graph->reset();
    });
    if (!right(state, sum)) return;
  }
  report(state);
}
BENCHMARK_CAPTURE(bare_tbb, serial, tbb::flow::serial)
    ->Arg(1)
    ->Arg(2)
    ->ArgName("threads")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(bare_tbb, unlimited, tbb::flow::unlimited)
    ->Arg(1)
    ->Arg(2)
    ->ArgName("threads")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void sluice_graph(benchmark::State& state, sluice::Concurrency concurrency) {
  Number next = 0, sum = 0;
  sluice::Graph g("chain", sluice::Threads(static_cast<std::size_t>(state.range(0))));
  auto numbers = g.source(
      "numbers", [&]() -> std::optional<Number> { return next < messages ? std::optional(next++) : std::nullopt; },
      sluice::capacity(64));
  auto a = g.map("a", mix, numbers, concurrency);
  auto b = g.map("b", mix, a, concurrency);
  auto c = g.map("c", mix, b, concurrency);
  g.sink(
      "sum", [&](const Number& n) { sum += n; }, c);
  for (auto _ : state) {
    next = sum = 0;
    g.run();
    if (!right(state, sum)) return;
  }
  report(state);
}
BENCHMARK_CAPTURE(sluice_graph, serial, sluice::serial)
    ->Arg(1)
    ->Arg(2)
    ->ArgName("threads")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(sluice_graph, unlimited, sluice::unlimited)
    ->Arg(1)
    ->Arg(2)
    ->ArgName("threads")
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
