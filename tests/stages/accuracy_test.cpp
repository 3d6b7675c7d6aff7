#include <sluice/stages/accuracy.hpp>

#include <gtest/gtest.h>

#include "tests/stages/example.hpp"

namespace sluice::stages::testing {
namespace {

TEST(Accuracy, CountsTheRowsWhosePredictionIsTheirLabel) {
  Batch batch;
  batch.labels = {1, 2, 0, 2};
  Scored scored;
  scored.shard = {.batch = &batch, .first_row = 1, .rows = 3};
  scored.predicted.resize(3);
  scored.predicted[0] = 2, scored.predicted[1] = 1, scored.predicted[2] = 2;
  const BatchHits hits = Accuracy{}(scored);
  EXPECT_EQ(hits.hits, 2u);
  EXPECT_EQ(hits.count, 3u);
}

TEST(Accuracy, TheHitsOfShardsAddUpToThoseOfTheBatch) {
  const Example example(300, 20, 3);
  const Weights weights = example_weights(20, 3);
  const Step whole(example.batch, weights, 1), cut(example.batch, weights, 4);
  EXPECT_EQ(Accuracy{}(group_of(cut.scored)).hits, Accuracy{}(whole.scored[0]).hits);
  EXPECT_EQ(Accuracy{}(group_of(cut.scored)).count, 300u);
}

}  // namespace
}  // namespace sluice::stages::testing
