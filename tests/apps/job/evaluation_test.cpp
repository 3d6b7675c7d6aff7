#include "apps/job/evaluation.hpp"

#include <gtest/gtest.h>

#include <sluice/stages/kernels/kernels.hpp>

namespace sluice::apps::testing {
namespace {

// The loss is summed row block by row block: one that is cut would be other bits.
TEST(Evaluation, ABatchIsOfWholeRowBlocksOrSmallerThanOne) {
  for (std::size_t pixels = 1; pixels < 20'000; pixels += pixels < 3000 ? 1 : 97) {
    const std::size_t rows = evaluation_rows(pixels);
    EXPECT_GE(rows, 1u) << pixels;
    if (rows > kernels::row_block) {
      EXPECT_EQ(rows % kernels::row_block, 0u) << pixels;
    }
  }
  EXPECT_EQ(evaluation_rows(784), 512u);
}

}  // namespace
}  // namespace sluice::apps::testing
