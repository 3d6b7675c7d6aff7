#include "apps/job/training.hpp"

#include <gtest/gtest.h>

#include <string>

#include <sluice/stages/data_files.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include "apps/job/data_preparation.hpp"
#include "tests/apps/data.hpp"
#include "tests/apps/program.hpp"

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

// Where the pieces of its files are known.
TEST(Training, AnEpochThatGoesOnDecodesWhatItStillNeeds) {
  if (!stages::decodes_pieces()) GTEST_SKIP() << "built without libdeflate";
  const Folder folder;
  ASSERT_EQ(sluice({"synth", folder.path("data"), "--train", "9000", "--test", "10"}).code, 0);  // 27 pieces
  const Threads threads(2);
  const auto preparation =
      data_preparation(true, stages::find_data_files({.folder = folder.path("data")}), {}, threads);
  const LabelledSet& set = preparation->run().train;
  const TrainingSettings settings{.batch_size = 50, .shuffle_buffer = 300, .keeps_state = true};
  stages::Weights initial, within;
  initial.renew() = stages::random_model(set.shape.pixels(), set.shape.classes, 0);
  Training whole(set, settings, threads, initial);
  whole.run(1);
  ASSERT_EQ(set.known.size(), 1u);
  ASSERT_TRUE(set.known[0]->index());
  stages::Accumulator so_far = stages::Accumulate{}.sums;
  std::size_t step = 0;
  const Metrics expected = whole.run(2, stages::Accumulate{}.sums, [&] {
    if (++step == 120) within = whole.weights(), so_far = whole.sums();  // of 180
  });
  EXPECT_EQ(set.known[0]->skipped(), 0u);
  Training rest(set, settings, threads, within);
  const Metrics metrics = rest.run(2, so_far);
  EXPECT_EQ(stages::weights_sha256(*rest.weights()), stages::weights_sha256(*whole.weights()));
  EXPECT_EQ(metrics.loss, expected.loss);
  EXPECT_GE(set.known[0]->skipped(), 8u) << "of 18 before, but for those of rows in the buffer";
  EXPECT_LE(set.known[0]->skipped(), 18u);
  rest.run(3);
  EXPECT_EQ(set.known[0]->skipped(), 0u);
}

}  // namespace
}  // namespace sluice::apps::testing
