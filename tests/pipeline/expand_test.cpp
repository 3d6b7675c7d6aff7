// One in, none to many out, in order.
#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

//  numbers -> repeat -> taken
TEST(Expand, GivesNoneToManyForEachInputInOrder) {
  for_each_shape([](const Shape& shape) {
    for (const int most : {1, 5, 40}) {
      Collect taken;
      Graph g("expand", threads(shape.threads));
      auto numbers = g.source("numbers", Count(shape.items), capacity(shape.capacity));
      g.sink("taken", std::ref(taken), g.expand("repeat", Repeat(most), numbers, capacity(shape.capacity)));
      g.run();
      EXPECT_EQ(taken.taken, Repeat::expected(shape.items, most));
    }
  });
}

TEST(Expand, FinishGivesWhatIsLeftHoweverMuchItIs) {
  for_each_shape([](const Shape& shape) {
    Collect taken;
    Graph g("expand", threads(shape.threads));
    auto numbers = g.source("numbers", Count(shape.items), capacity(shape.capacity));
    g.sink("taken", std::ref(taken), g.expand("hold", Lag(1000), numbers, capacity(shape.capacity)));
    g.run();
    EXPECT_EQ(taken.taken, iota(shape.items));
  });
}

TEST(Expand, MaySwallowEveryInput) {
  struct Swallow {
    void push(const int&) {}
    std::optional<int> pull() { return std::nullopt; }
  };
  for_each_shape([](const Shape& shape) {
    Collect taken;
    Graph g("expand", threads(shape.threads));
    auto numbers = g.source("numbers", Count(shape.items), capacity(shape.capacity));
    g.sink("taken", std::ref(taken), g.expand("swallow", Swallow{}, numbers, capacity(1)));
    g.run();
    EXPECT_TRUE(taken.taken.empty());
    EXPECT_EQ(taken.finished, 1);
  });
}

TEST(Expand, IsPushedTheNextInputOnlyWhenItHasNoMoreOutputs) {
  struct Strict {
    int left = 0;
    bool asked_in_vain = true;
    void push(const int& n) {
      EXPECT_TRUE(asked_in_vain);
      asked_in_vain = false;
      left = n % 4;
    }
    std::optional<int> pull() {
      asked_in_vain = left == 0;
      return left-- > 0 ? std::optional(left) : std::nullopt;
    }
    void finish() {
      EXPECT_TRUE(asked_in_vain);
      left = 0;
    }
  };
  Collect taken;
  Graph g("expand", threads(8));
  g.sink("taken", std::ref(taken), g.expand("strict", Strict{}, g.source("numbers", Count(97)), capacity(2)));
  g.run();
  EXPECT_EQ(taken.taken.size(), 24u * (0 + 1 + 2 + 3));
}

//  numbers -> twice -> thrice -> taken
TEST(Expand, FeedsAnotherExpand) {
  struct Times {
    int times, n = 0, left = 0;
    void push(const int& in) { n = in, left = times; }
    std::optional<int> pull() { return left-- > 0 ? std::optional(n) : std::nullopt; }
  };
  for_each_thread_count([](std::size_t count) {
    Collect taken;
    Graph g("expand", threads(count));
    auto twice = g.expand("twice", Times{2}, g.source("numbers", Count(97), capacity(3)), capacity(1));
    g.sink("taken", std::ref(taken), g.expand("thrice", Times{3}, twice, capacity(2)));
    g.run();
    std::vector<int> expected;
    for (int n = 0; n < 97; ++n) expected.insert(expected.end(), 6, n);
    EXPECT_EQ(taken.taken, expected);
  });
}

}  // namespace
}  // namespace sluice::test
