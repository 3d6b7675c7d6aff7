// The verdict on recorded counters.
#include <sluice/pipeline/verdict.hpp>

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace sluice::test {
namespace {

using Kind = Verdict::Kind;

// Ten seconds on four threads.
GraphStats run(std::vector<StageStats> stages, std::size_t threads = 4) {
  return {"recorded", 1, 10, threads, std::move(stages)};
}

StageStats gate(const std::string& name, Verb verb, std::vector<std::string> inputs, double busy, double starved,
                double blocked) {
  StageStats s;
  s.name = name, s.verb = verb, s.inputs = std::move(inputs);
  s.items = 1000, s.busy = busy, s.starved = starved, s.blocked = blocked, s.capacity = verb == Verb::sink ? 0 : 16;
  return s;
}

StageStats map(const std::string& name, const std::string& input, double busy, Concurrency concurrency,
               std::size_t at_once) {
  StageStats s = gate(name, Verb::map, {input}, busy, 10 * static_cast<double>(at_once) - busy, 0);
  s.concurrency = concurrency, s.at_once = at_once, s.capacity = 0;
  return s;
}

TEST(Verdict, OfNothing) {
  const Verdict v = verdict({});
  EXPECT_EQ(v.kind, Kind::nothing);
  EXPECT_EQ(v.text, "bottleneck: none, no body has run");
  EXPECT_EQ(verdict(run({gate("numbers", Verb::source, {}, 0, 0, 0)})).kind, Kind::nothing);
}

TEST(Verdict, OfASerialStageBetweenOthers) {
  const Verdict v = verdict(run({gate("read", Verb::source, {}, 1, 0, 9), map("parse", "read", 9.7, serial, 1),
                                 gate("write", Verb::sink, {"parse"}, 2, 8, 0)}));
  EXPECT_EQ(v.kind, Kind::stage);
  EXPECT_EQ(v.stage, "parse");
  EXPECT_NEAR(v.share, 0.97, 1e-9);
  EXPECT_NEAR(v.gain, 10 / (10 - 9.7 / 2), 1e-9);
  EXPECT_EQ(
      v.text,
      "bottleneck: parse, serial and 97 % busy while the stages behind it starve 80 % of the time and those before "
      "it are blocked 90 %; as a map it may work on several messages at once: give it a concurrency; twice as fast "
      "would make the run 1.9 times faster");
}

TEST(Verdict, OfASlowSource) {
  const Verdict v =
      verdict(run({gate("inflate", Verb::source, {}, 9.7, 0, 0), gate("parse", Verb::expand, {"inflate"}, 2, 8, 0),
                   gate("keep", Verb::sink, {"parse"}, 2, 8, 0)}));
  EXPECT_EQ(v.kind, Kind::stage);
  EXPECT_EQ(v.stage, "inflate");
  EXPECT_EQ(
      v.text,
      "bottleneck: inflate, one source body at a time and 97 % busy while the stages behind it starve 80 % of the "
      "time; twice as fast would make the run 1.9 times faster");
}

TEST(Verdict, OfASinkThatBlocksWhatIsBeforeIt) {
  const Verdict v =
      verdict(run({gate("read", Verb::source, {}, 1, 0, 9), gate("write", Verb::sink, {"read"}, 9.9, 0.1, 0)}));
  EXPECT_EQ(v.stage, "write");
  EXPECT_NE(v.text.find("one sink body at a time and 99 % busy while the stages before it are blocked 90 %"),
            std::string::npos)
      << v.text;
}

TEST(Verdict, GainEndsAtTheNextBound) {
  const Verdict v =
      verdict(run({gate("read", Verb::source, {}, 8, 0, 2), gate("write", Verb::sink, {"read"}, 10, 0, 0)}));
  EXPECT_EQ(v.stage, "write");
  EXPECT_NEAR(v.gain, 10.0 / 8, 1e-9) << "reading takes 8 of the 10 seconds";
}

TEST(Verdict, OfAMapSaysWhatLimitsIt) {
  const auto text = [](Concurrency concurrency, std::size_t at_once) {
    return verdict(run({gate("read", Verb::source, {}, 1, 0, 9),
                        map("parse", "read", 9.8 * static_cast<double>(at_once), concurrency, at_once),
                        gate("write", Verb::sink, {"parse"}, 1, 9, 0)},
                       8))
        .text;
  };
  EXPECT_NE(text(Concurrency{2}, 2).find("parse, 2 at once and 98 % busy"), std::string::npos)
      << text(Concurrency{2}, 2);
  EXPECT_NE(text(Concurrency{2}, 2).find("a higher concurrency would do it, too"), std::string::npos)
      << text(Concurrency{2}, 2);
  EXPECT_NE(text(unlimited, 3).find("a larger capacity would do it, too"), std::string::npos) << text(unlimited, 3);
  EXPECT_NE(text(unlimited, 8).find("on all 8 threads and 98 % busy"), std::string::npos) << text(unlimited, 8);
  EXPECT_NE(text(unlimited, 8).find("more threads, with processors for them, would do it, too"), std::string::npos)
      << text(unlimited, 8);
}

TEST(Verdict, OfTwoEqualStagesSaysThatOneAloneGainsNothing) {
  const Verdict v =
      verdict(run({gate("read", Verb::source, {}, 9.9, 0, 0), gate("write", Verb::sink, {"read"}, 9.8, 0.2, 0)}));
  EXPECT_EQ(v.kind, Kind::stage);
  EXPECT_LT(v.gain, 1.05);
  EXPECT_NE(v.text.find("twice as fast would not make the run faster, for 'write' is as busy: only together are they "
                        "worth it"),
            std::string::npos)
      << v.text;
}

TEST(Verdict, OfStagesThatAreJustAsBusyNamesTheFirst) {
  EXPECT_EQ(
      verdict(run({gate("read", Verb::source, {}, 9.9, 0, 0), gate("write", Verb::sink, {"read"}, 9.9, 0, 0)})).stage,
      "read");
}

TEST(Verdict, OfThreadsThatAreAllBusy) {
  const Verdict v = verdict(run({gate("read", Verb::source, {}, 3, 0, 7), map("a", "read", 24, unlimited, 4),
                                 map("b", "a", 11, unlimited, 4), gate("write", Verb::sink, {"b"}, 1, 9, 0)}));
  EXPECT_EQ(v.kind, Kind::threads);
  EXPECT_EQ(v.stage, "a");
  EXPECT_NEAR(v.gain, 10.0 / 7, 1e-9);
  EXPECT_TRUE(
      v.text.starts_with("bottleneck: a, the largest part (60 %) of what keeps all 4 threads 98 % busy; more "
                         "threads would help, and twice as fast would make the run 1.4 times faster"))
      << v.text;
}

//  batch -> work -> shard => forward => gradient => reduce -> weights
//  weights -> work
TEST(Verdict, OfALoopNamesItAndTheSharesOfALap) {
  std::vector<StageStats> stages = {gate("weights", Verb::feedback, {"reduce"}, 0.1, 9.9, 0),
                                    gate("batch", Verb::source, {}, 0.5, 0, 9.5),
                                    gate("work", Verb::zip, {"batch", "weights"}, 0.1, 9.9, 0),
                                    gate("shard", Verb::split, {"work"}, 0.1, 9.9, 0),
                                    map("forward", "shard", 12, unlimited, 4),
                                    map("gradient", "forward", 6, unlimited, 4),
                                    gate("reduce", Verb::fold, {"gradient"}, 0.4, 9.6, 0)};
  for (StageStats& s : stages) s.shards = s.verb == Verb::split || s.verb == Verb::map ? 2 : 1;
  for (StageStats& s : stages) s.sharded = s.verb == Verb::split || s.verb == Verb::map;
  stages[0].items = 1001;
  const Verdict v = verdict(run(stages, 2));
  EXPECT_EQ(v.kind, Kind::loop);
  EXPECT_EQ(v.stage, "forward");
  EXPECT_NEAR(v.share, 0.6, 1e-9);
  EXPECT_NEAR(v.gain, 10 / (10 - 3.0), 0.01);
  EXPECT_EQ(
      v.text,
      "bottleneck: forward, in the loop of feedback 'weights', whose stages wait for one another; a lap takes "
      "10.0 ms: forward 60 %, gradient 30 %, reduce 4 %, weights 1 %, work 1 %, shard 1 %, outside its bodies 3 %; "
      "forward twice as fast would make the run 1.4 times faster; twice as many threads and shards, with processors "
      "for "
      "them, 1.8 times at most");
  EXPECT_NEAR(v.threads_gain, 10 / (10 - 4.5), 0.01) << "forward and gradient, 9 of the 10 seconds, in half the time";

  // A feedback makes one value more than it has laps in each run.
  stages[0].items = 11;
  EXPECT_NE(verdict(run(stages, 2)).text.find("a lap takes 1.0 s"), std::string::npos) << verdict(run(stages, 2)).text;
  GraphStats several = run(stages, 2);
  several.runs = 6;
  EXPECT_NE(verdict(several).text.find("a lap takes 2.0 s"), std::string::npos) << verdict(several).text;

  // Its shards wait 0.4 of the 10 seconds for a thread, one of two each time.
  for (StageStats& s : stages)
    if (s.name == "forward") s.busy = 6, s.ready = 0.4;
  EXPECT_NE(verdict(run(stages, 2))
                .text.find("outside its bodies 33 % (4 % until the shards have a thread, 29 % until "
                           "the slowest is done and between stages)"),
            std::string::npos)
      << verdict(run(stages, 2)).text;
}

// Where the shards are fewer than the threads there are, more of these have nothing to do.
TEST(Verdict, OfALoopOfFewShardsSaysThatMoreThreadsGainNothing) {
  std::vector<StageStats> stages = {gate("weights", Verb::feedback, {"reduce"}, 0.1, 9.9, 0),
                                    gate("batch", Verb::source, {}, 0.5, 0, 9.5),
                                    gate("work", Verb::zip, {"batch", "weights"}, 0.1, 9.9, 0),
                                    gate("shard", Verb::split, {"work"}, 0.1, 9.9, 0),
                                    map("forward", "shard", 18, unlimited, 4),
                                    gate("reduce", Verb::fold, {"forward"}, 0.4, 9.6, 0)};
  for (StageStats& s : stages) s.sharded = s.verb == Verb::split || s.verb == Verb::map, s.shards = s.sharded ? 2 : 1;
  const Verdict v = verdict(run(stages, 8));
  EXPECT_EQ(v.kind, Kind::loop);
  EXPECT_NEAR(v.threads_gain, 1, 1e-9);
  EXPECT_TRUE(v.text.ends_with("; twice as many threads would not")) << v.text;
}

// Its laps have gaps that no count of busy time shows.
TEST(Verdict, OfALoopThatIsNearlyTheBoundNamesTheLoop) {
  const auto kind = [](double of_loop) {
    return verdict(
               run({gate("state", Verb::feedback, {"next"}, 0, 10, 0), gate("numbers", Verb::source, {}, 9, 0, 1),
                    gate("pair", Verb::zip, {"numbers", "state"}, 0, 10, 0), map("next", "pair", of_loop, serial, 1)}))
        .kind;
  };
  EXPECT_EQ(kind(0.9 * 9), Kind::loop);
  EXPECT_EQ(kind(0.7 * 9), Kind::stage);
}

TEST(Verdict, OfALoopGivesNoAdviceAboutLessThanItsLargestStageTakes) {
  const auto advised = [](double of_stage) {
    return verdict(
               run({gate("state", Verb::feedback, {"next"}, 0, 10, 0), gate("numbers", Verb::source, {}, 0, 0, 10),
                    gate("pair", Verb::zip, {"numbers", "state"}, 0, 10, 0), map("next", "pair", of_stage, serial, 1)}))
               .text.find("would help more") != std::string::npos;
  };
  EXPECT_FALSE(advised(6)) << "60 %, and 40 % outside of bodies";
  EXPECT_TRUE(advised(4)) << "40 %, and 60 % outside of bodies";
  EXPECT_FALSE(advised(8)) << "80 %, and 20 % outside of bodies";
}

//  state -> pair -> a -> join -> state
//           pair -> b -> join
TEST(Verdict, OfALoopWithBranchesGoesTheLongestWayRound) {
  std::vector<StageStats> stages = {gate("state", Verb::feedback, {"join"}, 0.1, 9.9, 0),
                                    gate("numbers", Verb::source, {}, 0.1, 0, 9.9),
                                    gate("pair", Verb::zip, {"numbers", "state"}, 0.1, 9.9, 0),
                                    map("a", "pair", 9, serial, 1),
                                    map("b", "pair", 8, serial, 1),
                                    gate("join", Verb::zip, {"a", "b"}, 0.1, 9.9, 0)};
  const Verdict v = verdict(run(stages));
  EXPECT_EQ(v.kind, Kind::loop);
  EXPECT_EQ(v.stage, "a");
  EXPECT_NEAR(v.gain, 10.0 / 9, 1e-9) << "then b is the longest";
  EXPECT_EQ(v.text.find("b 80 %"), std::string::npos) << v.text;
}

TEST(Verdict, OfALoopSaysWhenMostOfALapIsOutsideOfBodies) {
  const Verdict v =
      verdict(run({gate("state", Verb::feedback, {"next"}, 0.5, 9.5, 0), gate("numbers", Verb::source, {}, 0.5, 0, 9),
                   gate("pair", Verb::zip, {"numbers", "state"}, 0.5, 9.5, 0), map("next", "pair", 2, serial, 1)}));
  EXPECT_EQ(v.kind, Kind::loop);
  EXPECT_TRUE(v.text.ends_with("outside of bodies: larger messages, or processors that are free, would help more"))
      << v.text;
}

TEST(Verdict, OfARunWhoseTimePassesOutsideOfBodies) {
  const Verdict v =
      verdict(run({gate("read", Verb::source, {}, 1, 0, 9), gate("write", Verb::sink, {"read"}, 2, 8, 0)}));
  EXPECT_EQ(v.kind, Kind::scheduling);
  EXPECT_TRUE(v.text.starts_with("bottleneck: write, but its bodies take only 20 % of the run")) << v.text;
}

TEST(Verdict, OfARunThatWaitsForTheOutside) {
  auto stages = run({gate("read", Verb::source, {}, 0.2, 0, 0), gate("write", Verb::sink, {"read"}, 1, 9, 0)});
  stages.stages[0].waiting = 9.5;
  const Verdict v = verdict(stages);
  EXPECT_EQ(v.kind, Kind::outside);
  EXPECT_EQ(v.stage, "read");
  EXPECT_EQ(v.gain, 1);
  EXPECT_EQ(v.text,
            "bottleneck: read, which waits for the outside 95 % of the time; nothing in the graph would be faster for "
            "being made so");
  stages.stages[0].waiting = 4;
  EXPECT_NE(verdict(stages).kind, Kind::outside);
}

TEST(ProfileTable, SaysWhatOnlySomeGraphsHave) {
  auto stages = run({gate("read", Verb::source, {}, 1, 0, 9), gate("write", Verb::sink, {"read"}, 2, 8, 0)});
  stages.stages[0].waiting = 5, stages.stages[0].errors = 3;
  stages.stages[1].latency_p50 = 0.0051, stages.stages[1].latency_p99 = 0.25;
  stages.stages[1].holes = 3, stages.stages[1].left_over = 7;
  const std::string table = profile_table(stages);
  EXPECT_TRUE(
      table.ends_with("read: 50 % of the time waiting for the outside\n"
                      "read: 3 messages lost to exceptions\n"
                      "write: 7 messages left over behind an early end\n"
                      "write: from a message's making to its end p50 5.1 ms, p99 250 ms; 3 were not there\n"))
      << table;
}

TEST(ProfileTable, HasALineForEachStage) {
  auto stages = run({gate("read", Verb::source, {}, 1, 0, 9), map("parse", "read", 20, unlimited, 4),
                     gate("write", Verb::sink, {"parse"}, 2, 8, 0)});
  stages.stages[0].high_water = 15, stages.stages[0].p50 = 1.5e-6, stages.stages[0].p99 = 0.25;
  EXPECT_EQ(profile_table(stages),
            "stage at once   items items/s  busy starved blocked ready  queue     p50     p99\n"
            "read        1    1000     100  10 %     0 %    90 %   0 %  15/16  1.5 us  250 ms\n"
            "parse       4    1000     100  50 %    50 %     0 %   0 %              -       -\n"
            "write       1    1000     100  20 %    80 %     0 %   0 %              -       -\n");
}

}  // namespace
}  // namespace sluice::test
