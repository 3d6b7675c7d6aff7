#include <sluice/stages/loss.hpp>

#include <gtest/gtest.h>

#include <cmath>

#include "tests/stages/example.hpp"

namespace sluice::stages::testing {
namespace {

TEST(CrossEntropy, EqualLogitsCostTheLogarithmOfTheClasses) {
  const Step step(Example(100, 5, 10).batch, example_weights(5, 10, 0.f), 1);
  EXPECT_EQ(step.loss.count, 100u);
  EXPECT_NEAR(step.loss.sum, 100 * std::log(10.0), 1e-4);
}

TEST(CrossEntropy, AsAMapItGivesTheSumOfOneShard) {
  const Step step(Example(300, 20, 3).batch, example_weights(20, 3), 1);
  const BatchLoss loss = CrossEntropy{}(step.scored[0]);
  EXPECT_EQ(loss.sum, step.loss.sum);
  EXPECT_EQ(loss.count, 300u);
}

TEST(CrossEntropy, WholeBlocksCanBeAddedOneAfterTheOther) {
  for (const kernels::Table* table : kernels::available()) {
    std::vector<float> logit(300), sum(300);
    Numbers numbers(3);
    for (std::size_t i = 0; i < 300; i++) logit[i] = numbers.between(-5, 0), sum[i] = numbers.between(1, 10);
    const double whole = table->loss(logit.data(), sum.data(), 300, 0.5);
    for (std::size_t cut = 0; cut < 300; cut += kernels::row_block)
      EXPECT_EQ(
          table->loss(logit.data() + cut, sum.data() + cut, 300 - cut, table->loss(logit.data(), sum.data(), cut, 0.5)),
          whole);
  }
}

}  // namespace
}  // namespace sluice::stages::testing
