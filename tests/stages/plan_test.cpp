#include <sluice/stages/plan.hpp>

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "tests/stages/example.hpp"

namespace sluice::stages::testing {
namespace {

TEST(Plan, CarriesTheHandleOfTheWeightsAndTheRowsOfTheBatch) {
  const Weights weights = example_weights(20, 3);
  const Step step(Example(300, 20, 3).batch, weights, 4);
  EXPECT_EQ(step.plan.weights.get(), weights.get());
  EXPECT_EQ(step.plan.rows, 300u);
}

TEST(Plan, KeepsWhatTheNodesLieInUntilItIsGivenTheNextBatch) {
  const Step step(Example(300, 20, 3).batch, example_weights(20, 3), 4);
  ASSERT_EQ(step.plan.partials.size(), 4u);
  for (const Shared<PartialGradient>& partial : step.plan.partials) EXPECT_FALSE(partial.unique());
  GradientPlan again;
  Plan planner;
  planner(group_of(step.partial), again);
  planner(group_of(std::vector(1, step.partial[0])), again);
  EXPECT_EQ(again.partials.size(), 1u);
}

TEST(Plan, ShardsWithoutRowsAreLeftOut) {
  const Step step(Example(64, 20, 3).batch, example_weights(20, 3), 9);
  EXPECT_EQ(step.plan.partials.size(), 1u);
  EXPECT_EQ(step.plan.nodes.size(), 1u);
  EXPECT_TRUE(step.plan.additions.empty());
}

TEST(Plan, ABatchWithoutRowsIsRefused) {
  EXPECT_THROW(Step(Example(0, 20, 3).batch, example_weights(20, 3), 2), std::invalid_argument);
}

TEST(Plan, UsesModelsAgainThatNobodyHolds) {
  const Step step(Example(64, 20, 3).batch, example_weights(20, 3), 1);
  Plan planner;
  GradientPlan nodes;
  std::set<const Model*> models;
  Weights held;
  for (int i = 0; i < 10; i++) {
    planner(group_of(step.partial), nodes);
    EXPECT_NE(nodes.next.get(), held.get());
    held = nodes.next;
    models.insert(nodes.to);
    EXPECT_EQ(nodes.to, nodes.next.get());
  }
  EXPECT_EQ(models.size(), 2u);
}

}  // namespace
}  // namespace sluice::stages::testing
