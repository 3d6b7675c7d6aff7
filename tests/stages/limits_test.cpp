#include <sluice/stages/limits.hpp>

#include <gtest/gtest.h>

#include <optional>

#include <stdexcept>

#include "tests/stages/example.hpp"

namespace sluice::stages::testing {
namespace {

TEST(Limits, UnknownLimitsAllowEverything) {
  EXPECT_NO_THROW(Limits{}.check(1000, 1000, 1000));
}

TEST(Limits, WhatExceedsAStatedLimitIsRefused) {
  const Limits limits{.rows = 64, .pixels = 784, .classes = 10};
  EXPECT_NO_THROW(limits.check(64, 784, 10));
  EXPECT_THROW(limits.check(65, 784, 10), std::length_error);
  EXPECT_THROW(limits.check(64, 785, 10), std::length_error);
  EXPECT_THROW(limits.check(64, 784, 11), std::length_error);
}

TEST(Limits, StagesRefuseShardsBeyondThem) {
  const Example example(65, 20, 3);
  const Work work(example.batch, example_weights(20, 3));
  Scored scored;
  EXPECT_THROW((SoftmaxForward{.limits = {.rows = 64, .pixels = 20, .classes = 3}}(Sharder{}(work, 0, 1), scored)),
               std::length_error);
}

TEST(Limits, NoPayloadIsLargerThanStated) {
  for (const std::size_t rows : Sizes{1, 64, 65, 256, 300, 1000}) {
    const Limits limits{.rows = rows, .pixels = 17, .classes = 3};
    const Example example(rows, 17, 3);
    const Step step(example.batch, example_weights(17, 3), 1);
    const Scored& scored = step.scored[0];
    EXPECT_LE((scored.delta.size() + scored.label_logit.size() + scored.exp_sum.size()) * sizeof(float) +
                  scored.predicted.size() * sizeof(std::uint16_t),
              SoftmaxForward{.limits = limits}.payload_bytes());
    const PartialGradient& partial = *step.partial[0];
    EXPECT_LE(sizeof partial + partial.values.size() * sizeof(float) + partial.nodes.capacity() * sizeof(BlockNode),
              SoftmaxGradient{.limits = limits}.payload_bytes());
    const GradientPlan& plan = step.plan;
    Plan planner;
    planner.limits = limits;
    EXPECT_LE(sizeof(Model) + (step.next->weights.capacity() + step.next->bias.capacity()) * sizeof(float) +
                  plan.partials.capacity() * sizeof(plan.partials[0]) + plan.nodes.capacity() * sizeof(plan.nodes[0]) +
                  plan.additions.capacity() * sizeof(Addition),
              planner.payload_bytes());
  }
}

TEST(Limits, WithoutThemNothingIsStated) {
  EXPECT_EQ(SoftmaxForward{}.payload_bytes(), std::nullopt);
  EXPECT_EQ(SoftmaxGradient{}.payload_bytes(), std::nullopt);
  EXPECT_EQ(Reduce{}.payload_bytes(), std::nullopt);
  EXPECT_EQ(Plan{}.payload_bytes(), std::nullopt);
}

}  // namespace
}  // namespace sluice::stages::testing
