#include "apps/job/state.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include <sluice/stages/errors.hpp>
#include "apps/job/checkpoint.hpp"
#include "apps/job/file_stamps.hpp"
#include "tests/support/files.hpp"

namespace sluice::apps::testing {
namespace {

using test::expect_error;
using test::Folder;

stages::Weights weights(std::uint64_t seed) {
  stages::Weights all;
  all.renew() = stages::random_model(6, 3, seed);
  return all;
}

std::string sha(const stages::Weights& weights) {
  return stages::weights_sha256(*weights);
}

// In the second epoch, after 200 of its 500 rows, which come from files whose checksum has not been read.
TrainingState doubtful() {
  TrainingState s;
  s.weights = weights(1);
  s.sums.add({350, 250, 500});
  s.complete_epoch({0.6, 0.9, 100});
  s.epoch_start = s.weights;
  s.sound = false;
  stages::Accumulator sums = s.sums;
  sums.add({90, 150, 200});
  s.advance(sums, weights(2), 0.25);
  return s;
}

TEST(TrainingState, HasAnEpochCompleteWithTheMeansOfItsRows) {
  const TrainingState s = doubtful();
  ASSERT_EQ(s.epochs.size(), 1u);
  EXPECT_EQ(s.epochs[0].number, 1u);
  EXPECT_EQ(s.epochs[0].train.loss, 0.7);
  EXPECT_EQ(s.epochs[0].train.accuracy, 0.5);
  EXPECT_EQ(s.epochs[0].test.count, 100u);
  EXPECT_EQ(s.epoch(), 2u);
  EXPECT_EQ(s.rows(), 200u);
}

TEST(TrainingPlan, KnowsTheRowsBehindStepsOfWhichTheLastIsShort) {
  const TrainingPlan plan{.batch_size = 100, .train_images = 450};
  EXPECT_EQ(plan.steps(450), 5u);
  EXPECT_EQ(plan.rows_after(0, 4), 400u);
  EXPECT_EQ(plan.rows_after(200, 2), 400u);
  EXPECT_EQ(plan.rows_after(0, 5), 450u);
  EXPECT_EQ(plan.rows_after(400, 1), 450u);
}

// Before the first step of an epoch nothing of it could be wrong.
TEST(TrainingState, IsDoubtfulOnlyWithRowsOfAnEpochThatMayBeDamaged) {
  TrainingState s = doubtful();
  EXPECT_TRUE(s.doubtful());
  s.begin_epoch_again();
  s.sound = false;
  s.epoch_start = s.weights;
  EXPECT_EQ(s.rows(), 0u);
  EXPECT_FALSE(s.doubtful());
  s = doubtful();
  s.sound = true;
  EXPECT_FALSE(s.doubtful());
}

TEST(TrainingState, BeginsAnEpochAgainWithTheWeightsBeforeIt) {
  TrainingState s = doubtful();
  const std::uint64_t changes = s.changes;
  s.begin_epoch_again();
  EXPECT_EQ(sha(s.weights), sha(weights(1)));
  EXPECT_EQ(s.epoch(), 2u);
  EXPECT_EQ(s.rows(), 0u);
  EXPECT_EQ(s.sums["loss"], 0);
  EXPECT_EQ(s.seconds, 0);
  EXPECT_FALSE(s.doubtful());
  EXPECT_NE(s.changes, changes);
}

TEST(TrainingState, IsTheSameBehindACheckpoint) {
  const Folder folder;
  const TrainingState before = doubtful();
  save(folder.path("c"), {.job = {{"--lr", 0.1}}, .state = before, .files = "as they were"},
       stages::Replacement::Older::kept);
  const Checkpoint c = load_checkpoint(folder.path("c"));
  EXPECT_EQ(c.files, "as they were");
  EXPECT_TRUE(c.state.doubtful());
  EXPECT_EQ(sha(c.state.weights), sha(before.weights));
  EXPECT_EQ(sha(c.state.epoch_start), sha(before.epoch_start));
  EXPECT_EQ(c.state.rows(), 200u);
  EXPECT_EQ(c.state.seconds, 0.25);
}

TEST(RunState, SaysWhereItIs) {
  RunState run{.plan = {.epochs = 3, .batch_size = 150, .train_images = 500}};
  EXPECT_EQ(run.place(), "before the first step");
  run.training = doubtful();
  EXPECT_EQ(run.place(), "after step 2 of 4 in epoch 2 of 3");
  run.training.begin_epoch_again();
  EXPECT_EQ(run.place(), "after epoch 1 of 3");
  EXPECT_FALSE(run.complete());
  run.plan.epochs = 1;
  EXPECT_TRUE(run.complete());
}

TEST(FileStamps, TellAFileThatWasWrittenFromOneThatGotOtherRights) {
  const Folder folder;
  const std::string path = folder.write("images", "123");
  FileStamps stamps;
  stamps.add(path);
  std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  stamps.check_unchanged();
  std::filesystem::remove(path);
  folder.write("images", "1234");
  const std::string text = expect_error<stages::DataError>([&] { stamps.check_unchanged(); }, {path});
  EXPECT_NE(text.find("is not as it was when the run began"), std::string::npos) << text;
}

TEST(FileStamps, LastFromOneRunToTheNextUnlessAFileIsAnother) {
  const Folder folder;
  const std::string path = folder.write("images", "123");
  const auto lasting = [&] {
    FileStamps stamps;
    stamps.add(path);
    return stamps.lasting();
  };
  const std::string before = lasting();
  EXPECT_EQ(lasting(), before);
  folder.write("images", "1234");
  EXPECT_NE(lasting(), before);
}

}  // namespace
}  // namespace sluice::apps::testing
