// What a message costs on its way through a source, three maps and a sink, bounded and in order, beside the plain loop
// and bare oneTBB. Capacity 64.
//
//  numbers -> a -> b -> c -> sum
//
// And what a stage more costs, a serial map that hands on what it gets, a filter that keeps everything, or a partition
// by halves, whose streams have a third map and a sum each.
//
// Every run compares its sum with the plain loop's.
//
//   chain_bench [messages=200000] [rounds=15]
#include <fmt/core.h>
#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>

#include <sluice/pipeline/graph.hpp>
#include "bench/support/in_turn.hpp"

namespace {

namespace flow = tbb::flow;
using sluice::bench::InTurn;
using Number = std::uint64_t;
Number messages = 200'000;

Number mix(const Number& n) {
  return n * 0x9E3779B97F4A7C15u ^ n >> 31;
}

Number expected = 0;
void check(Number sum) {
  if (sum != expected) throw std::runtime_error("a sum is not the plain loop's");
}

Number plain() {
  Number sum = 0;
  for (Number n = 0; n < messages; ++n) {
    Number m = n;
    for (int stage = 0; stage < 3; ++stage) {
      m = mix(m);
      asm volatile("" : "+r"(m));  // each stage by itself, as the others have to
    }
    sum += m;
  }
  return sum;
}

// No bound and no order: every message lies in a queue before the first has arrived.
class Bare {
 public:
  Bare(std::size_t threads, std::size_t concurrency)
      : arena_(static_cast<int>(threads)),
        graph_(made()),
        numbers_(*graph_,
                 [this](tbb::flow_control& control) {
                   if (next_ == messages) control.stop();
                   return next_ == messages ? 0 : next_++;
                 }),
        a_(*graph_, concurrency, mix),
        b_(*graph_, concurrency, mix),
        c_(*graph_, concurrency, mix),
        total_(*graph_, flow::serial, [this](const Number& n) { sum_ += n; }) {
    flow::make_edge(numbers_, a_);
    flow::make_edge(a_, b_);
    flow::make_edge(b_, c_);
    flow::make_edge(c_, total_);
  }
  void operator()() {
    next_ = sum_ = 0;
    arena_.execute([this] {
      numbers_.activate();
      graph_->wait_for_all();
      graph_->reset();
    });
    check(sum_);
  }

 private:
  std::unique_ptr<flow::graph> made() {
    std::unique_ptr<flow::graph> graph;
    arena_.execute([&] { graph = std::make_unique<flow::graph>(); });
    return graph;
  }
  tbb::task_arena arena_;
  std::unique_ptr<flow::graph> graph_;
  Number next_ = 0, sum_ = 0;
  flow::input_node<Number> numbers_;
  flow::function_node<Number, Number> a_, b_, c_;
  flow::function_node<Number> total_;
};

class Ours {
 public:
  enum class More { nothing, map, filter, partition };
  Ours(const sluice::Threads& threads, sluice::Concurrency concurrency, More more = More::nothing)
      : graph_("chain", threads) {
    auto numbers = graph_.source(
        "numbers",
        [this]() -> std::optional<Number> { return next_ < messages ? std::optional(next_++) : std::nullopt; },
        sluice::capacity(64));
    auto a = graph_.map("a", mix, numbers, concurrency);
    auto b = graph_.map("b", mix, a, concurrency);
    if (more == More::map)
      b = graph_.map(
          "more", [](const Number& n) { return n; }, b, sluice::serial);
    if (more == More::filter)
      b = graph_.filter(
          "more", [](const Number&) { return true; }, b, sluice::capacity(64));
    if (more == More::partition) {
      auto [odd, even] = graph_.partition(
          "odd", "even", [](const Number& n) { return (n & 1) != 0; }, b, sluice::capacity(64));
      graph_.sink(
          "sum of even", [this](const Number& n) { of_even_ += n; }, graph_.map("d", mix, even, concurrency));
      b = odd;
    }
    auto c = graph_.map("c", mix, b, concurrency);
    graph_.sink(
        "sum", [this](const Number& n) { sum_ += n; }, c);
  }
  void operator()() {
    next_ = sum_ = of_even_ = 0;
    graph_.run();
    check(sum_ + of_even_);
  }

 private:
  Number next_ = 0, sum_ = 0, of_even_ = 0;
  sluice::Graph graph_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1) messages = std::strtoull(argv[1], nullptr, 10);
  const std::size_t rounds = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 15;
  expected = plain();
  fmt::print("ns a message, and its share of bare oneTBB's\n");
  fmt::print("{:>7} {:>9} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>11}\n", "threads", "maps", "loop", "bare", "graph",
             "/ bare", "+ map", "+ filter", "+ partition");
  for (const std::size_t threads : {1u, 2u, 4u}) {
    const tbb::global_control allowed(tbb::global_control::max_allowed_parallelism, threads);
    const sluice::Threads workers(threads);
    for (const bool serial : {true, false}) {
      Bare bare(threads, serial ? std::size_t{flow::serial} : std::size_t{flow::unlimited});
      Ours ours(workers, serial ? sluice::serial : sluice::unlimited);
      const sluice::Concurrency maps = serial ? sluice::serial : sluice::unlimited;
      Ours with_map(workers, maps, Ours::More::map), with_filter(workers, maps, Ours::More::filter),
          with_partition(workers, maps, Ours::More::partition);
      const InTurn t({{"loop", [] { check(plain()); }},
                      {"bare", [&] { bare(); }},
                      {"graph", [&] { ours(); }},
                      {"map", [&] { with_map(); }},
                      {"filter", [&] { with_filter(); }},
                      {"partition", [&] { with_partition(); }}},
                     rounds);
      const auto ns = [&](const char* name) { return t.seconds(name) / static_cast<double>(messages) * 1e9; };
      fmt::print("{:>7} {:>9} {:>8.2f} {:>8.1f} {:>8.1f} {:>8.3f} {:>8.1f} {:>8.1f} {:>11.1f}\n", threads,
                 serial ? "serial" : "unlimited", ns("loop"), ns("bare"), ns("graph"), t.ratio("graph", "bare"),
                 ns("map") - ns("graph"), ns("filter") - ns("graph"), ns("partition") - ns("graph"));
    }
  }
}
