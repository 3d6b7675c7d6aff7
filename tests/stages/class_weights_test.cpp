#include <sluice/stages/class_weights.hpp>

#include <gtest/gtest.h>

#include "tests/stages/example.hpp"

namespace sluice::stages::testing {
namespace {

TEST(ClassWeights, AreTheSmallerTheMoreRowsAClassHas) {
  const Column<std::uint16_t> labels{0, 0, 0, 0, 0, 0, 2, 2};
  EXPECT_EQ(balanced_class_weights(labels, 3), (std::vector<float>{8.f / 12, 0, 2}));
}

TEST(ClassWeights, OfClassesWithAsManyRowsAreOne) {
  const Column<std::uint16_t> labels{0, 1, 2, 0, 1, 2};
  EXPECT_EQ(balanced_class_weights(labels, 3), (std::vector<float>{1, 1, 1}));
}

TEST(ClassWeights, MultiplyTheGradientOfEachRowAndNothingElse) {
  const Example example(70, 30, 3);
  const Weights weights = example_weights(30, 3);
  const std::vector<float> by_class{0.5f, 1, 3};
  const Work work(example.batch, weights);
  for (std::size_t part = 0; part < 2; ++part) {
    Scored plain, weighed;
    SoftmaxForward{}(Sharder{}(work, part, 2), plain);
    SoftmaxForward{.class_weights = &by_class}(Sharder{}(work, part, 2), weighed);
    Matrix expected = delta_of(plain);
    for (Eigen::Index r = 0; r < expected.rows(); ++r)
      expected.row(r) *= by_class[example.batch.labels[plain.shard.first_row + static_cast<std::size_t>(r)]];
    EXPECT_EQ(delta_of(weighed), expected);
    EXPECT_EQ(CrossEntropy{}(weighed).sum, CrossEntropy{}(plain).sum);
    for (std::size_t i = weighed.shard.rows; i % kernels::lanes != 0; ++i)  // the lanes behind the last row
      for (std::size_t c = 0; c < 3; ++c)
        EXPECT_EQ(weighed.delta[(i / kernels::lanes * 3 + c) * kernels::lanes + i % kernels::lanes], 0);
  }
}

}  // namespace
}  // namespace sluice::stages::testing
