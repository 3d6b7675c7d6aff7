#include <sluice/stages/sgd.hpp>

#include <gtest/gtest.h>

#include "tests/stages/example.hpp"

namespace sluice::stages::testing {
namespace {

TEST(Sgd, TakesTheRateTimesTheMeanGradientFromTheWeights) {
  const Example example(300, 20, 3);
  const Weights weights = example_weights(20, 3);
  const Step step(example.batch, weights, 1, 2, 0.25f);
  const Weights& next = step.next;
  const Matrix gradient = example.matrix().transpose() * delta_of(step.scored[0]) / 300;
  const Matrix expected = matrix_of(weights->weights.data(), 20, 3) - 0.25f * gradient;
  EXPECT_LE((matrix_of(next->weights.data(), 20, 3) - expected).cwiseAbs().maxCoeff(), 1e-6f);
  const Matrix mean = sum(delta_of(step.scored[0]), 0) / 300;
  for (std::size_t c = 0; c < 3; c++)
    EXPECT_NEAR(next->bias[c], weights->bias[c] - 0.25f * mean(0, static_cast<Eigen::Index>(c)), 1e-6f);
}

// The gradient of the weights is of pixels as they are, that of the bias has none in it.
TEST(Sgd, TakesTheDivisorOfThePixelsFromTheStepOfTheWeightsAlone) {
  const Example example(300, 20, 3);
  Weights weights = example_weights(20, 3);
  Model scaled = *weights;
  scaled.divisor = 51;
  weights.renew() = scaled;
  const Step step(example.batch, weights, 1, 2, 0.25f);
  const Weights& next = step.next;
  EXPECT_EQ(next->divisor, 51);
  const Matrix delta = delta_of(step.scored[0]), gradient = example.matrix().transpose() * 5 * delta / 300;
  const Matrix expected = matrix_of(weights->weights.data(), 20, 3) - 0.25f * gradient;
  EXPECT_LE((matrix_of(next->weights.data(), 20, 3) - expected).cwiseAbs().maxCoeff(), 1e-5f);
  const Matrix mean = sum(delta, 0) / 300;
  for (std::size_t c = 0; c < 3; c++)
    EXPECT_NEAR(next->bias[c], weights->bias[c] - 0.25f * mean(0, static_cast<Eigen::Index>(c)), 1e-6f);
}

TEST(Sgd, LeavesTheWeightsOfTheGradientUntouched) {
  const Weights weights = example_weights(20, 3);
  const std::string before = bytes_of(weights->weights);
  const Step step(Example(64, 20, 3).batch, weights, 1);
  EXPECT_EQ(bytes_of(weights->weights), before);
  EXPECT_NE(bytes_of(step.next->weights), before);
}

TEST(Sgd, PlacesPastTheLastPixelStayZero) {
  const Step step(Example(64, 17, 3).batch, example_weights(17, 3), 1);
  for (std::size_t c = 0; c < 3; c++)
    for (std::size_t lane = 1; lane < 16; lane++) EXPECT_EQ(step.next->weights[(3 + c) * 16 + lane], 0);
}

TEST(Sgd, StepsMakeTheLossOfABatchSmaller) {
  const Example example(256, 50, 10);
  Weights weights = example_weights(50, 10);
  double before = 1e9;
  for (int i = 0; i < 10; i++) {
    const Step step(example.batch, weights, 2);
    EXPECT_LT(step.loss.sum, before);
    before = step.loss.sum;
    weights = step.next;
  }
}

}  // namespace
}  // namespace sluice::stages::testing
