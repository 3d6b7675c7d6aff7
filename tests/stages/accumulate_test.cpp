#include <sluice/stages/accumulate.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>
#include <vector>

#include <sluice/stages/errors.hpp>

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

TEST(Accumulate, GoesOnFromWhatIsCarriedOver) {
  const std::vector<double> losses = {0.1, 0.2, 0.3, 1e9, 0.7};
  Accumulate whole;
  for (const double loss : losses) whole({.sum = loss, .count = 4}, {.hits = 1, .count = 4});
  for (std::size_t cut = 0; cut <= losses.size(); ++cut) {
    Accumulate first, then;
    for (std::size_t i = 0; i < cut; ++i) first({.sum = losses[i], .count = 4}, {.hits = 1, .count = 4});
    then.carried = first.sums;
    then.reset();
    for (std::size_t i = cut; i < losses.size(); ++i) then({.sum = losses[i], .count = 4}, {.hits = 1, .count = 4});
    for (const char* name : {"loss", "hits", "count"}) EXPECT_EQ(then.sums[name], whole.sums[name]) << cut;
  }
}

TEST(Accumulate, ALossThatIsNotFiniteEndsTheRun) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double loss : {std::numeric_limits<double>::quiet_NaN(), infinity, -infinity}) {
    Accumulate sums;
    sums({.sum = 2.0, .count = 4}, {.hits = 3, .count = 4});
    EXPECT_THROW(sums({.sum = loss, .count = 4}, {.hits = 3, .count = 4}), DivergedError);
    EXPECT_EQ(sums.count(), 4u);
  }
}

}  // namespace
}  // namespace sluice::stages
