#include "stages/accumulate.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace sluice::stages {
namespace {

TEST(Accumulate, KeepsTheSumsAndGivesTheMeans) {
  Accumulate sums;
  sums({.sum = 2.0, .count = 4}, {.hits = 3, .count = 4});
  sums({.sum = 1.0, .count = 2}, {.hits = 0, .count = 2});
  EXPECT_EQ(sums.sums["loss"], 3);
  EXPECT_EQ(sums.sums["hits"], 3);
  EXPECT_EQ(sums.count(), 6u);
  EXPECT_EQ(sums.mean_loss(), 0.5);
  EXPECT_EQ(sums.accuracy(), 0.5);
}

TEST(Accumulate, ResetStartsAnew) {
  Accumulate sums;
  sums({.sum = 2.0, .count = 4}, {.hits = 3, .count = 4});
  sums.reset();
  EXPECT_EQ(sums.count(), 0u);
  EXPECT_EQ(sums.mean_loss(), 0);
  EXPECT_EQ(sums.accuracy(), 0);
}

TEST(Accumulate, LossAndHitsOfDifferentBatchesAreRefused) {
  Accumulate sums;
  EXPECT_THROW(sums({.sum = 2.0, .count = 4}, {.hits = 3, .count = 5}), std::logic_error);
}

}  // namespace
}  // namespace sluice::stages
