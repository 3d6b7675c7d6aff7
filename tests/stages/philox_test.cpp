#include <sluice/stages/philox.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace sluice::stages {
namespace {

using Sizes = std::vector<std::size_t>;

TEST(Philox, GivesTheKnownAnswersOfThePapersAuthors) {
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32_10({ones, ones, ones, ones}, {ones, ones}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, SeedPurposeEpochAndIndexEachChangeTheWords) {
  const RandomStream stream{.seed = 1, .purpose = Purpose::shuffle, .epoch = 2};
  const Words words = philox(stream, 3);
  EXPECT_EQ(words, philox(stream, 3));
  EXPECT_NE(words, philox(stream, 4));
  EXPECT_NE(words, philox(stream, 3 + (std::uint64_t{1} << 32)));
  EXPECT_NE(words, philox({2, Purpose::shuffle, 2}, 3));
  EXPECT_NE(words, philox({1 + (std::uint64_t{1} << 32), Purpose::shuffle, 2}, 3));
  EXPECT_NE(words, philox({1, Purpose::synthesis, 2}, 3));
  EXPECT_NE(words, philox({1, Purpose::shuffle, 3}, 3));
}

TEST(Philox, ManyAtOnceAreTheSameAsOneAfterTheOther) {
  const RandomStream stream{.seed = 0x123456789abcdef0, .purpose = Purpose::shuffle, .epoch = 7};
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{5}, (std::uint64_t{1} << 32) - 3})
    for (const std::size_t blocks : Sizes{0, 1, 2, 31, 32, 33, 100}) {
      std::vector<std::uint32_t> words(4 * blocks + 1, 42);
      philox(stream, first, blocks, words.data());
      for (std::size_t i = 0; i < blocks; ++i) {
        const Words one = philox(stream, first + i);
        EXPECT_TRUE(std::equal(one.begin(), one.end(), words.data() + 4 * i)) << first << " " << blocks << " " << i;
      }
      EXPECT_EQ(words.back(), 42u);
    }
}

TEST(Philox, BelowStaysBelowAndReachesBothEnds) {
  EXPECT_EQ(below(0, 10), 0u);
  EXPECT_EQ(below(0xffffffff, 10), 9u);
  EXPECT_EQ(below(0xffffffff, 1), 0u);
  EXPECT_EQ(below(0xffffffff, 0xffffffff), 0xfffffffeu);
  EXPECT_EQ(below(0x80000000, 10), 5u);
}

TEST(Philox, NormalDeviatesAreThoseOfThePolarMethod) {
  const RandomStream stream{.seed = 3, .purpose = Purpose::initial_weights};
  const auto uniform = [](std::uint32_t high, std::uint32_t low) {
    return (static_cast<double>((std::uint64_t{high} << 32 | low) >> 11) + 0.5) / 4503599627370496.0 - 1;
  };
  for (std::uint64_t index = 0; index < 2000; ++index) {
    double expected = 0;
    for (std::uint64_t attempt = index << 12;; ++attempt) {
      const Words w = philox(stream, attempt);
      const double u = uniform(w[0], w[1]), v = uniform(w[2], w[3]), r = u * u + v * v;
      if (r >= 1) continue;
      expected = u * std::sqrt(-2 * std::log(r) / r);
      break;
    }
    EXPECT_NEAR(normal(stream, index), expected, 1e-14 * (1 + std::abs(expected))) << index;
  }
}

TEST(Philox, NormalDeviatesHaveTheMomentsAndTailsOfTheirDistribution) {
  const RandomStream stream{.seed = 0, .purpose = Purpose::initial_weights};
  constexpr int count = 200000;
  double sum = 0, squares = 0, fourth = 0;
  int beyond_one = 0, beyond_three = 0, positive = 0;
  for (int i = 0; i < count; ++i) {
    const double x = normal(stream, static_cast<std::uint64_t>(i));
    sum += x, squares += x * x, fourth += x * x * x * x;
    beyond_one += std::abs(x) > 1, beyond_three += std::abs(x) > 3, positive += x > 0;
  }
  EXPECT_NEAR(sum / count, 0, 0.01);
  EXPECT_NEAR(squares / count, 1, 0.015);
  EXPECT_NEAR(fourth / count, 3, 0.1);
  EXPECT_NEAR(positive, count / 2, 1100);
  EXPECT_NEAR(beyond_one, 0.317311 * count, 1000);
  EXPECT_NEAR(beyond_three, 0.0026998 * count, 120);
}

TEST(Philox, NormalDeviatesHaveTheSameBitsOnEveryCompiler) {
  const RandomStream stream{.seed = 42, .purpose = Purpose::initial_weights};
  EXPECT_EQ(normal(stream, 0), -0x1.9b0e672a28aabp-1);
  EXPECT_EQ(normal(stream, 1), 0x1.9e55057a27118p-1);
  EXPECT_EQ(normal(stream, 2), -0x1.1a9d68583ef66p+0);
  EXPECT_EQ(normal(stream, 7839), 0x1.9593564637001p-1);
  EXPECT_EQ(normal(stream, 1000000), 0x1.9506d805b4f71p-2);
}

}  // namespace
}  // namespace sluice::stages
