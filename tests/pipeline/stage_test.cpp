// What follows for a stage from its graph's wiring. Built by hand: no bodies, no types.
#include <sluice/pipeline/detail/wiring.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace sluice::detail {
namespace {

struct NoBody final : Body {
  bool run(std::uint64_t&, std::uint64_t, const std::atomic<bool>&) override { return false; }
  void set_exclusive(std::size_t port, bool exclusive) override {
    ports.resize(std::max(ports.size(), port + 1));
    ports[port] = exclusive;
  }
  std::vector<bool> ports;
};

class Wired {
 public:
  Stage* add(Verb verb, std::vector<Stage*> inputs = {}, std::size_t capacity = 2, std::size_t shards = 1) {
    auto& s = all.emplace_back(std::make_unique<Stage>());
    s->id = all.size() - 1;
    s->name = std::to_string(s->id);
    s->verb = verb;
    s->body = std::make_unique<NoBody>();
    s->inputs = std::move(inputs);
    s->capacity = capacity;
    s->shards = shards;
    return s.get();
  }
  Stages all;
};

TEST(Stage, TheGateOfAMapIsTheOneThatBeginsItsSegment) {
  Wired s;
  Stage* source = s.add(Verb::source);
  Stage* a = s.add(Verb::map, {source});
  Stage* b = s.add(Verb::map, {a});
  Stage* sink = s.add(Verb::sink, {b});
  resolve(s.all);
  EXPECT_EQ(mistakes(s.all), std::vector<std::string>{});
  EXPECT_EQ(a->gate, source);
  EXPECT_EQ(b->gate, source);
  EXPECT_EQ(sink->gate, sink);
  EXPECT_EQ(source->consumers, std::vector<Stage*>{a});
}

TEST(Stage, BracketsNestAndAreLeftByFolds) {
  Wired s;
  Stage* source = s.add(Verb::source);
  Stage* outer = s.add(Verb::split, {source}, 2, 3);
  Stage* map = s.add(Verb::map, {outer});
  Stage* inner = s.add(Verb::split, {map}, 5, 4);
  Stage* fold = s.add(Verb::fold, {inner}, 7);
  Stage* last = s.add(Verb::fold, {fold}, 11);
  s.add(Verb::sink, {last});
  resolve(s.all);
  EXPECT_EQ(mistakes(s.all), std::vector<std::string>{});
  EXPECT_EQ(map->bracket, outer);
  EXPECT_EQ(inner->bracket, inner);
  EXPECT_EQ(fold->bracket, outer);
  EXPECT_EQ(last->bracket, nullptr);
  EXPECT_EQ(fold->shards, 4u);
  EXPECT_EQ(last->shards, 3u);
  EXPECT_EQ(stage_window(*source), 2u);
  EXPECT_EQ(stage_window(*outer), 2u * 3);
  EXPECT_EQ(stage_window(*inner), 5u * 4 * 3) << "capacity counts messages before both cuts";
  EXPECT_EQ(stage_window(*fold), 7u * 3);
  EXPECT_EQ(stage_window(*last), 11u);
}

TEST(Stage, AZipTakesWhatNobodyElseReads) {
  Wired s;
  Stage* a = s.add(Verb::source);
  Stage* b = s.add(Verb::source);
  Stage* zip = s.add(Verb::zip, {a, b});
  s.add(Verb::sink, {b, zip});
  Stage* twice = s.add(Verb::zip, {zip, zip});
  s.add(Verb::sink, {twice});
  resolve(s.all);
  EXPECT_EQ(mistakes(s.all), std::vector<std::string>{});
  EXPECT_EQ(static_cast<NoBody&>(*zip->body).ports, (std::vector<bool>{true, false}));
  EXPECT_EQ(static_cast<NoBody&>(*twice->body).ports, (std::vector<bool>{false, false}));
}

TEST(Stage, WhatFollowsMayBeFoundAgain) {
  Wired s;
  Stage* source = s.add(Verb::source);
  s.add(Verb::sink, {source});
  resolve(s.all);
  resolve(s.all);
  EXPECT_EQ(mistakes(s.all), std::vector<std::string>{});
  EXPECT_EQ(source->consumers.size(), 1u);
}

TEST(Stage, WhatFollowsIsFoundAsFarAsItCanBeWhereTheWiringIsWrong) {
  Wired s;
  Stage* source = s.add(Verb::source, {}, 0);
  Stage* fold = s.add(Verb::fold, {source});
  Stage* feedback = s.add(Verb::feedback);
  Stage* zip = s.add(Verb::zip, {fold, feedback});
  resolve(s.all);
  EXPECT_EQ(fold->bracket, nullptr);
  EXPECT_EQ(zip->consumers, std::vector<Stage*>{});
  EXPECT_TRUE(feedback->endless);
  EXPECT_FALSE(zip->endless);
  EXPECT_EQ(mistakes(s.all),
            (std::vector<std::string>{"stage '0': capacity 0, expected 1 to 1048576",
                                      "fold '1': '0' gives no shards: a fold reads what a split has cut",
                                      "feedback '2' is not closed: call close() with the stream that comes back",
                                      "stage '3': nobody reads its messages"}));
}

}  // namespace
}  // namespace sluice::detail
