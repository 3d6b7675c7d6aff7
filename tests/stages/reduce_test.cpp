#include <sluice/stages/reduce.hpp>

#include <gtest/gtest.h>

#include <sluice/stages/model.hpp>
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
    EXPECT_EQ(bytes_of(step.gradient) == bytes_of(whole.gradient), true) << parts << " parts";
    EXPECT_EQ(step.loss.sum, whole.loss.sum) << parts << " parts";
    EXPECT_EQ(step.plan.rows, rows);
    EXPECT_EQ(step.loss.count, rows);
  }
}

TEST_P(Cuts, TheSumHasTheSameBitsForEveryNumberOfSlices) {
  const Example example(GetParam(), 100, 10);
  const Weights weights = example_weights(100, 10);
  for (const std::size_t parts : Sizes{1, 5, 16}) {
    const Step whole(example.batch, weights, parts);
    for (const std::size_t slices : Sizes{2, 3, 7, 16, 71, 72, 100}) {  // 71 cache lines
      const Step step(example.batch, weights, parts, slices);
      EXPECT_EQ(bytes_of(step.gradient) == bytes_of(whole.gradient), true)
          << parts << " parts, " << slices << " slices";
      EXPECT_EQ(weights_sha256(*step.next), weights_sha256(*whole.next)) << parts << " parts, " << slices << " slices";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Reduce, Cuts, ::testing::Values(1, 64, 65, 128, 256, 300, 449, 832, 1025));

TEST(Reduce, EmptyShardsAtEitherEndAreAllowed) {
  const Example example(64, 20, 3);
  const Weights weights = example_weights(20, 3);
  EXPECT_EQ(bytes_of(Step(example.batch, weights, 9).gradient), bytes_of(Step(example.batch, weights, 1).gradient));
}

// Memory is stated for as many sums as wait for one another.
TEST(Reduce, TakesNoMoreMemoryThanItStates) {
  for (const std::size_t rows : Sizes{64, 65, 300, 832, 1025, 4096})
    for (const std::size_t parts : Sizes{1, 3, 16, 64})
      for (const std::size_t slices : Sizes{1, 3, 16}) {
        const Step step(Example(rows, 100, 10).batch, example_weights(100, 10), parts);
        const Reduce reduce{.limits = {rows, 100, 10}, .slices = slices};
        for (std::size_t s = 0; s < slices; s++) {
          SliceSum sum;
          reduce(Slicer{}(step.plan, s, slices), sum);
          EXPECT_LE(sum.sums.size() * sizeof(float) + sum.results.capacity() * sizeof(float*), *reduce.payload_bytes())
              << rows << " rows, " << parts << " parts, slice " << s << " of " << slices;
        }
      }
}

TEST(Reduce, OneNodeIsNotCopied) {
  const Step step(Example(128, 20, 3).batch, example_weights(20, 3), 1);
  SliceSum sum;
  Reduce{}(Slicer{}(step.plan, 1, 2), sum);
  EXPECT_EQ(sum.values, step.plan.nodes[0] + sum.begin);
}

}  // namespace
}  // namespace sluice::stages::testing
