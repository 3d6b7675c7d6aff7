// A request service: bodies that wait, on far more threads than processors. 20,000 requests whose body sleeps for 5 ms,
// 100 of them at once, by a Sluice graph, by a bare oneTBB flow graph, and by threads and mutexes; answers in order.
//
//  requests -> serve -> answers
//
//   capacity 100               the plainest wiring: as many messages between source and sink as threads, no limit else
//   capacity 200, up_to 100    messages that wait for an earlier one to be answered take no thread
//
// The same of bare oneTBB, by a limiter of so many messages and a concurrency of the function node. The threads take
// requests, and keep what is too early for its turn, however much that is.
//
// Printed: the time from the first thread's start to the last answer, its ratio to what it would be if all threads did
// nothing but sleep, for 5 ms (ideal) and for as long as the bodies did (bodies: a sleep is longer than was asked for),
// the processor time, also for each request, and how many bodies there were at once, on average.
//
// Then what a request costs that comes alone, one every 20 ms: the time from its making to its arrival at the sink less
// that of its body, and the processor time of the run for each; and what the program costs while its source waits for
// two seconds, a fifth of a second after its last request. (Sluice's source is one that may wait.)
//
// Every run is a process of its own and checks that each request is answered once, and in order. Figures are medians
// over the rounds, of the quantiles, too; ratios are medians of the ratios within a round.
//
//   request_service_bench [--threads 100] [--requests 20000] [--rounds 5]
#include <fmt/core.h>
#include <oneapi/tbb/flow_graph.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include "bench/support/guarded.hpp"
#include "bench/support/in_turn.hpp"
#include "bench/support/own_process.hpp"

namespace sluice::bench {
namespace {

namespace flow = tbb::flow;
using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;
using std::chrono::milliseconds;

constexpr milliseconds body_time(5), pause_time(20), settling_time(200), idle_time(2000);
constexpr std::size_t single_requests = 200;  // requests that come one at a time
constexpr std::size_t before_idle = 20;

// ---- what all do alike

struct Request {
  std::uint64_t number = 0;
  Clock::time_point made{};
};

struct Answer {
  Request request{};
  double body = 0;  // seconds
};

Answer serve(const Request& request) {
  const auto begin = Clock::now();
  std::this_thread::sleep_for(body_time);
  return {request, Seconds(Clock::now() - begin).count()};
}

// The source: asked for one request at a time.
class Requests {
 public:
  enum class When { at_once, alone, idle };
  Requests(When when, std::uint64_t count) : when_(when), count_(count) {}

  std::optional<Request> next() {
    if (next_ == count_) return std::nullopt;
    if (when_ != When::at_once && next_ > 0) {
      const bool idle = when_ == When::idle && next_ + 1 == count_;  // before the last
      std::this_thread::sleep_for(pause_time);
      if (idle) std::this_thread::sleep_for(settling_time);
      const double before = cpu_seconds();
      const auto begin = Clock::now();
      if (idle) std::this_thread::sleep_for(idle_time);
      if (idle) idle_cost_ = (cpu_seconds() - before) / Seconds(Clock::now() - begin).count();
    }
    return Request{next_++, Clock::now()};
  }
  double idle_cost() const { return idle_cost_; }  // seconds of processor time a second

 private:
  const When when_;
  const std::uint64_t count_;
  std::uint64_t next_ = 0;
  double idle_cost_ = 0;
};

// The sink.
class Answers {
 public:
  void take(const Answer& answer) {
    if (answer.request.number != bodies_.size()) throw std::runtime_error("an answer is not the one that is due");
    bodies_.push_back(answer.body);
    over_.push_back(Seconds(Clock::now() - answer.request.made).count() - answer.body);
  }
  std::size_t count() const { return bodies_.size(); }
  double bodies() const {
    double sum = 0;
    for (const double body : bodies_) sum += body;
    return sum;
  }
  // What an answer took beside its body, in seconds.
  double over(double quantile) const {
    std::vector<double> sorted = over_;
    std::sort(sorted.begin(), sorted.end());
    return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(quantile * static_cast<double>(sorted.size())))];
  }

 private:
  std::vector<double> bodies_, over_;
};

// ---- the ways

struct Settings {
  std::size_t threads, under_way, at_once;  // at_once: 0, no limit but the threads
};

void by_sluice(Requests& requests, Answers& answers, const Settings& s) {
  Graph g("service", Threads(s.threads));
  auto made = g.source(
      "requests", [&](const std::stop_token&) { return requests.next(); }, capacity(s.under_way));
  auto served = g.map("serve", serve, made, Concurrency{s.at_once});
  g.sink(
      "answers", [&](const Answer& answer) { answers.take(answer); }, served);
  g.run();
}

void by_flow(Requests& requests, Answers& answers, const Settings& s) {
  const tbb::global_control allowed(tbb::global_control::max_allowed_parallelism, s.threads);
  tbb::task_arena arena(static_cast<int>(s.threads));
  arena.execute([&] {
    flow::graph graph;
    flow::input_node<Request> made(graph, [&](tbb::flow_control& control) {
      const std::optional<Request> request = requests.next();
      if (!request) control.stop();
      return request.value_or(Request{});
    });
    flow::limiter_node<Request> limiter(graph, s.under_way);
    flow::function_node<Request, Answer> served(graph, s.at_once == 0 ? std::size_t{flow::unlimited} : s.at_once,
                                                serve);
    flow::sequencer_node<Answer> ordered(graph, [](const Answer& answer) { return answer.request.number; });
    flow::function_node<Answer> taken(graph, flow::serial, [&](const Answer& answer) {
      answers.take(answer);
      return flow::continue_msg();
    });
    flow::make_edge(made, limiter);
    flow::make_edge(limiter, served);
    flow::make_edge(served, ordered);
    flow::make_edge(ordered, taken);
    flow::make_edge(taken, limiter.decrementer());
    made.activate();
    graph.wait_for_all();
  });
}

void by_threads(Requests& requests, Answers& answers, const Settings& s) {
  std::mutex making, taking;
  std::map<std::uint64_t, Answer> early;
  std::vector<std::jthread> all;
  for (std::size_t t = 0; t < s.threads; ++t)
    all.emplace_back([&] {
      for (;;) {
        std::optional<Request> request;
        {
          const std::lock_guard lock(making);
          request = requests.next();
        }
        if (!request) return;
        const Answer answer = serve(*request);
        const std::lock_guard lock(taking);
        early.emplace(answer.request.number, answer);
        for (; !early.empty() && early.begin()->first == answers.count(); early.erase(early.begin()))
          answers.take(early.begin()->second);
      }
    });
}

struct Way {
  std::string name;
  void (*run)(Requests&, Answers&, const Settings&);
  std::size_t under_way, at_once;  // in hundredths of the threads
};

const std::vector<Way> ways{
    {"sluice, capacity 100 %", by_sluice, 100, 0},
    {"flow graph, limiter 100 %", by_flow, 100, 0},
    {"sluice, 200 %, up_to 100 %", by_sluice, 200, 100},
    {"flow graph, 200 %, 100 %", by_flow, 200, 100},
    {"threads", by_threads, 100, 0},
};

// ---- a run

using Figures = std::vector<double>;

int child(std::size_t way, const std::string& what, std::size_t threads, std::size_t requests) {
  using When = Requests::When;
  const Way& w = ways.at(way);
  Requests source(what == "load" ? When::at_once : what == "alone" ? When::alone : When::idle, requests);
  Answers answers;
  const double before = cpu_seconds();
  const double wall = timed([&] {
    w.run(source, answers, {threads, w.under_way * threads / 100, w.at_once * threads / 100});
  });
  const double cpu = cpu_seconds() - before;
  if (answers.count() != requests) throw std::runtime_error("a request was not answered");
  if (what == "load") fmt::print("{} {} {}\n", wall, cpu, answers.bodies());
  if (what == "alone") fmt::print("{} {} {}\n", answers.over(0.5), answers.over(0.99), cpu);
  if (what == "idle") fmt::print("{}\n", source.idle_cost());
  return 0;
}

Figures figures(std::size_t way, const std::string& what, std::size_t threads, std::size_t requests) {
  const std::string output =
      in_own_process({"--child", std::to_string(way), what, std::to_string(threads), std::to_string(requests)}).output;
  Figures all;
  const char* at = output.c_str();
  for (char* end = nullptr;; at = end) {
    const double figure = std::strtod(at, &end);
    if (end == at) return all;
    all.push_back(figure);
  }
}

// By way, by round. Those of `chosen`, in turn.
std::map<std::size_t, std::vector<Figures>> in_turn(const std::vector<std::size_t>& chosen, const std::string& what,
                                                    std::size_t threads, std::size_t requests, std::size_t rounds) {
  std::map<std::size_t, std::vector<Figures>> all;
  for (std::size_t round = 0; round < rounds; ++round)
    for (std::size_t k = 0; k < chosen.size(); ++k) {
      const std::size_t way = round % 2 ? chosen[chosen.size() - 1 - k] : chosen[k];
      all[way].push_back(figures(way, what, threads, requests));
    }
  return all;
}

template <class F>
double median_of(const std::vector<Figures>& rounds, const F& f) {
  std::vector<double> values;
  std::transform(rounds.begin(), rounds.end(), std::back_inserter(values), f);
  return median(values);
}

int run(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 5 && arguments[0] == "--child")
    return child(std::stoul(arguments[1]), arguments[2], std::stoul(arguments[3]), std::stoul(arguments[4]));

  std::size_t threads = 100, requests = 20'000, rounds = 5;
  CLI::App app{"A request service whose bodies wait, on more threads than processors"};
  app.add_option("--threads", threads, "Threads, and requests at once")
      ->capture_default_str()
      ->check(CLI::Range(2, 2000));
  app.add_option("--requests", requests, "Requests, all there at once")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  app.add_option("--rounds", rounds, "Rounds")->capture_default_str()->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);

  const auto n = static_cast<double>(requests), at_once = static_cast<double>(threads);
  const double ideal = n * Seconds(body_time).count() / at_once;
  fmt::print("{} requests of {} ms, {} threads, {} processors: at best {:.3f} s\n", requests, body_time.count(),
             threads, std::thread::hardware_concurrency(), ideal);
  fmt::print("{:<28} {:>7} {:>8} {:>8} {:>7} {:>11} {:>8}\n", "", "wall s", "/ ideal", "/ bodies", "CPU s",
             "us/request", "at once");
  const auto load = in_turn({0, 1, 2, 3, 4}, "load", threads, requests, rounds);
  for (const auto& [way, f] : load) {
    const double wall = median_of(f, [](const Figures& x) { return x[0]; });
    const double cpu = median_of(f, [](const Figures& x) { return x[1]; });
    const double busy = median_of(f, [](const Figures& x) { return x[2] / x[0]; });
    fmt::print("{:<28} {:>7.3f} {:>8.3f} {:>8.3f} {:>7.3f} {:>11.1f} {:>8.1f}\n", ways[way].name, wall, wall / ideal,
               at_once / busy, cpu, cpu / n * 1e6, busy);
  }

  const std::vector<std::size_t> both{0, 1};
  const auto of_bare = [&](const std::map<std::size_t, std::vector<Figures>>& all, std::size_t way,
                           std::size_t column) {
    std::vector<double> ratios;
    for (std::size_t round = 0; round < all.at(1).size(); ++round)
      ratios.push_back(all.at(way)[round][column] / all.at(1)[round][column]);
    return median(ratios);
  };
  const auto single = in_turn(both, "alone", threads, single_requests, std::min<std::size_t>(rounds, 3));
  const auto idle = in_turn(both, "idle", threads, before_idle, std::min<std::size_t>(rounds, 3));
  fmt::print("\n{} requests, one every {} ms: what they take beside the body; then a source that waits\n",
             single_requests, pause_time.count());
  fmt::print("{:<28} {:>8} {:>7} {:>8} {:>7} {:>11} {:>7} {:>10} {:>7}\n", "", "p50 us", "/ bare", "p99 us", "/ bare",
             "CPU us each", "/ bare", "idle ms/s", "/ bare");
  for (const std::size_t way : both) {
    fmt::print("{:<28}", ways[way].name);
    const auto column = [&](const auto& all, std::size_t k, double unit, int width, int digits) {
      const double figure = median_of(all.at(way), [&](const Figures& x) { return x[k] * unit; });
      fmt::print(" {:>{}.{}f} {:>7.2f}", figure, width, digits, of_bare(all, way, k));
    };
    column(single, 0, 1e6, 8, 1);
    column(single, 1, 1e6, 8, 1);
    column(single, 2, 1e6 / static_cast<double>(single_requests), 11, 0);
    column(idle, 0, 1e3, 10, 3);
    fmt::print("\n");
  }
  return 0;
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  return sluice::bench::guarded("request_service_bench", sluice::bench::run, argc, argv);
}
