#include <sluice/stages/slice.hpp>

#include <gtest/gtest.h>

#include "tests/stages/example.hpp"

namespace sluice::stages::testing {
namespace {

TEST(Slicer, SlicesAreRunsOfWholeCacheLinesThatCoverTheGradientOnce) {
  const Step step(Example(64, 100, 10).batch, example_weights(100, 10), 1);
  ASSERT_EQ(step.plan.size, 71 * 16u);
  for (const std::size_t parts : Sizes{1, 2, 3, 7, 16, 71, 100}) {
    std::size_t at = 0, least = 71, most = 0;
    for (std::size_t part = 0; part < parts; part++) {
      const Slice slice = Slicer{}(step.plan, part, parts);
      EXPECT_EQ(slice.of, &step.plan);
      EXPECT_EQ(slice.begin, at);
      EXPECT_EQ((slice.end - slice.begin) % 16, 0u);
      at = slice.end;
      const std::size_t lines = (slice.end - slice.begin) / 16;
      least = std::min(least, lines), most = std::max(most, lines);
    }
    EXPECT_EQ(at, step.plan.size);
    EXPECT_LE(most - least, 1u);
  }
}

TEST(Gather, GivesTheModelThatTheSlicesWereWrittenTo) {
  const Step step(Example(64, 20, 3).batch, example_weights(20, 3), 1, 3);
  EXPECT_EQ(step.next.get(), step.plan.to);
  EXPECT_NE(step.next.get(), step.plan.weights.get());
}

}  // namespace
}  // namespace sluice::stages::testing
