#include <sluice/pipeline/options.hpp>

#include <gtest/gtest.h>

#include <string>

#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

static_assert(serial == Concurrency{1} && unlimited == Concurrency{0} && up_to(3).limit == 3);
static_assert(capacity(4).messages == 4 && shards(8).count == 8);

//  numbers -> same -> cut => sum -> end
struct Wired {
  Wired() : g("options", threads(2)) {
    auto same = g.map(
        "same", [](const int& n) { return n; }, g.source("numbers", Count(9)));
    auto cut = g.split("cut", Cut{}, same);
    g.sink(
        "end", [this](const long& n) { taken += n; }, g.fold("sum", Sum{}, cut));
  }
  StageInfo info(const std::string& name) {
    for (const StageInfo& s : g.stages())
      if (s.name == name) return s;
    return {};
  }
  Graph g;
  long taken = 0;
};

TEST(Options, TheDefaultsAreSerialMapsAndTheDefaultCapacity) {
  Wired w;
  EXPECT_EQ(w.info("same").concurrency, serial);
  EXPECT_EQ(w.info("numbers").capacity, default_capacity);
  EXPECT_EQ(w.info("same").capacity, 0u);
  EXPECT_EQ(w.info("cut").shards, 1u);
  EXPECT_EQ(w.info("end").capacity, 0u);
  EXPECT_TRUE(w.info("cut").sharded);
  EXPECT_FALSE(w.info("sum").sharded);
  EXPECT_EQ(w.info("cut").inputs, std::vector<std::string>{"same"});
}

TEST(Options, AreGivenWhereAStageIsWiredInAnyOrder) {
  Graph g("options", threads(1));
  auto numbers = g.source("numbers", Count(9), capacity(3));
  auto same = g.map(
      "same", [](const int& n) { return n; }, numbers, up_to(5));
  auto a = g.split("a", Cut{}, same, shards(3), capacity(2));
  auto b = g.split("b", Cut{}, same, capacity(4), shards(5));
  g.sink(
      "end", [](const long&, const long&) {}, g.fold("sum a", Sum{}, a), g.fold("sum b", Sum{}, b));
  const auto stages = g.stages();
  EXPECT_EQ(stages[0].capacity, 3u);
  EXPECT_EQ(stages[1].concurrency, Concurrency{5});
  EXPECT_EQ(stages[2].shards, 3u);
  EXPECT_EQ(stages[2].capacity, 2u);
  EXPECT_EQ(stages[3].shards, 5u);
  EXPECT_EQ(stages[3].capacity, 4u);
}

TEST(Options, AreOverriddenByNameAndTheGraphRunsWithThem) {
  Wired w;
  w.g.run();
  const long before = w.taken;
  w.g.set_capacity("numbers", 2);
  w.g.set_concurrency("same", unlimited);
  w.g.set_shards("cut", 7);
  EXPECT_EQ(w.info("numbers").capacity, 2u);
  EXPECT_EQ(w.info("same").concurrency, unlimited);
  EXPECT_EQ(w.info("cut").shards, 7u);
  w.taken = 0;
  w.g.run();
  EXPECT_EQ(before, 36);
  EXPECT_EQ(w.taken, 62 * 63 / 2) << "0 to 62: nine messages of seven shards";
  EXPECT_EQ(w.g.stats().stage("cut").items, 63u);
}

TEST(Options, AnUnknownStageIsRefusedWithTheNameThatWasMeant) {
  Wired w;
  EXPECT_EQ(thrown<std::invalid_argument>([&] { w.g.set_capacity("nubmers", 2); }),
            "graph 'options' has no stage 'nubmers': did you mean 'numbers'?");
  EXPECT_EQ(thrown<std::invalid_argument>([&] { w.g.set_shards("gradient", 2); }),
            "graph 'options' has no stage 'gradient': expected one of numbers, same, cut, sum, end");
  EXPECT_THROW(w.g.set_concurrency("sam", unlimited), std::invalid_argument);
}

TEST(Options, AValueThatCannotBeIsRefusedAndChangesNothing) {
  Wired w;
  EXPECT_EQ(thrown<std::invalid_argument>([&] { w.g.set_capacity("numbers", 0); }),
            "stage 'numbers': capacity 0, expected 1 to 1048576");
  EXPECT_THROW(w.g.set_capacity("numbers", (1u << 20) + 1), std::invalid_argument);
  EXPECT_EQ(thrown<std::invalid_argument>([&] { w.g.set_shards("cut", 0); }),
            "split 'cut': 0 shards, expected 1 to 1048576");
  EXPECT_THROW(w.g.set_shards("cut", std::size_t{1} << 40), std::invalid_argument);
  EXPECT_EQ(w.info("numbers").capacity, default_capacity);
  EXPECT_EQ(w.info("cut").shards, 1u);
}

TEST(Options, AStageThatHasNoSuchSettingSaysWhereItBelongs) {
  Wired w;
  EXPECT_EQ(thrown<std::invalid_argument>([&] { w.g.set_capacity("same", 2); }),
            "stage 'same' is a map: the capacity of its segment is that of 'numbers'");
  EXPECT_EQ(thrown<std::invalid_argument>([&] { w.g.set_capacity("end", 2); }),
            "stage 'end' is a sink: nothing follows it");
  EXPECT_EQ(thrown<std::invalid_argument>([&] { w.g.set_concurrency("sum", unlimited); }),
            "stage 'sum' is a fold: it works on one message at a time, only maps on several");
  EXPECT_EQ(thrown<std::invalid_argument>([&] { w.g.set_shards("sum", 2); }), "stage 'sum' is no split");
  w.g.expand("two", Repeat(2), w.g.source("others", Count(9)));
  EXPECT_EQ(thrown<std::invalid_argument>([&] { w.g.set_concurrency("two", unlimited); }),
            "stage 'two' is an expand: it works on one message at a time, only maps on several");
}

}  // namespace
}  // namespace sluice::test
