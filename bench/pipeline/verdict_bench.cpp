// Whether what the verdict predicts comes true: graphs whose slow stage waits on a timer, so that nothing depends on
// free processors. Each is run, the verdict read, the bodies of the stage that it names made twice as fast, and run
// again.
//
// Fails if the bottleneck is another stage than the one that was made slow, or a prediction is off by more than 20 %.
//
//   verdict_bench [milliseconds of the slow stage=2]
#include <fmt/core.h>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include <sluice/pipeline/verdict.hpp>

namespace {

using namespace sluice;
using Milliseconds = std::chrono::duration<double, std::milli>;

// How long the bodies of each stage wait, in milliseconds.
using Waits = std::map<std::string, double>;

constexpr int messages = 100;

struct Wait {
  double milliseconds;
  int operator()(const int& n) const {
    std::this_thread::sleep_for(Milliseconds(milliseconds));
    return n;
  }
};

struct Numbers {
  Wait wait;
  int next = 0;
  std::optional<int> operator()() { return next < messages ? std::optional(wait(next++)) : std::nullopt; }
  void reset() { next = 0; }
};

struct Take {
  Wait wait;
  void operator()(const int& n) const { wait(n); }
};

void chain(Graph& g, const Waits& w, Concurrency concurrency, std::size_t room) {
  auto numbers = g.source("numbers", Numbers{{w.at("numbers")}}, capacity(room));
  auto mapped = g.map("map", Wait{w.at("map")}, numbers, concurrency);
  g.sink("take", Take{{w.at("take")}}, mapped);
}

void loop(Graph& g, const Waits& w) {
  auto state = g.feedback("state", 0);
  auto pair = g.zip("pair", g.source("numbers", Numbers{{w.at("numbers")}}), state);
  auto cut = g.split(
      "cut", [](const std::tuple<int, int>& p, std::size_t, std::size_t) { return std::get<0>(p); }, pair, shards(2));
  auto a = g.map("a", Wait{w.at("a")}, cut, unlimited);
  auto b = g.map("b", Wait{w.at("b")}, a, unlimited);
  state.close(g.fold(
      "sum", [wait = Wait{w.at("sum")}](Group<int> p) { return wait(p[0]); }, b));
}

struct Case {
  std::string name, slow;
  Waits waits;
  std::function<void(Graph&, const Waits&)> wire;
};

GraphStats measured(const Case& c, const Waits& waits) {
  Graph g(c.name, Threads(8));
  c.wire(g, waits);
  g.run();
  return g.stats();
}

}  // namespace

int main(int argc, char** argv) {
  const double asked = argc > 1 ? std::atof(argv[1]) : 0, slow = asked > 0 ? asked : 2;
  const auto in_chain = [](Concurrency concurrency, std::size_t room) {
    return [=](Graph& g, const Waits& w) { chain(g, w, concurrency, room); };
  };
  const std::vector<Case> cases = {
      {"a slow source", "numbers", {{"numbers", slow}, {"map", slow / 4}, {"take", slow / 4}}, in_chain(serial, 8)},
      {"a serial map", "map", {{"numbers", slow / 8}, {"map", slow}, {"take", slow / 3}}, in_chain(serial, 8)},
      {"a slow sink", "take", {{"numbers", slow / 4}, {"map", slow / 4}, {"take", slow}}, in_chain(serial, 8)},
      {"a map, two at once", "map", {{"numbers", slow / 8}, {"map", 2 * slow}, {"take", slow / 8}}, in_chain({2}, 8)},
      {"a map, three in room",
       "map",
       {{"numbers", slow / 8}, {"map", 3 * slow}, {"take", slow / 8}},
       in_chain(unlimited, 3)},
      {"the next bound", "take", {{"numbers", slow / 2}, {"map", slow * 0.8}, {"take", slow}}, in_chain(serial, 8)},
      {"two equal stages", "", {{"numbers", slow}, {"map", slow / 4}, {"take", slow}}, in_chain(serial, 8)},
      {"a loop", "a", {{"numbers", slow / 8}, {"a", slow}, {"b", slow / 2}, {"sum", slow / 4}}, loop},
  };
  bool right = true;
  fmt::print("{:<22} {:<10} {:>6} {:>10} {:>10} {:>6}\n", "graph", "bottleneck", "busy", "predicted", "came true",
             "off");
  for (const Case& c : cases) {
    const GraphStats before = measured(c, c.waits);
    const Verdict v = verdict(before);
    Waits faster = c.waits;
    if (!faster.count(v.stage)) {
      fmt::print("{:<22} {}\n", c.name, v.text);
      right = false;
      continue;
    }
    faster.at(v.stage) /= 2;
    const double gain = before.wall / measured(c, faster).wall, off = v.gain / gain - 1;
    fmt::print("{:<22} {:<10} {:>4.0f} % {:>10.2f} {:>10.2f} {:>+4.0f} %\n", c.name, v.stage, 100 * v.share, v.gain,
               gain, 100 * off);
    if ((!c.slow.empty() && v.stage != c.slow) || std::abs(off) > 0.2) {
      fmt::print("  expected '{}' within 20 %: {}\n", c.slow, v.text);
      right = false;
    }
  }
  return right ? 0 : 1;
}
