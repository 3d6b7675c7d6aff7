#include <sluice/stages/softmax.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <vector>

namespace sluice::stages {
namespace {

// The numbers are those that the chapter prints.
const Matrix x{{1, 2, 3}, {4, 5, 6}};
const Matrix y_hat{{0.1f, 0.3f, 0.6f}, {0.3f, 0.2f, 0.5f}};
const std::vector<std::uint16_t> y{0, 2};

TEST(Softmax, SumsOverAnAxisKeepIt) {
  EXPECT_EQ(sum(x, 0), (Matrix{{5, 7, 9}}));
  EXPECT_EQ(sum(x, 1), (Matrix{{6}, {15}}));
  EXPECT_THROW(sum(x, 2), std::invalid_argument);
}

TEST(Softmax, RowsSumToOne) {
  const Matrix p = softmax(Matrix{{0.1f, -2, 3, 0, 1}, {5, 5, -1, 0.5f, 2}});
  EXPECT_LE((sum(p, 1).array() - 1).abs().maxCoeff(), 1e-6f);
  EXPECT_GT(p.minCoeff(), 0);
}

TEST(Softmax, LogitsOfTenThousandGiveNoNaN) {
  const Matrix p = softmax(Matrix{{1e4f, -1e4f, 0}});
  EXPECT_EQ(p, (Matrix{{1, 0, 0}}));
}

TEST(Softmax, TheProbabilitiesOfTheLabelsArePicked) {
  const Vector p = picked(y_hat, y);
  EXPECT_EQ(p[0], 0.1f);
  EXPECT_EQ(p[1], 0.5f);
}

TEST(Softmax, CrossEntropyIsTheNegativeLogarithmOfTheLabelsProbability) {
  const Vector loss = cross_entropy(y_hat, y);
  EXPECT_NEAR(loss[0], 2.3026f, 5e-5f);
  EXPECT_NEAR(loss[1], 0.6931f, 5e-5f);
  EXPECT_NEAR(loss.mean(), 1.4979f, 5e-5f);
}

TEST(Softmax, AccuracyCountsTheRowsWhoseLargestProbabilityIsTheirLabel) {
  EXPECT_EQ(accuracy(y_hat, y), 1u);
  EXPECT_EQ(static_cast<double>(accuracy(y_hat, y)) / static_cast<double>(y.size()), 0.5);
}

TEST(Softmax, LabelsThatDoNotFitAreRefused) {
  EXPECT_THROW(cross_entropy(y_hat, std::vector<std::uint16_t>{0}), std::invalid_argument);
  EXPECT_THROW(accuracy(y_hat, std::vector<std::uint16_t>{0, 3}), std::invalid_argument);
}

}  // namespace
}  // namespace sluice::stages
