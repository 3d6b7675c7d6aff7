// The trace parses, nests, and has every body once.
#include <sluice/pipeline/trace.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/pipeline/everything.hpp"
#include "tests/support/parameters.hpp"

namespace sluice::test {
namespace {

using nlohmann::json;

json written(const Trace& trace) {
  std::ostringstream text;
  trace.write(text);
  const json all = json::parse(text.str(), nullptr, false);
  EXPECT_TRUE(all.is_object()) << text.str().substr(0, 2000);
  return all["traceEvents"];
}

std::vector<json> with_phase(const json& events, const std::string& phase) {
  std::vector<json> some;
  std::copy_if(events.begin(), events.end(), std::back_inserter(some), [&](const json& e) { return e["ph"] == phase; });
  return some;
}

std::int64_t ns(const json& us) {
  return std::llround(us.get<double>() * 1000);
}

using Track = std::pair<int, int>;  // process and thread

Track track_of(const json& event) {
  return {event["pid"], event["tid"]};
}

// Each beginning with its end: name, category, track, numbers, and from when to when.
std::vector<json> slices(const json& events) {
  std::vector<json> all;
  std::map<Track, std::vector<json>> open;
  for (const json& e : events) {
    auto& begun = open[e.contains("tid") ? track_of(e) : Track()];
    if (e["ph"] == "B") begun.push_back(e);
    if (e["ph"] != "E") continue;
    if (begun.empty()) {
      ADD_FAILURE() << "an end without a beginning: " << e;
      continue;
    }
    json slice = begun.back();
    begun.pop_back();
    EXPECT_EQ(std::pair(slice["name"], slice["cat"]), std::pair(e["name"], e["cat"]));
    slice["end"] = e["ts"];
    slice["args"] = e["args"];
    all.push_back(std::move(slice));
  }
  for (const auto& [track, begun] : open) EXPECT_TRUE(begun.empty()) << begun.front();
  return all;
}

std::vector<json> runs(const json& events) {
  auto all = slices(events);
  std::erase_if(all, [](const json& e) { return e["cat"] != "run"; });
  return all;
}

std::vector<json> bodies(const json& events) {
  auto all = slices(events);
  std::erase_if(all, [](const json& e) { return e["cat"] == "run"; });
  return all;
}

TEST(Trace, OfNoRunIsAnEmptyList) {
  EXPECT_EQ(written(Trace()), json::array());
}

TEST(Trace, HasEveryMessageOfEveryStageOnce) {
  for_each_thread_count([](std::size_t count) {
    Trace trace;
    Everything all(60, threads(count));
    all.graph.set_trace(&trace);
    all.graph.run();
    all.graph.run();
    const json events = written(trace);
    // By stage and run: the messages that its slices made.
    std::map<std::pair<std::string, int>, std::multiset<std::uint64_t>> made;
    for (const json& e : bodies(events))
      for (std::uint64_t k = 0; k < e["args"]["messages"].get<std::uint64_t>(); ++k)
        made[{e["name"], e["args"]["run"]}].insert(e["args"]["sequence"].get<std::uint64_t>() + k);
    const GraphStats stats = all.graph.stats();
    EXPECT_EQ(made.size(), 2 * stats.stages.size());
    std::map<std::string, std::uint64_t> sums;
    for (const auto& [where, messages] : made) {
      std::uint64_t next = 0;
      for (const std::uint64_t k : messages) EXPECT_EQ(k, next++) << where.first;
      sums[where.first] += next;
    }
    for (const StageStats& s : stats.stages) EXPECT_EQ(sums[s.name], s.items) << s.name;
  });
}

//  numbers -> part => work => sum -> taken
TEST(Trace, ShardsThatAreWorthAThreadShareNoTicketWhileThereAreThreads) {
  const auto three_microseconds = [](const int& n) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(3);
    while (std::chrono::steady_clock::now() < end) {
    }
    return n;
  };
  Trace trace;
  Graph g("shards", threads(4));
  auto parts = g.split(
      "part", [](const int& n, std::size_t, std::size_t) { return n; }, g.source("numbers", Count(200)), shards(4));
  auto work = g.map("work", three_microseconds, parts, unlimited);
  g.sink(
      "taken", [](const int&) {},
      g.fold(
          "sum", [](Group<int> all) { return all[0]; }, work));
  g.set_trace(&trace);
  g.run();
  const json events = written(trace);
  for (const json& e : bodies(events))
    if (e["name"] == "work") {
      EXPECT_EQ(e["args"]["messages"], 1) << e["args"]["sequence"];
    }
}

TEST(Trace, SlicesOfAWorkerDoNotOverlapAndLieInTheirRun) {
  for_each_thread_count([](std::size_t count) {
    Trace trace;
    Everything all(100, threads(count));
    all.graph.set_trace(&trace);
    all.graph.run();
    const json events = written(trace);
    const auto all_runs = runs(events);
    ASSERT_EQ(all_runs.size(), 1u);
    const json& run = all_runs[0];
    EXPECT_EQ(run["name"], "everything");
    std::map<int, std::vector<std::pair<long long, long long>>> tracks;
    for (const json& e : bodies(events)) {
      EXPECT_EQ(e["cat"], "everything");
      tracks[e["tid"].get<int>()].emplace_back(ns(e["ts"]), ns(e["end"]));
    }
    EXPECT_LE(tracks.size(), std::max<std::size_t>(2, count));
    std::map<int, std::string> names;
    for (const json& e : with_phase(events, "M"))
      if (e["name"] == "thread_name") names[e["tid"].get<int>()] = e["args"]["name"];
    const long long begin = ns(run["ts"]), end = ns(run["end"]);
    for (auto& [tid, slices] : tracks) {
      EXPECT_EQ(names[tid], "worker " + std::to_string(tid - 1));
      std::sort(slices.begin(), slices.end());
      EXPECT_GE(slices.front().first, begin);
      for (std::size_t i = 1; i < slices.size(); ++i) EXPECT_GE(slices[i].first, slices[i - 1].second) << "of " << tid;
      EXPECT_LE(slices.back().second, end);
    }
  });
}

// What viewers do with them: they add up, subtract, and compare, in doubles.
TEST(Trace, NoTwoEndsOfSlicesOfATrackHaveOneTime) {
  for_each_thread_count([](std::size_t count) {
    Trace trace;
    Everything one(200, threads(count)), other(200, threads(count));
    for (Graph* g : {&one.graph, &other.graph, &one.graph}) {
      g->set_trace(&trace);
      g->run();
    }
    std::map<Track, std::vector<double>> times;
    for (const json& e : written(trace))
      if (e["ph"] == "B" || e["ph"] == "E") times[track_of(e)].push_back(e["ts"]);
    EXPECT_GE(times.size(), 2u);  // a worker's and that of the runs
    for (const auto& [track, all] : times)
      for (std::size_t i = 1; i < all.size(); ++i) {
        ASSERT_LT(all[i - 1], all[i]) << "in the order of the file, of track " << track.second;
        const double first = all.front(), duration = all[i] - all[i - 1];
        if (i + 1 < all.size()) {
          EXPECT_LT(all[i - 1] + duration, all[i + 1]);
          EXPECT_LT((all[i - 1] - first) + duration, all[i + 1] - first);
        }
      }
  });
}

// A viewer that adds up by name and arguments has a stage once then, and no call of it for itself.
TEST(Trace, WhatDiffersFromCallToCallStandsAtTheEndOfASlice) {
  Trace trace;
  Everything all(60, threads(2));
  all.graph.set_trace(&trace);
  all.graph.run();
  all.graph.run();
  const json events = written(trace);
  EXPECT_TRUE(with_phase(events, "X").empty());
  std::set<std::string> kinds;
  for (const json& e : with_phase(events, "B")) {
    EXPECT_FALSE(e.contains("args")) << e;
    kinds.insert(e["name"]);
  }
  EXPECT_EQ(kinds.size(), all.graph.stats().stages.size() + 1);  // and the run
  std::set<std::uint64_t> run_numbers;
  for (const json& e : with_phase(events, "E")) {
    run_numbers.insert(e["args"]["run"].get<std::uint64_t>());
    EXPECT_EQ(e["args"].contains("sequence"), e["cat"] != "run") << e;
  }
  EXPECT_EQ(run_numbers, (std::set<std::uint64_t>{1, 2}));
}

// Its worker, which waits, takes other bodies meanwhile: their slices lie in that of the one that waits.
TEST(Trace, ABodyThatCallsAnotherGraphOnItsWorkersHasItsSlicesWithinItsOwn) {
  Trace trace;
  const Threads two = threads(2);
  Graph inner("inner", two), outer("outer", two);
  inner.sink(
      "taken", [](const int&) {}, inner.source("numbers", Count(50)));
  outer.sink(
      "call", [&](const int&) { inner.run(); }, outer.source("calls", Count(3)));
  for (Graph* g : {&inner, &outer}) g->set_trace(&trace);
  outer.run();
  std::map<Track, double> last;
  const json events = written(trace);
  for (const json& e : events)
    if (e["ph"] == "B" || e["ph"] == "E") {
      EXPECT_GT(e["ts"].get<double>(), last.try_emplace(track_of(e), -1).first->second);
      last[track_of(e)] = e["ts"];
    }
  const auto all = bodies(events);
  EXPECT_EQ(std::count_if(all.begin(), all.end(), [](const json& e) { return e["name"] == "call"; }), 3);
  for (const json& e : all)
    for (const json& other : all)
      if (e["tid"] == other["tid"] && e["ts"] < other["ts"] && other["ts"] < e["end"]) {
        EXPECT_LT(other["end"], e["end"]);
      }
}

TEST(Trace, RunsOfOneNameAtTheSameTimeKeepTheirTimes) {
  Trace trace(10);
  const auto run = [&](std::barrier<>& both) {
    Graph g("same", threads(2));
    g.sink(
        "wait",
        [&](const int& n) {
          if (n == 0) both.arrive_and_wait();
          std::this_thread::sleep_for(std::chrono::milliseconds(5));
        },
        g.source("numbers", Count(2)));
    g.set_trace(&trace);
    g.run();
  };
  std::barrier both(2);
  std::thread other([&] { run(both); });
  run(both);
  other.join();
  const auto events = written(trace);
  const std::vector<json> all = runs(events);
  ASSERT_EQ(all.size(), 2u);
  for (const json& one : all) EXPECT_GT(ns(one["end"]) - ns(one["ts"]), 9'000'000) << one;
  EXPECT_NE(track_of(all[0]), track_of(all[1]));
}

TEST(Trace, ArrowsLeadFromASliceToALaterOne) {
  Trace trace;
  Everything all(40, threads(2));
  all.graph.set_trace(&trace);
  all.graph.run();
  const json events = written(trace);
  const auto slice_at = [slices = bodies(events)](const json& arrow) {
    for (const json& s : slices)
      if (s["tid"] == arrow["tid"] && s["ts"] <= arrow["ts"] && ns(arrow["ts"]) < ns(s["end"]))
        return s["name"].get<std::string>();
    return std::string("nowhere");
  };
  std::map<std::uint64_t, json> starts;
  for (const json& e : with_phase(events, "s")) {
    EXPECT_TRUE(starts.emplace(e["id"].get<std::uint64_t>(), e).second);
    EXPECT_NE(slice_at(e), "nowhere");
  }
  const auto ends = with_phase(events, "f");
  EXPECT_EQ(ends.size(), starts.size());
  std::set<std::string> read;
  for (const json& e : ends) {
    const json& start = starts.at(e["id"].get<std::uint64_t>());
    EXPECT_LE(start["ts"].get<double>(), e["ts"].get<double>() + 0.002);
    read.insert(slice_at(e));
  }
  for (const char* stage : {"plus", "repeat", "pair", "cut", "square", "sum", "next", "state", "total"})
    EXPECT_TRUE(read.count(stage)) << stage;
}

// One for each body that made some of the messages that a body read, and none more.
TEST(Trace, HasAnArrowForEachTwoBodiesThatShareMessages) {
  for_each_thread_count([](std::size_t count) {
    Trace trace;
    Graph g("chain", threads(count));
    g.sink(
        "taken", [](const int&) {}, g.source("numbers", Count(100)));
    g.set_trace(&trace);
    g.run();
    const json events = written(trace);
    EXPECT_EQ(trace.events(), bodies(events).size());
    const auto range = [](const json& e) {
      const std::uint64_t first = e["args"]["sequence"], n = e["args"]["messages"];
      return std::pair(first, first + n);
    };
    std::size_t shared = 0;
    for (const json& maker : bodies(events))
      for (const json& reader : bodies(events)) {
        if (maker["name"] != "numbers" || reader["name"] != "taken") continue;
        const auto [made, made_end] = range(maker);
        const auto [read, read_end] = range(reader);
        shared += made < read_end && read < made_end;
      }
    EXPECT_EQ(with_phase(events, "s").size(), shared);
  });
}

TEST(Trace, CountsQueuesUpAndDownToEmptyWithinTheirCapacity) {
  Trace trace;
  Everything all(200, threads(4), 5);
  all.graph.set_trace(&trace);
  all.graph.run();
  std::map<std::string, std::pair<double, std::uint64_t>> last;
  for (const json& e : with_phase(written(trace), "C")) {
    const std::uint64_t messages = e["args"]["messages"];
    EXPECT_LE(messages, e["name"] == "everything: queue after cut" ? 15u : 5u) << e;
    auto& [at, value] = last[e["name"]];
    if (e["ts"].get<double>() >= at) at = e["ts"], value = messages;
  }
  for (const char* queue :
       {"everything: queue after numbers", "everything: queue after repeat", "everything: queue after pair",
        "everything: queue after cut", "everything: queue after sum"})
    EXPECT_TRUE(last.count(queue)) << queue;
}

TEST(Trace, IsBoundedInStepsOverAllRuns) {
  Trace trace(50);
  Graph g("bounded", threads(2));
  auto numbers = g.source("numbers", Count(30));
  auto cut = g.split(
      "cut", [](const int& n, std::size_t, std::size_t) { return n; }, numbers, shards(3));
  g.sink(
      "sum", [](const int&) {},
      g.fold(
          "sum of shards", [](Group<int> p) { return p[0]; }, cut));
  g.set_trace(&trace);
  for (int run = 0; run < 4; ++run) g.run();
  std::map<std::string, std::uint64_t> made;
  for (const json& e : bodies(written(trace))) made[e["name"]] += e["args"]["messages"].get<std::uint64_t>();
  // The body that passes the limit is the last.
  EXPECT_GE(made["numbers"], 50u);
  EXPECT_LE(made["numbers"], 60u);
  EXPECT_GE(made["cut"], 150u);
  EXPECT_LE(made["cut"], 180u);
  const std::size_t events = trace.events();
  g.run();
  EXPECT_EQ(trace.events(), events);
}

// Of as many messages as it may have, it has those and no run more; another one begins anew.
TEST(Trace, IsFullWithJustItsSteps) {
  Graph g("exact", threads(2));
  g.sink(
      "taken", [](const int&) {}, g.source("numbers", Count(30)));
  const auto runs_in = [](const Trace& trace) {
    std::vector<std::string> all;
    for (const json& e : runs(written(trace))) all.push_back(e["args"].dump());
    return all;
  };
  std::vector<std::vector<std::string>> traces;
  for (int i = 0; i < 2; ++i) {
    Trace trace(30);
    g.set_trace(&trace);
    g.run();
    g.run();
    traces.push_back(runs_in(trace));
    g.set_trace(nullptr);
  }
  EXPECT_EQ(traces[0].size(), 1u);
  EXPECT_EQ(traces[1], traces[0]);
}

TEST(Trace, OfARunThatFailedHasWhatWasDone) {
  Trace trace;
  Everything all(60, threads(2));
  all.graph.set_trace(&trace);
  all.trap = {"plus", 30};
  EXPECT_THROW(all.graph.run(), StageError);
  const auto some = bodies(written(trace));
  EXPECT_TRUE(std::any_of(some.begin(), some.end(), [](const json& e) { return e["name"] == "plus"; }));
}

TEST(Trace, NamesAreEscaped) {
  Trace trace;
  Graph g("\"quoted\\\"", threads(1));
  g.sink(
      "a\\b\nc", [](const int&) {}, g.source("x\"y", Count(1)));
  g.set_trace(&trace);
  g.run();
  std::set<std::string> names;
  for (const json& e : bodies(written(trace))) names.insert(e["name"]);
  EXPECT_EQ(names, (std::set<std::string>{"a\\b\uFFFDc", "x\"y"}));
}

TEST(Trace, ArrowsOfAllRunsHaveIdsOfTheirOwn) {
  Trace trace;
  Everything one(20, threads(2)), other(20, threads(2));
  for (Graph* g : {&one.graph, &other.graph}) g->set_trace(&trace);
  for (Graph* g : {&one.graph, &other.graph, &one.graph}) g->run();
  const json events = written(trace);
  std::map<std::uint64_t, std::pair<int, int>> ends;  // of each arrow: beginnings and ends
  for (const json& e : with_phase(events, "s")) ++ends[e["id"].get<std::uint64_t>()].first;
  for (const json& e : with_phase(events, "f")) ++ends[e["id"].get<std::uint64_t>()].second;
  EXPECT_GT(ends.size(), 300u);
  for (const auto& [id, both] : ends) EXPECT_EQ(both, std::pair(1, 1)) << "arrow " << id;
}

}  // namespace
}  // namespace sluice::test
