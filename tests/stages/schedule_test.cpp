#include <sluice/stages/schedule.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <stdexcept>
#include <string>

namespace sluice::stages::testing {
namespace {

using Kind = Schedule::Kind;

TEST(Schedule, IsConstantByDefault) {
  for (const std::uint64_t step : {0u, 1u, 1000u, 4'000'000'000u}) EXPECT_EQ(rate_factor({}, step), 1);
}

TEST(Schedule, WarmsUpInEqualSteps) {
  for (const Kind kind : {Kind::constant, Kind::linear, Kind::cosine, Kind::step}) {
    const Schedule schedule{.kind = kind, .warmup = 4, .total = 100};
    EXPECT_EQ(rate_factor(schedule, 0), 0.25);
    EXPECT_EQ(rate_factor(schedule, 1), 0.5);
    EXPECT_EQ(rate_factor(schedule, 3), 1);
    EXPECT_EQ(rate_factor(schedule, 4), 1);
  }
}

TEST(Schedule, LinearFallsToZeroOverTheStepsBehindTheWarmup) {
  const Schedule schedule{.kind = Kind::linear, .warmup = 4, .total = 12};
  EXPECT_EQ(rate_factor(schedule, 6), 0.75);
  EXPECT_EQ(rate_factor(schedule, 8), 0.5);
  EXPECT_EQ(rate_factor(schedule, 11), 0.125);
  EXPECT_EQ(rate_factor(schedule, 12), 0);
  EXPECT_EQ(rate_factor(schedule, 1000), 0);
}

TEST(Schedule, CosineIsThatOfTheStandardLibraryToItsLastDigits) {
  for (const std::uint64_t total : {1u, 2u, 3u, 1000u, 99'991u}) {
    const Schedule schedule{.kind = Kind::cosine, .total = total};
    for (std::uint64_t step = 0; step <= total; ++step) {
      const double x = static_cast<double>(step) / static_cast<double>(total);
      ASSERT_NEAR(rate_factor(schedule, step), 0.5 * (1 + std::cos(std::numbers::pi * x)), 4e-16)
          << step << " of " << total;
    }
    EXPECT_EQ(rate_factor(schedule, 0), 1);
    EXPECT_EQ(rate_factor(schedule, total), 0);
    EXPECT_EQ(rate_factor(schedule, total + 1), 0);
  }
  EXPECT_EQ(rate_factor({.kind = Kind::cosine, .warmup = 100, .total = 1000}, 99), 1);
}

TEST(Schedule, CosineNeverRises) {
  const Schedule schedule{.kind = Kind::cosine, .total = 100'003};
  for (std::uint64_t step = 1; step <= 100'003; ++step)
    ASSERT_LE(rate_factor(schedule, step), rate_factor(schedule, step - 1)) << step;
}

// Written down once: another compiler, processor or library gives the same.
TEST(Schedule, HasTheSameBitsEverywhere) {
  const Schedule cosine{.kind = Kind::cosine, .total = 1000};
  EXPECT_EQ(rate_factor(cosine, 1), 0x1.ffffad35340ffp-1);
  EXPECT_EQ(rate_factor(cosine, 333), 0x1.803b6aa646232p-1);
  EXPECT_EQ(rate_factor(cosine, 500), 0x1.0000000000001p-1);
  EXPECT_EQ(rate_factor(cosine, 777), 0x1.e25cbfee84ae1p-4);
  EXPECT_EQ(rate_factor(cosine, 999), 0x1.4b2b2fc02d8d6p-19);
  EXPECT_EQ(rate_factor({.kind = Kind::step, .every = 10, .gamma = 0.9}, 77), 0x1.e9c6a99d1cdc0p-2);
}

TEST(Schedule, StepMultipliesByGammaEverySoManySteps) {
  const Schedule schedule{.kind = Kind::step, .warmup = 2, .every = 5, .gamma = 0.5};
  EXPECT_EQ(rate_factor(schedule, 1), 1);
  EXPECT_EQ(rate_factor(schedule, 4), 1);
  EXPECT_EQ(rate_factor(schedule, 5), 0.5);
  EXPECT_EQ(rate_factor(schedule, 14), 0.25);
  EXPECT_EQ(rate_factor(schedule, 15), 0.125);
}

TEST(Schedule, StepsAreAThirdOfTheTrainingUnlessSaid) {
  for (const std::uint64_t total : {10u, 11u, 12u}) {
    const Schedule schedule{.kind = Kind::step, .total = total, .gamma = 0.5};
    EXPECT_EQ(rate_factor(schedule, 3), 1);
    EXPECT_EQ(rate_factor(schedule, 4), 0.5);
    EXPECT_EQ(rate_factor(schedule, 7), 0.5);
    EXPECT_EQ(rate_factor(schedule, 8), 0.25);
  }
}

std::string refusal(const Schedule& schedule) {
  try {
    check(schedule);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(Schedule, WhatCannotBeIsRefusedByItsName) {
  EXPECT_EQ(refusal({}), "");
  EXPECT_EQ(refusal({.warmup = 1000}), "");
  EXPECT_EQ(refusal({.kind = Kind::cosine, .warmup = 9, .total = 10}), "");
  EXPECT_EQ(refusal({.kind = Kind::step, .every = 10}), "");
  EXPECT_EQ(refusal({.warmup = 10, .total = 10}), "warmup: 10 steps, expected fewer than the 10 in total");
  for (const Kind kind : {Kind::linear, Kind::cosine, Kind::step})
    EXPECT_EQ(refusal({.kind = kind}),
              "total: 0 steps, expected at least 1: the schedule of the rate needs their number");
  for (const double gamma : {0.0, -1.0, 1.5, static_cast<double>(NAN)})
    EXPECT_NE(refusal({.gamma = gamma}).find("expected a number above 0, at most 1"), std::string::npos) << gamma;
}

}  // namespace
}  // namespace sluice::stages::testing
