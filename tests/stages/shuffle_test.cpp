#include <sluice/stages/shuffle.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <stdexcept>
#include <vector>

#include <sluice/stages/philox.hpp>

namespace sluice::stages {
namespace {

using Sizes = std::vector<std::size_t>;

using Order = Column<std::uint32_t>;

TEST(Shuffle, TakesEveryRowOnce) {
  for (const std::size_t count : Sizes{0, 1, 2, 3, 4, 97, 1023, 1024, 1025, 1026, 60000}) {
    Order order = shuffle(count, 1, 2), expected(count);
    std::sort(order.begin(), order.end());
    std::iota(expected.begin(), expected.end(), 0u);
    EXPECT_EQ(order, expected) << count;
  }
}

TEST(Shuffle, IsFisherYatesWithTheWordsInOrder) {
  for (const std::size_t count : Sizes{2, 5, 6, 1024, 1025, 1026, 5000}) {
    Order expected(count);
    std::iota(expected.begin(), expected.end(), 0u);
    for (std::size_t left = count, word = 0; left > 1; --left, ++word) {
      const Words words = philox({.seed = 9, .purpose = Purpose::shuffle, .epoch = 4}, word / 4);
      std::swap(expected[left - 1], expected[below(words[word % 4], static_cast<std::uint32_t>(left))]);
    }
    EXPECT_EQ(shuffle(count, 9, 4), expected) << count;
  }
}

TEST(Shuffle, DependsOnSeedAndEpochAndOnNothingElse) {
  EXPECT_EQ(shuffle(1000, 1, 5), shuffle(1000, 1, 5));
  EXPECT_NE(shuffle(1000, 1, 5), shuffle(1000, 1, 6));
  EXPECT_NE(shuffle(1000, 1, 5), shuffle(1000, 2, 5));
}

TEST(Shuffle, IsTheSameAFewPlacesAtATime) {
  Shuffle some;
  for (const std::size_t count : Sizes{0, 1, 2, 3, 1023, 1024, 1025, 5000})
    for (const std::size_t at_once : Sizes{1, 2, 7, 1000, 1024, 6000}) {
      some.begin(count, 3, 4);
      EXPECT_TRUE(some.is(count, 3, 4));
      std::size_t steps = 0;
      for (; !some.done(); ++steps) some.advance(at_once);
      EXPECT_EQ(some.order(), shuffle(count, 3, 4));
      EXPECT_LE(steps, count / at_once + 1);
      some.advance(at_once);  // nothing is left
      EXPECT_EQ(some.order(), shuffle(count, 3, 4));
    }
  EXPECT_FALSE(some.is(5000, 3, 5));
  EXPECT_FALSE(some.is(5000, 2, 4));
  EXPECT_FALSE(some.is(4999, 3, 4));
}

TEST(Shuffle, EveryPermutationIsAsLikely) {
  std::map<Order, int> counts;
  constexpr int runs = 24000;
  for (std::uint32_t epoch = 0; epoch < runs; ++epoch) ++counts[shuffle(4, 0, epoch)];
  EXPECT_EQ(counts.size(), 24u);
  double chi_squared = 0;
  for (const auto& [order, count] : counts) chi_squared += (count - 1000.0) * (count - 1000.0) / 1000;
  EXPECT_LT(chi_squared, 49.7);  // 23 degrees of freedom: exceeded by chance once in a thousand seeds
}

TEST(Shuffle, UsesItsMemoryAgain) {
  Shuffle one;
  one.begin(1000, 0, 0);
  const auto* memory = one.order().data();
  one.begin(1000, 0, 1);
  EXPECT_EQ(one.order().data(), memory);
}

TEST(Shuffle, MoreRowsThanItCanNumberAreRefused) {
  EXPECT_THROW(shuffle(std::size_t{1} << 32, 0, 0), std::length_error);
}

}  // namespace
}  // namespace sluice::stages
