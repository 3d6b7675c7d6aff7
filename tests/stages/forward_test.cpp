#include <sluice/stages/forward.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include <sluice/stages/accuracy.hpp>
#include "tests/stages/example.hpp"

namespace sluice::stages::testing {
namespace {

Scored score(const Batch& batch, const Weights& weights) {
  static Work work;  // a Scored points into it
  work = Work(batch, weights);
  Scored scored;
  SoftmaxForward{}(Sharder{}(work, 0, 1), scored);
  return scored;
}

Matrix probabilities(const Example& example, const Model& model) {
  const Eigen::Map<const Eigen::RowVectorXf> bias(model.bias.data(), static_cast<Eigen::Index>(model.bias.size()));
  Matrix logits = example.matrix() * matrix_of(model.weights.data(), model.pixels, model.classes);
  logits.rowwise() += bias;
  return softmax(logits);
}

class ForwardShapes : public ::testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {};

TEST_P(ForwardShapes, AgreesWithTheReferenceOnEigen) {
  const auto [pixels, classes] = GetParam();
  const Example example(130, pixels, classes);
  const Weights weights = example_weights(pixels, classes);
  const Scored scored = score(example.batch, weights);
  const Matrix y_hat = probabilities(example, *weights);
  Matrix expected = y_hat;
  for (Eigen::Index r = 0; r < 130; r++) expected(r, example.batch.labels[static_cast<std::size_t>(r)]) -= 1;
  EXPECT_LE((delta_of(scored) - expected).cwiseAbs().maxCoeff(), 1e-5f);
  const BatchLoss loss = CrossEntropy{}(scored);
  EXPECT_NEAR(loss.sum, cross_entropy(y_hat, example.batch.labels).cast<double>().sum(), 1e-4 * loss.sum);
  EXPECT_EQ(Accuracy{}(scored).hits, accuracy(y_hat, example.batch.labels));
}

INSTANTIATE_TEST_SUITE_P(Forward, ForwardShapes,
                         ::testing::Combine(::testing::Values(1, 15, 16, 17, 784, 3072),
                                            ::testing::Values(2, 3, 10, 26, 63, 200)));

TEST(Forward, WithoutLabelsDeltaIsTheProbabilities) {
  Example example(70, 30, 10);
  example.batch.labels.clear();
  const Weights weights = example_weights(30, 10);
  const Scored scored = score(example.batch, weights);
  EXPECT_LE((delta_of(scored) - probabilities(example, *weights)).cwiseAbs().maxCoeff(), 1e-5f);
  for (std::size_t r = 0; r < 70; r++) EXPECT_EQ(scored.label_logit[r], 0);
}

TEST(Forward, EveryRowOfProbabilitiesSumsToOne) {
  Example example(70, 30, 10);
  example.batch.labels.clear();
  const Matrix sums = sum(delta_of(score(example.batch, example_weights(30, 10))), 1);
  EXPECT_LE((sums.array() - 1).abs().maxCoeff(), 1e-6f);
}

TEST(Forward, LogitsOfTenThousandGiveNoNaN) {
  const std::uint8_t white = 255;
  Batch batch;
  batch.pixels = 1;
  batch.rows.assign(3, &white);
  batch.labels = {0, 1, 2};
  Weights weights;
  Model& model = weights.renew();
  model = {.pixels = 1, .classes = 3, .weights = decltype(Model::weights)(48), .bias = {0, 0, 0}};
  model.weights[0] = 1e4f;
  model.weights[16] = -1e4f;
  for (const kernels::Table* table : kernels::available()) {
    ForcedLevel level(table->name);
    const Scored scored = score(batch, weights);
    const Matrix delta = delta_of(scored);
    EXPECT_TRUE(delta.allFinite()) << delta;
    EXPECT_FLOAT_EQ(delta(1, 0), 1);
    EXPECT_FLOAT_EQ(delta(1, 1), -1);
    EXPECT_NEAR(CrossEntropy{}(scored).sum, 0 + 2e4 + 1e4, 0.01);
  }
}

TEST(Forward, NaNInTheWeightsStaysVisible) {
  const Example example(3, 20, 4);
  Weights weights = example_weights(20, 4);
  weights.renew().weights[5] = std::nanf("");
  for (const kernels::Table* table : kernels::available()) {
    ForcedLevel level(table->name);
    EXPECT_TRUE(std::isnan(CrossEntropy{}(score(example.batch, weights)).sum)) << table->name;
  }
}

TEST(Forward, OnTiesTheLowestClassIsPredicted) {
  const Example example(20, 5, 7);
  Weights weights = example_weights(5, 7, 0.f);
  const Scored all = score(example.batch, weights);
  for (std::size_t r = 0; r < 20; r++) EXPECT_EQ(all.predicted[r], 0);
  Weights later = example_weights(5, 7, 0.f);
  later.renew().bias = {0, 0, 1, 0, 1, 1, 0};
  const Scored some = score(example.batch, later);
  for (std::size_t r = 0; r < 20; r++) EXPECT_EQ(some.predicted[r], 2);
}

TEST(Forward, LanesPastTheLastRowAreZero) {
  const Scored scored = score(Example(17, 5, 3).batch, example_weights(5, 3));
  for (std::size_t c = 0; c < 3; c++)
    for (std::size_t lane = 1; lane < 16; lane++) EXPECT_EQ(scored.delta[(3 + c) * 16 + lane], 0);
}

TEST(Forward, AnEmptyShardIsScoredAsNothing) {
  const Work work(Example(10, 5, 3).batch, example_weights(5, 3));
  Scored scored;
  SoftmaxForward{}(Sharder{}(work, 0, 3), scored);
  EXPECT_EQ(scored.shard.rows, 0u);
  EXPECT_EQ(scored.delta.size(), 0u);
  EXPECT_EQ(CrossEntropy{}(scored).count, 0u);
}

TEST(Forward, ThousandsOfClassesWork) {
  const Example example(20, 33, 3000);
  const Weights weights = example_weights(33, 3000);
  const Step step(example.batch, weights, 1);
  EXPECT_LE((sum(delta_of(step.scored[0]), 1)).cwiseAbs().maxCoeff(), 1e-4f);
}

TEST(Forward, AModelOfOtherPixelsIsRefusedAndBothNumbersAreNamed) {
  try {
    score(Example(10, 784, 10).batch, example_weights(100, 10));
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("784"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("100"), std::string::npos);
  }
}

TEST(Forward, AUsedScoredIsUsedAgainWithoutAllocating) {
  const Example many(256, 20, 10), few(30, 20, 10);
  const Work large(many.batch, example_weights(20, 10)), small(few.batch, example_weights(20, 10));
  Scored scored;
  SoftmaxForward{}(Sharder{}(large, 0, 1), scored);
  const float* memory = scored.delta.data();
  SoftmaxForward{}(Sharder{}(small, 0, 1), scored);
  SoftmaxForward{}(Sharder{}(large, 0, 1), scored);
  EXPECT_EQ(scored.delta.data(), memory);
}

// Whichever shard a row is in.
TEST(Probability, OfTheClassesOfARowIsOneInAll) {
  const Example example(300, 20, 3);
  const Step step(example.batch, example_weights(20, 3), 3);
  for (const Scored& scored : step.scored)
    for (std::size_t row = 0; row < scored.shard.rows; row++) {
      float sum = 0;
      for (std::size_t c = 0; c < 3; c++) {
        const float p = probability(scored, row, c);
        EXPECT_GE(p, 0) << row;
        sum += p;
      }
      EXPECT_NEAR(sum, 1, 1e-5) << "row " << scored.shard.first_row + row;
    }
}

}  // namespace
}  // namespace sluice::stages::testing
