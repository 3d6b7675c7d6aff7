#include <sluice/stages/confusion.hpp>

#include <gtest/gtest.h>

#include <map>
#include <stdexcept>
#include <utility>

#include "tests/stages/example.hpp"

namespace sluice::stages {
namespace {

using testing::Numbers;
using testing::Sizes;
using Pairs = std::vector<Confusion::Pair>;

// Rows of a batch from `first` on, and what was predicted for them.
Scored scored(const Batch& batch, std::size_t first, const std::vector<std::uint16_t>& predicted) {
  Scored out;
  out.shard = {.batch = &batch, .first_row = first, .rows = predicted.size()};
  out.predicted.resize(predicted.size());
  for (std::size_t i = 0; i < predicted.size(); ++i) out.predicted[i] = predicted[i];
  return out;
}

Batch labelled(const std::vector<std::uint16_t>& labels) {
  Batch batch;
  batch.labels = labels;
  batch.rows.resize(labels.size());
  return batch;
}

TEST(Confusion, CountsPairsOfLabelAndPrediction) {
  const Batch batch = labelled({0, 1, 1, 2, 1});
  for (const std::size_t classes : Sizes{3, 256, 257, 65536}) {
    Confusion confusion{.classes = classes};
    confusion(scored(batch, 0, {0, 2, 2}));
    confusion(scored(batch, 3, {0, 1}));
    EXPECT_EQ(confusion.pairs(), (Pairs{{0, 0, 1}, {1, 1, 1}, {1, 2, 2}, {2, 0, 1}})) << classes;
    EXPECT_EQ(confusion.at(1, 2), 2u);
    EXPECT_EQ(confusion.at(2, 1), 0u);
  }
}

TEST(Confusion, AgreesWithAMapOfPairsWhateverTheNumberOfClasses) {
  for (const std::uint32_t classes : {2u, 10u, 256u, 257u, 1000u, 65536u}) {
    Numbers numbers(classes);
    Confusion confusion{.classes = classes};
    std::map<std::pair<std::uint16_t, std::uint16_t>, std::uint64_t> expected;
    for (int i = 0; i < 5000; ++i) {
      const std::uint32_t few = numbers.whole(2) ? classes : std::min(classes, 5u);  // some pairs occur often
      const auto label = static_cast<std::uint16_t>(numbers.whole(few));
      const auto predicted = static_cast<std::uint16_t>(numbers.whole(few));
      confusion.add(label, predicted);
      ++expected[{label, predicted}];
    }
    Pairs pairs;
    for (const auto& [pair, count] : expected) {
      pairs.push_back({pair.first, pair.second, count});
      EXPECT_EQ(confusion.at(pair.first, pair.second), count);
    }
    EXPECT_EQ(confusion.pairs(), pairs) << classes;
  }
}

TEST(Confusion, TheLargestClassesAreCountedToo) {
  Confusion confusion{.classes = 65536};
  confusion.add(65535, 65535);
  confusion.add(65535, 0);
  confusion.add(0, 65535);
  EXPECT_EQ(confusion.pairs(), (Pairs{{0, 65535, 1}, {65535, 0, 1}, {65535, 65535, 1}}));
}

TEST(Confusion, WithoutImagesNothingIsCounted) {
  for (const std::size_t classes : Sizes{2, 300}) {
    Confusion confusion{.classes = classes};
    confusion(scored(labelled({}), 0, {}));
    EXPECT_TRUE(confusion.pairs().empty());
    EXPECT_EQ(confusion.at(1, 1), 0u);
  }
}

TEST(Confusion, ResetForgetsWhatWasCounted) {
  for (const std::size_t classes : Sizes{2, 300}) {
    Confusion confusion{.classes = classes};
    confusion.add(1, 1);
    confusion.reset();
    EXPECT_TRUE(confusion.pairs().empty());
    confusion.add(1, 0);
    EXPECT_EQ(confusion.pairs(), (Pairs{{1, 0, 1}}));
  }
}

TEST(Confusion, WhatDoesNotFitIsRefused) {
  for (const std::size_t classes : Sizes{2, 300}) {
    Confusion confusion{.classes = classes};
    EXPECT_THROW(confusion.add(classes, 0), std::out_of_range);
    EXPECT_THROW(confusion.add(0, classes), std::out_of_range);
    EXPECT_EQ(confusion.at(classes, 0), 0u);
    EXPECT_THROW(confusion(scored(labelled({}), 0, {1})), std::invalid_argument);
  }
}

TEST(Confusion, OfShardsIsThatOfTheBatch) {
  const testing::Example example(300, 20, 3);
  const Weights weights = testing::example_weights(20, 3);
  Confusion whole{.classes = 3}, cut{.classes = 3};
  for (const Scored& scored : testing::Step(example.batch, weights, 1).scored) whole(scored);
  for (const Scored& scored : testing::Step(example.batch, weights, 4).scored) cut(scored);
  EXPECT_EQ(cut.pairs(), whole.pairs());
  EXPECT_GE(whole.pairs().size(), 3u);
}

}  // namespace
}  // namespace sluice::stages
