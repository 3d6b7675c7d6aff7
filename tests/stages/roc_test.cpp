#include <sluice/stages/roc.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/stages/example.hpp"

namespace sluice::stages {
namespace {

using testing::Numbers;

struct Row {
  bool of_class;
  float score;
};

RocCounts counted(const std::vector<Row>& rows) {
  RocCounts roc{.classes = 3};
  for (const Row& row : rows) roc.add(1, row.of_class, row.score);
  return roc;
}

// The definition: of all pairs.
double area_of(const std::vector<Row>& rows) {
  double above = 0, pairs = 0;
  for (const Row& a : rows)
    for (const Row& b : rows)
      if (a.of_class && !b.of_class) ++pairs, above += a.score > b.score ? 1 : a.score == b.score ? 0.5 : 0;
  return above / pairs;
}

TEST(RocCounts, TheAreaIsTheShareOfPairsInTheRightOrder) {
  // Of the six pairs four are in the right order, and one is a tie.
  const RocCounts roc = counted({{true, 2}, {true, 0.5f}, {true, -1}, {false, 0.5f}, {false, -2}});
  EXPECT_DOUBLE_EQ(roc.area(1)->value, 4.5 / 6);
  EXPECT_DOUBLE_EQ(roc.area(1)->error, 0.5 / 6);
  EXPECT_EQ(counted({{true, 1}, {false, 0}}).area(1)->value, 1);
  EXPECT_EQ(counted({{true, 1}, {false, 0}}).area(1)->error, 0);
  EXPECT_EQ(counted({{true, 0}, {false, 1}}).area(1)->value, 0);
}

TEST(RocCounts, WhereEveryScoreIsTheSameItIsAHalf) {
  const RocCounts roc = counted({{true, 3}, {false, 3}, {false, 3}});
  EXPECT_EQ(roc.area(1)->value, 0.5);
  EXPECT_EQ(roc.area(1)->error, 0.5);
}

TEST(RocCounts, WithoutRowsOfBothKindsThereIsNoArea) {
  EXPECT_FALSE(RocCounts{.classes = 3}.area(1));
  EXPECT_FALSE(counted({{true, 1}}).area(1));
  EXPECT_FALSE(counted({{false, 1}}).area(1));
  EXPECT_FALSE(counted({{true, 1}, {false, 1}}).area(0));
  EXPECT_FALSE(counted({{true, 1}, {false, 1}}).area(3));
}

TEST(RocCounts, IsWithinItsErrorOfTheDefinition) {
  for (const float spread : {0.001f, 0.01f, 1.f, 20.f, 50.f}) {
    Numbers numbers(7);
    std::vector<Row> rows;
    for (int i = 0; i < 400; ++i) {
      const bool of_class = numbers.whole(3) == 0;
      const float score = numbers.between(-spread, spread) + (of_class ? spread / 4 : 0);
      rows.push_back({of_class, score});
      if (numbers.whole(4) == 0) rows.push_back({!of_class, score});  // a tie
    }
    const RocArea area = *counted(rows).area(1);
    EXPECT_NEAR(area.value, area_of(rows), area.error + 1e-12) << spread;
    if (spread >= 1) {
      EXPECT_LT(area.error, spread > 32 ? 0.06 : 0.01) << spread;
    }
  }
}

// A step is 1/1024, and begins at a multiple of it.
TEST(RocCounts, TellsScoresOfDifferentStepsApart) {
  const float step = 1.f / 1024;
  for (const float at : {-32.f, -31.f, -1.f, 0.f, 1.f, 31.f}) {
    EXPECT_EQ(counted({{true, at + step}, {false, at}}).area(1)->value, 1) << at;
    EXPECT_EQ(counted({{true, at}, {false, at + step}}).area(1)->value, 0) << at;
    EXPECT_EQ(counted({{true, at}, {false, at + step / 2}}).area(1)->value, 0.5) << at;
  }
}

TEST(RocCounts, WhatLiesBeyondIsInTheOutermostSteps) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(counted({{true, 32}, {false, infinity}}).area(1)->value, 0.5);
  EXPECT_EQ(counted({{true, 1e30f}, {false, 31.9995f}}).area(1)->value, 0.5);
  EXPECT_EQ(counted({{true, -33}, {false, -infinity}}).area(1)->value, 0.5);
  EXPECT_EQ(counted({{true, 40}, {false, 31}}).area(1)->value, 1);
  EXPECT_EQ(counted({{true, -31}, {false, std::nanf("")}}).area(1)->value, 1);
}

TEST(RocCounts, CountsAnyNumberOfRowsInAStep) {
  for (const std::size_t many : {65535u, 65536u, 65537u, 200000u}) {
    RocCounts roc{.classes = 3};
    for (std::size_t i = 0; i < many; ++i) roc.add(2, true, 5), roc.add(2, false, 1);
    roc.add(2, false, 9);
    const auto rows = static_cast<double>(many);
    EXPECT_DOUBLE_EQ(roc.area(2)->value, rows / (rows + 1)) << many;
    EXPECT_EQ(roc.area(2)->error, 0);
    EXPECT_EQ(roc.more_[2].empty(), many < 65536);
    EXPECT_FALSE(roc.area(1));
  }
}

TEST(RocCounts, ResetForgetsWhatWasCounted) {
  RocCounts roc = counted({{true, 1}, {false, 0}});
  roc.reset();
  EXPECT_FALSE(roc.area(1));
  roc.add(1, true, 1), roc.add(1, false, 2);
  EXPECT_EQ(roc.area(1)->value, 0);
}

TEST(RocCounts, OfTwoClassesBothHaveTheSameArea) {
  RocCounts roc{.classes = 2};
  roc.add(1, true, 1), roc.add(1, false, 0), roc.add(1, false, 2);
  EXPECT_EQ(roc.area(1)->value, 0.5);
  EXPECT_EQ(roc.area(0)->value, 0.5);
}

TEST(RocCounts, BeyondItsMostClassesNothingIsCounted) {
  EXPECT_TRUE(RocCounts{.classes = 64}.counted());
  EXPECT_FALSE(RocCounts{.classes = 65}.counted());
  EXPECT_FALSE(RocCounts{.classes = 65}.area(0));
}

}  // namespace
}  // namespace sluice::stages
