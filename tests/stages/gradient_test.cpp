#include <sluice/stages/gradient.hpp>

#include <gtest/gtest.h>

#include <cmath>

#include "tests/stages/example.hpp"

namespace sluice::stages::testing {
namespace {

using Exact = Eigen::MatrixXd;

// The mean cross-entropy in double.
double loss_of(const Exact& x, const Labels& y, const Exact& w, const Exact& b) {
  double loss = 0;
  for (Eigen::Index r = 0; r < x.rows(); r++) {
    const Exact z = x.row(r) * w + b;
    const double top = z.maxCoeff();
    loss += std::log((z.array() - top).exp().sum()) - (z(0, y[static_cast<std::size_t>(r)]) - top);
  }
  return loss / static_cast<double>(x.rows());
}

TEST(Gradient, AgreesWithFiniteDifferencesInDouble) {
  for (const auto& [rows, pixels, classes] : {std::tuple{70, 5, 3}, {9, 17, 10}, {130, 2, 2}}) {
    const Example example(static_cast<std::size_t>(rows), static_cast<std::size_t>(pixels),
                          static_cast<std::size_t>(classes));
    const Weights weights = example_weights(static_cast<std::size_t>(pixels), static_cast<std::size_t>(classes), 0.5f);
    const Step step(example.batch, weights, 1);
    const Exact x = example.matrix().cast<double>();
    Exact w = matrix_of(weights->weights.data(), weights->pixels, weights->classes).cast<double>();
    Exact b = Eigen::Map<const Eigen::RowVectorXf>(weights->bias.data(), classes).cast<double>();
    const Exact own = matrix_of(step.gradient.data(), weights->pixels, weights->classes).cast<double>() / 255 / rows;
    const double h = 1e-5;
    for (Eigen::Index c = 0; c < classes; c++) {
      for (Eigen::Index p = 0; p <= pixels; p++) {
        double& value = p < pixels ? w(p, c) : b(0, c);
        const double kept = value;
        value = kept + h;
        const double above = loss_of(x, example.batch.labels, w, b);
        value = kept - h;
        const double below = loss_of(x, example.batch.labels, w, b);
        value = kept;
        const double bias = static_cast<double>(step.gradient[weights->weights.size() + static_cast<std::size_t>(c)]);
        EXPECT_NEAR(p < pixels ? own(p, c) : bias / rows, (above - below) / (2 * h), 1e-6);
      }
    }
  }
}

TEST(Gradient, AgreesWithTheReferenceOnEigen) {
  const Example example(300, 784, 10);
  const Weights weights = example_weights(784, 10);
  const Step step(example.batch, weights, 1);
  const Matrix expected = example.matrix().transpose() * delta_of(step.scored[0]) * 255;
  const Matrix own = matrix_of(step.gradient.data(), 784, 10);
  EXPECT_LE((own - expected).cwiseAbs().maxCoeff(), 1e-4f * expected.cwiseAbs().maxCoeff());
}

TEST(Gradient, AShardGivesItsMaximalCompleteSubtrees) {
  const Example example(448, 20, 3);  // 7 blocks
  const Work work(example.batch, example_weights(20, 3));
  for (std::size_t parts = 1; parts < 9; parts++)
    for (std::size_t part = 0; part < parts; part++) {
      Scored scored;
      PartialGradient partial;
      const Shard shard = Sharder{}(work, part, parts);
      SoftmaxForward{}(shard, scored);
      SoftmaxGradient{}(scored, partial);
      EXPECT_EQ(partial.nodes, block_nodes(shard.first_block, shard.first_block + shard.rows / 64));
    }
}

TEST(Gradient, AnEmptyShardGivesNoNode) {
  const Work work(Example(10, 20, 3).batch, example_weights(20, 3));
  Scored scored;
  PartialGradient partial;
  SoftmaxForward{}(Sharder{}(work, 0, 2), scored);
  SoftmaxGradient{}(scored, partial);
  EXPECT_TRUE(partial.nodes.empty());
}

TEST(Gradient, PlacesPastTheLastPixelAndTheLastClassAreZero) {
  const Example example(70, 17, 3);
  const Step step(example.batch, example_weights(17, 3), 1);
  for (std::size_t c = 0; c < 3; c++)
    for (std::size_t lane = 1; lane < 16; lane++) EXPECT_EQ(step.gradient[(3 + c) * 16 + lane], 0);
  for (std::size_t c = 3; c < 16; c++) EXPECT_EQ(step.gradient[kernels::weights_size(17, 3) + c], 0);
}

}  // namespace
}  // namespace sluice::stages::testing
