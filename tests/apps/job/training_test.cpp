#include "apps/job/training.hpp"

#include <gtest/gtest.h>

#include <string>

#include <sluice/stages/data_files.hpp>
#include "apps/job/data_preparation.hpp"
#include "tests/apps/data.hpp"

namespace sluice::apps::testing {
namespace {

// Whatever the weights are that it begins with.
TEST(Training, TheOrderOfTheRowsFollowsFromTheSeed) {
  const SmallData data;
  const Threads threads(2);
  for (const bool stream : {false, true}) {
    const auto preparation =
        data_preparation(stream, stages::find_data_files({.folder = data.folder().path()}), {}, threads);
    const LabelledSet& set = preparation->run().train;
    const auto trained = [&](std::uint64_t seed) {
      stages::Weights initial;
      initial.renew() = stages::random_model(set.shape.pixels(), set.shape.classes, 0);
      Training training(set, {.batch_size = 50, .seed = seed}, threads, initial);
      training.run(1);
      return stages::weights_sha256(*training.weights());
    };
    EXPECT_EQ(trained(1), trained(1)) << stream;
    EXPECT_NE(trained(1), trained(2)) << stream;
  }
}

}  // namespace
}  // namespace sluice::apps::testing
