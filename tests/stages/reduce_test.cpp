#include <sluice/stages/reduce.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/stages/example.hpp"

namespace sluice::stages::testing {
namespace {

class Cuts : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Cuts, TheSumHasTheSameBitsForEveryNumberOfShards) {
  const std::size_t rows = GetParam();
  const Example example(rows, 100, 10);
  const Weights weights = example_weights(100, 10);
  const Step whole(example.batch, weights, 1);
  for (std::size_t parts = 2; parts <= 16; parts++) {
    const Step step(example.batch, weights, parts);
    EXPECT_EQ(bytes_of(step.gradient.values) == bytes_of(whole.gradient.values), true) << parts << " parts";
    EXPECT_EQ(step.loss.sum, whole.loss.sum) << parts << " parts";
    EXPECT_EQ(step.gradient.rows, rows);
    EXPECT_EQ(step.loss.count, rows);
  }
}

INSTANTIATE_TEST_SUITE_P(Reduce, Cuts, ::testing::Values(1, 64, 65, 128, 256, 300, 449, 832, 1025));

TEST(Reduce, TheGradientCarriesTheHandleOfItsWeights) {
  const Weights weights = example_weights(20, 3);
  const Step step(Example(300, 20, 3).batch, weights, 4);
  EXPECT_EQ(step.gradient.weights.get(), weights.get());
}

TEST(Reduce, EmptyShardsAtEitherEndAreAllowed) {
  const Example example(64, 20, 3);
  const Weights weights = example_weights(20, 3);
  EXPECT_EQ(bytes_of(Step(example.batch, weights, 9).gradient.values),
            bytes_of(Step(example.batch, weights, 1).gradient.values));
}

TEST(Reduce, ABatchWithoutRowsIsRefused) {
  EXPECT_THROW(Step(Example(0, 20, 3).batch, example_weights(20, 3), 2), std::invalid_argument);
}

}  // namespace
}  // namespace sluice::stages::testing
