// How long a message that is made outside takes to reach a sink behind three maps, beside a bare task_arena::enqueue:
// one every millisecond or so, so that everybody sleeps when it comes.
//
//   enqueue          a task, from its enqueueing to its first instruction
//   inlet            from put() to the sink's body
//   waiting source   from the return of a source that takes a token, and waits for the next message, to the sink's body
//
//   hand_over_bench [tries=1000] [threads=2]
#include <fmt/core.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include "bench/support/guarded.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using Times = std::vector<double>;  // microseconds

double since(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

void pause(std::size_t k) {
  std::this_thread::sleep_for(std::chrono::microseconds(k % 2 ? 600 : 1400));
}

Times by_enqueue(std::size_t tries, std::size_t threads) {
  tbb::task_arena arena(static_cast<int>(threads), 0);
  Times times;
  std::atomic<std::size_t> done{0};
  for (std::size_t k = 0; k < tries; ++k) {
    pause(k);
    const auto begin = Clock::now();
    arena.enqueue([&times, &done, begin] {
      times.push_back(since(begin));
      ++done;
    });
    while (done <= k) std::this_thread::yield();
  }
  return times;
}

// Wires source -> three maps -> sink behind a stream of times.
Times run(sluice::Graph& g, const sluice::Stream<Clock::time_point>& made) {
  Times times;
  const auto same = [](const Clock::time_point& t) { return t; };
  auto behind = g.map("c", same, g.map("b", same, g.map("a", same, made), sluice::unlimited));
  g.sink(
      "sink", [&](const Clock::time_point& t) { times.push_back(since(t)); }, behind);
  g.run();
  return times;
}

Times by_inlet(std::size_t tries, std::size_t threads) {
  sluice::Graph g("inlet", sluice::Threads(threads));
  auto inlet = g.inlet<Clock::time_point>("made");
  std::jthread other([&] {
    for (std::size_t k = 0; k < tries; ++k) pause(k), static_cast<void>(inlet.put(Clock::now()));
    inlet.close();
  });
  return run(g, inlet);
}

Times by_source(std::size_t tries, std::size_t threads) {
  sluice::Graph g("source", sluice::Threads(threads));
  std::size_t k = 0;
  return run(g, g.source("made", [&](const std::stop_token&) -> std::optional<Clock::time_point> {
    if (k == tries) return std::nullopt;
    pause(k++);
    return Clock::now();
  }));
}

double quantile(Times times, double q) {
  std::sort(times.begin(), times.end());
  return times[std::min(times.size() - 1, static_cast<std::size_t>(q * static_cast<double>(times.size())))];
}

int bench(int argc, char** argv) {
  const std::size_t tries = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1000;
  const std::size_t threads = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 2;
  // In turn, and again, so that none has the quieter minutes.
  Times all[3];
  for (int round = 0; round < 4; ++round) {
    const std::pair<Times (*)(std::size_t, std::size_t), int> ways[] = {{by_enqueue, 0}, {by_inlet, 1}, {by_source, 2}};
    for (const auto& [way, at] : ways) {
      const Times times = way(tries / 4, threads);
      all[at].insert(all[at].end(), times.begin(), times.end());
    }
  }
  fmt::print("{} messages, {} threads\n{:<16} {:>8} {:>8} {:>10} {:>10}\n", tries, threads, "", "p50 us", "p99 us",
             "p50 ratio", "p99 ratio");
  const char* const names[] = {"enqueue", "inlet", "waiting source"};
  for (int i = 0; i < 3; ++i)
    fmt::print("{:<16} {:>8.1f} {:>8.1f} {:>10.2f} {:>10.2f}\n", names[i], quantile(all[i], 0.5),
               quantile(all[i], 0.99), quantile(all[i], 0.5) / quantile(all[0], 0.5),
               quantile(all[i], 0.99) / quantile(all[0], 0.99));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return sluice::bench::guarded("hand_over_bench", bench, argc, argv);
}
