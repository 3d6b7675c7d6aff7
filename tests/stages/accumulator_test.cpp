#include <sluice/stages/accumulator.hpp>

#include <gtest/gtest.h>

#include <stdexcept>

namespace sluice::stages {
namespace {

TEST(Accumulator, StartsAtZeroAndSumsEachQuantity) {
  Accumulator metric(2);
  EXPECT_EQ(metric[0], 0);
  metric.add({1, 2});
  metric.add({10, 0.5});
  EXPECT_EQ(metric[0], 11);
  EXPECT_EQ(metric[1], 2.5);
}

TEST(Accumulator, QuantitiesCanBeReadByTheirNames) {
  Accumulator metric{"hits", "rows"};
  metric.add({1, 2});
  EXPECT_EQ(metric["hits"] / metric["rows"], 0.5);
  EXPECT_EQ(metric[1], 2);
}

TEST(Accumulator, ResetSetsAllSumsToZero) {
  Accumulator metric{"hits", "rows"};
  metric.add({1, 2});
  metric.reset();
  EXPECT_EQ(metric["hits"], 0);
  EXPECT_EQ(metric["rows"], 0);
}

TEST(Accumulator, MergeAddsTheSumsOfAnother) {
  Accumulator a{"hits", "rows"}, b{"hits", "rows"};
  a.add({1, 2});
  b.add({10, 20});
  a.merge(b);
  EXPECT_EQ(a["hits"], 11);
  EXPECT_EQ(a["rows"], 22);
  EXPECT_EQ(b["rows"], 20);
}

TEST(Accumulator, WhatDoesNotFitIsRefused) {
  Accumulator metric{"hits", "rows"};
  EXPECT_THROW(metric.add({1}), std::invalid_argument);
  EXPECT_THROW(metric.merge(Accumulator{"loss", "rows"}), std::invalid_argument);
  EXPECT_THROW(metric[2], std::out_of_range);
  try {
    metric["loss"];
    FAIL();
  } catch (const std::out_of_range& error) {
    EXPECT_NE(std::string(error.what()).find("hits, rows"), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice::stages
