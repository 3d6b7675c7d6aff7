// What is found out about a stage when the graph is checked. Built by hand: no bodies, no types.
#include <sluice/pipeline/detail/stage.hpp>

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

class Stages {
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
  std::vector<std::unique_ptr<Stage>> all;
};

TEST(Stage, the_gate_of_a_map_is_the_one_that_begins_its_segment) {
  Stages s;
  Stage* source = s.add(Verb::source);
  Stage* a = s.add(Verb::map, {source});
  Stage* b = s.add(Verb::map, {a});
  Stage* sink = s.add(Verb::sink, {b});
  EXPECT_TRUE(check(s.all).empty());
  EXPECT_EQ(a->gate, source);
  EXPECT_EQ(b->gate, source);
  EXPECT_EQ(sink->gate, sink);
  EXPECT_EQ(source->consumers, std::vector<Stage*>{a});
}

TEST(Stage, brackets_nest_and_are_left_by_folds) {
  Stages s;
  Stage* source = s.add(Verb::source);
  Stage* outer = s.add(Verb::split, {source}, 2, 3);
  Stage* map = s.add(Verb::map, {outer});
  Stage* inner = s.add(Verb::split, {map}, 5, 4);
  Stage* fold = s.add(Verb::fold, {inner}, 7);
  Stage* last = s.add(Verb::fold, {fold}, 11);
  s.add(Verb::sink, {last});
  EXPECT_TRUE(check(s.all).empty());
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

TEST(Stage, a_zip_takes_what_nobody_else_reads) {
  Stages s;
  Stage* a = s.add(Verb::source);
  Stage* b = s.add(Verb::source);
  Stage* zip = s.add(Verb::zip, {a, b});
  s.add(Verb::sink, {b, zip});
  Stage* twice = s.add(Verb::zip, {zip, zip});
  s.add(Verb::sink, {twice});
  EXPECT_TRUE(check(s.all).empty());
  EXPECT_EQ(static_cast<NoBody&>(*zip->body).ports, (std::vector<bool>{true, false}));
  EXPECT_EQ(static_cast<NoBody&>(*twice->body).ports, (std::vector<bool>{false, false}));
}

TEST(Stage, a_check_may_be_repeated) {
  Stages s;
  Stage* source = s.add(Verb::source);
  s.add(Verb::sink, {source});
  EXPECT_TRUE(check(s.all).empty());
  EXPECT_TRUE(check(s.all).empty());
  EXPECT_EQ(source->consumers.size(), 1u);
}

TEST(Stage, verbs_have_names) {
  const char* names[] = {"source", "map", "expand", "zip", "split", "fold", "sink", "feedback"};
  for (int v = 0; v < 8; ++v) EXPECT_STREQ(to_string(static_cast<Verb>(v)), names[v]);
}

}  // namespace
}  // namespace sluice::detail
