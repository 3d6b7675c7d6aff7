#include "apps/job/checkpoint.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <regex>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/model_file.hpp>
#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"
#include "tests/support/files.hpp"

namespace sluice::apps::testing {
namespace {

using test::contents_of;
using test::expect_error;

bool exists(const std::string& path) {
  struct stat unused {};
  return ::stat(path.c_str(), &unused) == 0;
}

// A job of two epochs of five steps each, and where its checkpoint is.
class Checkpoints : public ::testing::Test {
 protected:
  Arguments job(const Arguments& more = {}) const { return data.train() + Arguments{"--checkpoint", file} + more; }
  Arguments epochs(int n, const Arguments& more = {}) const {
    return Arguments{"train",           "--data",       data.folder().path(),
                     "--batch-size",    "100",          "--epochs",
                     std::to_string(n), "--checkpoint", file} +
           more;
  }
  // A checkpoint within the second epoch.
  std::string within_second() const {
    const std::string path = data.path("within");
    trained(data.train() + Arguments{"--checkpoint", path, "--checkpoint-every", "9"});  // of ten steps
    EXPECT_EQ(load_checkpoint(path + ".previous").state.rows(), 400u);
    return path + ".previous";
  }
  void damage(const std::string& path) const {
    std::string bytes = contents_of(path);
    ASSERT_FALSE(bytes.empty()) << path;
    bytes[bytes.size() - 3] = static_cast<char>(bytes[bytes.size() - 3] ^ 1);  // in the last number of the bias
    std::ofstream(path, std::ios::binary) << bytes;
  }

  const SmallData data;
  const std::string file = data.path("run.safetensors"), previous = file + ".previous";
};

TEST_F(Checkpoints, OfAFinishedJobEndTheNextRunWithItsResult) {
  const json whole = trained(job());
  const std::string after = contents_of(file);
  const Result again = sluice(job({"--json"}));
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(line_with(again.err, "sluice: "),
            "sluice: " + file + ": this job is finished: more --epochs would go on from there");
  EXPECT_EQ(results_of(parsed_json(again.out)), results_of(whole));
  EXPECT_EQ(contents_of(file), after);
  // Written out as any other.
  EXPECT_EQ(trained(job({"--output", data.path("m")}))["weights_sha256"], whole["weights_sha256"]);
  EXPECT_EQ(whole["weights_sha256"], stages::weights_sha256(stages::load_model(data.path("m")).model));
}

TEST_F(Checkpoints, AreModelsThatOtherToolsRead) {
  const json whole = trained(job());
  const stages::StoredModel stored = stages::load_model(file);
  EXPECT_TRUE(stored.checked);
  EXPECT_EQ(whole["weights_sha256"], stages::weights_sha256(stored.model));
  EXPECT_EQ(stored.metadata.at("sluice.checkpoint"), "1");
}

TEST_F(Checkpoints, AreOfTheSameBitsAsARunWithoutThem) {
  const json whole = trained(data.train());
  EXPECT_EQ(results_of(trained(job({"--checkpoint-every", "1"}))), results_of(whole));
  EXPECT_EQ(results_of(trained(job({"--checkpoint-every", "3", "--resume", "no"}))), results_of(whole));
  EXPECT_EQ(results_of(trained(job({"--checkpoint-every", "2e", "--resume", "no"}))), results_of(whole));
}

TEST_F(Checkpoints, MoreEpochsGoOnWhereTheJobEnded) {
  trained(epochs(2));
  const json longer = trained(epochs(5, {"--threads", "3"}));
  EXPECT_EQ(longer["resumed"]["epoch"], 2);
  trained(epochs(5, {"--resume", "no"}));
  EXPECT_EQ(results_of(longer), results_of(trained(epochs(5))));
  const Result fewer = sluice(epochs(3));
  EXPECT_EQ(fewer.code, 2);
  EXPECT_TRUE(contains(fewer.err, "--epochs 3: " + file + " is of epoch 5")) << fewer.err;
}

// Steps 5 to 9 of ten, each by the checkpoint before the last.
TEST_F(Checkpoints, OfEveryOptimiserGoOnFromEveryStep) {
  for (const Arguments& flags : {Arguments{"--optimizer", "momentum", "--schedule", "step", "--weight-decay", "0.01"},
                                 {"--optimizer", "nesterov", "--schedule", "linear", "--warmup", "3"},
                                 {"--optimizer", "adam", "--schedule", "cosine", "--class-weight", "balanced"},
                                 {"--optimizer", "adamw", "--weight-decay", "0.1", "--average", "0.7"},
                                 {"--validation", "0.2", "--keep", "best", "--average", "0.2"}}) {
    const json whole = results_of(trained(data.train() + flags));
    for (const char* steps : {"5", "6", "7", "8", "9"}) {
      const Arguments kept{"--checkpoint", data.path("steps"), "--checkpoint-every", steps, "--resume", "no"};
      EXPECT_EQ(results_of(trained(data.train() + flags + kept)), whole) << flags[1] << steps;
      const json resumed =
          trained(data.train() + flags +
                  Arguments{"--resume", data.path("steps.previous"), "--threads", "3", "--output", data.path("m")});
      EXPECT_EQ(results_of(resumed), whole) << flags[1] << steps;
      EXPECT_EQ(resumed["weights_sha256"], stages::weights_sha256(stages::load_model(data.path("m")).model));
    }
  }
}

TEST_F(Checkpoints, OfASchedulesJobHoldItsEpochs) {
  trained(epochs(2, {"--schedule", "cosine"}));
  const Result r = sluice(epochs(3, {"--schedule", "cosine"}));
  EXPECT_EQ(r.code, 2);
  EXPECT_TRUE(contains(r.err, "is of another job: --epochs is 3, there it was 2")) << r.err;
  const Result again = sluice(epochs(2, {"--schedule", "cosine"}));
  EXPECT_TRUE(contains(again.err, "this job is finished\n")) << again.err;
}

TEST_F(Checkpoints, OfARunOutOfPatienceGoOnWithMore) {
  const Arguments flags{"--lr", "50", "--validation", "0.2", "--keep", "best", "--patience"};
  const json first = trained(epochs(30, flags + Arguments{"1"}));
  ASSERT_LT(first["epochs"].size(), 30u);
  EXPECT_EQ(results_of(trained(epochs(30, flags + Arguments{"1"}))), results_of(first));
  const json more = trained(epochs(30, flags + Arguments{"2"}));
  EXPECT_GT(more["epochs"].size(), first["epochs"].size());
  EXPECT_EQ(results_of(more), results_of(trained(epochs(30, flags + Arguments{"2", "--resume", "no"}))));
}

// What a run that ended there would come to.
TEST_F(Checkpoints, AreEvaluatedAsWhatTheirRunIsTestedBy) {
  for (const Arguments& flags : {Arguments{"--average", "0.5"}, {"--validation", "0.2", "--keep", "best"}}) {
    const json whole = trained(job(flags + Arguments{"--resume", "no", "--lr", "2"}));
    const json test = parsed_json(sluice({"eval", "--model", file, "--data", data.folder().path(), "--json"}).out);
    EXPECT_EQ(test["accuracy"], whole["test_accuracy"]);
    EXPECT_EQ(test["loss"], whole["test_loss"]);
  }
}

TEST_F(Checkpoints, WithoutWhatTheOptimiserKeepsAreRefused) {
  trained(job({"--optimizer", "adam"}));
  const stages::StoredModel stored = stages::load_model(file);
  stages::Model model = stored.model;
  model.moments[1].clear();
  stages::save_model(file, model, stored.metadata);
  const Result r = sluice(job({"--optimizer", "adam"}));
  EXPECT_EQ(r.code, 3);
  EXPECT_TRUE(contains(r.err, file + ": has not what --optimizer adam keeps")) << r.err;
}

// Epochs that an earlier run began are not among those that it completed.
TEST_F(Checkpoints, WithinAnEpochGoOnWithAsManyEpochsOfEarlierRunsAsWereComplete) {
  trained(job({"--checkpoint-every", "1"}));
  // The version before is of the last step but one, in the second epoch.
  const Result r = sluice(epochs(3, {"--quiet", "--resume", "auto"}));
  EXPECT_TRUE(contains(r.out, "3 epochs, 2 of them in earlier runs,")) << r.out << r.err;
  const std::string other = data.path("other");
  const Result within = sluice(data.train() + Arguments{"--quiet", "--resume", within_second(), "--checkpoint", other});
  EXPECT_TRUE(contains(within.out, "2 epochs, 1 of them in earlier runs,")) << within.out << within.err;
}

TEST_F(Checkpoints, KeepTheOneBefore) {
  trained(epochs(1));
  EXPECT_FALSE(exists(previous));
  const std::string first = contents_of(file);
  trained(epochs(2));
  EXPECT_EQ(contents_of(previous), first);
  EXPECT_EQ(load_checkpoint(previous).state.epochs.size(), 1u);
  EXPECT_EQ(load_checkpoint(file).state.epochs.size(), 2u);
}

TEST_F(Checkpoints, OfAnotherJobAreRefusedWithWhatDiffers) {
  trained(job());
  const std::string before = contents_of(file);
  const auto refused = [&](const Arguments& arguments, int code, const std::string& what) {
    const Result r = sluice(arguments);
    EXPECT_EQ(r.code, code) << what;
    EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
    EXPECT_TRUE(contains(r.err, file + ": is of another job: " + what)) << r.err;
    EXPECT_TRUE(contains(r.err, "--resume no")) << r.err;
    EXPECT_EQ(contents_of(file), before);
  };
  refused(job({"--lr", "0.2"}), 2, "--lr is 0.2, there it was 0.1");
  refused(job({"--seed", "7"}), 2, "--seed is 7, there it was 0");
  refused(Arguments{"train", "--data", data.folder().path(), "--batch-size", "50", "--epochs", "2", "--checkpoint",
                    file, "--seed", "1"},
          2, "--batch-size is 50, there it was 100; --seed is 1, there it was 0");
  refused(job({"--classes", "4"}), 2, "--classes is 4, there it was 3");
  refused(job({"--scale", "1/100"}), 2, "--scale is 1/100, there it was 1/255");
  const std::string images = pixel_bytes(train_count, 1), others = pixel_bytes(test_count, 2);
  const auto of_another = [](std::string pixels) {
    pixels[17] = static_cast<char>(pixels[17] ^ 1);
    return test::idx_images(pixels, rows, columns);
  };
  const auto with_another = [](std::size_t count) {
    std::vector<std::uint8_t> labels = label_bytes(count);
    labels[17] = static_cast<std::uint8_t>((labels[17] + 1) % classes);
    return test::idx_labels(labels);
  };
  for (const auto& [flag, name, contents] :
       {std::tuple{"--train-images", "train-images-idx3-ubyte.gz", of_another(images)},
        {"--train-labels", "train-labels-idx1-ubyte.gz", with_another(train_count)},
        {"--test-images", "t10k-images-idx3-ubyte.gz", of_another(others)},
        {"--test-labels", "t10k-labels-idx1-ubyte.gz", with_another(test_count)}}) {
    const std::string sound = contents_of(data.path(name));
    data.folder().write(name, test::gzip(contents));
    refused(job(), 3, std::string(flag) + " has other contents (sha256 ");
    data.folder().write(name, sound);
  }
}

// A new flag fails here until it is said whether it decides the result.
TEST_F(Checkpoints, HoldEveryFlagThatDecidesTheResult) {
  trained(job({"--stream"}));
  std::set<std::string> known{"--data",
                              "--decoder",
                              "--checkpoint",
                              "--checkpoint-every",
                              "--resume",
                              "--threads",
                              "--concurrency",
                              "--capacity",
                              "--shards",
                              "--isa",
                              "--exchange",
                              "--exchange-timeout",
                              "--one-copy",
                              "--output",
                              "--json",
                              "--quiet",
                              "--progress",
                              "--log-format",
                              "--profile",
                              "--trace",
                              "--no-progress",
                              "--trace-steps",
                              "--picture",
                              "--report",
                              "--class-names",
                              "--dump-flags",
                              "--no-env",
                              "--help",
                              "--no-index",
                              "--index-cache",
                              "--decoder-memory",
                              "--train",
                              "--test",
                              "--preset",
                              "--patience",
                              "--validation-images",
                              "--validation-labels"};
  const Checkpoint c = load_checkpoint(file);
  for (const auto& [flag, value] : c.job.items()) EXPECT_TRUE(known.insert(flag).second) << flag;
  std::set<std::string> all;
  const std::regex declared("^  (?:-[a-z], )?(--[a-z0-9-]+)");
  std::smatch flag;
  for (const std::string& line : lines(sluice({"train", "--help"}).out))
    if (std::regex_search(line, flag, declared)) all.insert(flag[1]);
  EXPECT_EQ(all, known);
}

TEST_F(Checkpoints, GoOnWithTheSameDataCompressedOtherwise) {
  const json whole = trained(epochs(2));
  const std::string images = train_images();
  data.folder().write("train-images-idx3-ubyte.gz",
                      test::gzip(images.substr(0, 1000)) + test::gzip(images.substr(1000)));
  const json longer = trained(epochs(3));
  EXPECT_EQ(longer["resumed"]["epoch"], 2);
}

TEST_F(Checkpoints, ThatAreDamagedFallBackToTheOneBefore) {
  const json whole = trained(data.train());
  trained(job());
  damage(file);
  const std::string sound = contents_of(previous);
  const Result r = sluice(job({"--json"}));
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_TRUE(contains(r.err, file + ": its bytes do not have the checksum")) << r.err;
  EXPECT_TRUE(contains(r.err, previous)) << r.err;
  EXPECT_EQ(results_of(parsed_json(r.out)), results_of(whole));
  // The damaged one did not take the place of the sound one.
  EXPECT_EQ(contents_of(previous), sound);
  EXPECT_EQ(load_checkpoint(file).state.epochs.size(), 2u);
}

TEST_F(Checkpoints, ThatAreDamagedAreReplacedAndFromThenOnTheOneBeforeIsKeptAgain) {
  trained(job());
  damage(file);
  const Result r = sluice(epochs(4));
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(load_checkpoint(file).state.epochs.size(), 4u);
  EXPECT_EQ(load_checkpoint(previous).state.epochs.size(), 3u);
}

TEST_F(Checkpoints, ThatAreGoneFallBackToTheOneBefore) {
  const json whole = trained(job());
  ASSERT_EQ(::remove(file.c_str()), 0);
  const Result r = sluice(job({"--json"}));
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_TRUE(contains(r.err, file + ": is not there")) << r.err;
  EXPECT_EQ(results_of(parsed_json(r.out)), results_of(whole));
}

TEST_F(Checkpoints, ThatAreBothDamagedAreNeitherUsedNorReplaced) {
  trained(job());
  damage(file);
  damage(previous);
  const std::string before = contents_of(file), older = contents_of(previous);
  const Result r = sluice(job());
  EXPECT_EQ(r.code, 3);
  for (const std::string& each : {file, previous})
    EXPECT_TRUE(contains(r.err, each + ": its bytes do not have")) << r.err;
  EXPECT_TRUE(contains(r.err, "begin anew with")) << r.err;
  EXPECT_EQ(contents_of(file), before);
  EXPECT_EQ(contents_of(previous), older);
}

TEST_F(Checkpoints, OfAnotherFileAreOnlyRead) {
  trained(epochs(1));
  const std::string first = contents_of(file);
  const json whole = trained(data.train());
  const json same = trained(data.train() + Arguments{"--resume", file});
  EXPECT_EQ(results_of(same), results_of(whole));
  const std::string other = data.path("other");
  const Arguments both = data.train() + Arguments{"--resume", file, "--checkpoint", other};
  EXPECT_EQ(trained(both)["resumed"]["from"], file);
  // The same command again goes on from where it had come to.
  const json again = trained(both);
  EXPECT_EQ(again["resumed"]["from"], other);
  EXPECT_EQ(results_of(again), results_of(whole));
  EXPECT_EQ(contents_of(file), first);
  EXPECT_EQ(load_checkpoint(other).state.epochs.size(), 2u);
}

TEST_F(Checkpoints, AreNotReplacedByAccident) {
  trained(epochs(1));
  const std::string first = contents_of(file), other = data.folder().write("notes", "not to be lost");
  const auto refused = [&](const Arguments& more, int code, const std::string& what) {
    const Result r = sluice(data.train() + more);
    EXPECT_EQ(r.code, code) << r.err;
    EXPECT_TRUE(contains(r.err, what)) << r.err;
    EXPECT_EQ(contents_of(file), first);
    EXPECT_EQ(contents_of(other), "not to be lost");
  };
  refused({"--checkpoint", other, "--resume", "no"}, 2, "notes: is there and is no checkpoint: name another file");
  for (const Arguments& more : {Arguments{}, Arguments{"--resume", file}})
    refused(Arguments{"--checkpoint", other} + more, 3, "begin anew with another --checkpoint");
  const Result anew = sluice(job({"--resume", "no"}));
  EXPECT_EQ(anew.code, 0) << anew.err;
  EXPECT_TRUE(contains(anew.err, "beginning anew: what is in " + file + " will be replaced")) << anew.err;
}

TEST_F(Checkpoints, ThatCannotBeReadNowAreNotTakenForDamaged) {
  trained(job());
  const std::string older = contents_of(previous);
  // Newer, of a version that is not known here; and a model that was written there.
  for (const bool model : {false, true}) {
    stages::StoredModel stored = stages::load_model(file);
    stored.metadata["sluice.checkpoint"] = "2";
    if (model) stored.metadata.clear();
    stages::save_model(file, stored.model, stored.metadata);
    const std::string newer = contents_of(file);
    const Result r = sluice(job());
    EXPECT_EQ(r.code, 3) << r.err;
    EXPECT_TRUE(contains(r.err, file + (model ? ": is a model" : ": is a checkpoint of version 2"))) << r.err;
    EXPECT_EQ(contents_of(file), newer);
    EXPECT_EQ(contents_of(previous), older);
  }
}

TEST_F(Checkpoints, OfAFinishedJobAreWrittenWhateverItWentOnFrom) {
  trained(job());
  const std::string other = data.path("other");
  trained(data.train() + Arguments{"--resume", file, "--checkpoint", other});
  EXPECT_EQ(load_checkpoint(other).state.epochs.size(), 2u);
}

TEST_F(Checkpoints, WithRowsThatEndNoStepAreRefused) {
  trained(epochs(1));
  Checkpoint c = load_checkpoint(file);
  c.state.epochs.clear();
  c.state.sums.add({1, 1, 150});
  save(file, c, stages::Replacement::Older::dropped);
  const Result r = sluice(job());
  EXPECT_EQ(r.code, 3);
  EXPECT_TRUE(contains(r.err, file + ": its sizes are not those of the data")) << r.err;
}

TEST_F(Checkpoints, HaveOneNameThroughLinks) {
  const json whole = trained(data.train());
  trained(epochs(1));
  const std::string link = data.path("link");
  ASSERT_EQ(::symlink(file.c_str(), link.c_str()), 0);
  EXPECT_EQ(results_of(trained(data.train() + Arguments{"--checkpoint", link, "--resume", file})), results_of(whole));
  EXPECT_EQ(load_checkpoint(file).state.epochs.size(), 2u);
}

TEST_F(Checkpoints, OfAnotherFileFallBackToo) {
  const json whole = trained(job());
  damage(file);
  const Result r = sluice(data.train() + Arguments{"--resume", file, "--json"});
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_TRUE(contains(r.err, previous)) << r.err;
  EXPECT_EQ(results_of(parsed_json(r.out)), results_of(whole));
}

TEST_F(Checkpoints, ThatAreNoneAreRefused) {
  trained(data.train() + Arguments{"--output", data.path("model")});
  const auto refused = [&](const Arguments& more, int code, const std::string& what) {
    const Result r = sluice(data.train() + more);
    EXPECT_EQ(r.code, code) << what;
    EXPECT_TRUE(contains(r.err, what)) << r.err;
  };
  const std::string model = data.path("model");
  refused({"--resume", model}, 3, model + ": is a model, expected a checkpoint");
  refused({"--checkpoint", model}, 3, model + ": is a model, expected a checkpoint");
  refused({"--resume", data.path("nowhere")}, 3, "nowhere: cannot be opened");
  refused({"--resume", "auto"}, 2, "--resume: has no effect without --checkpoint FILE");
  refused({"--resume", "no"}, 2, "--resume: has no effect without --checkpoint FILE");
  refused({"--checkpoint", data.path("nowhere/file")}, 2, "--checkpoint");
  refused({"--checkpoint", data.path("train-images-idx3-ubyte.gz")}, 2, "is the input");
  refused({"--checkpoint", file, "--output", file}, 2, "is the file of");
  refused({"--checkpoint", file, "--output", previous}, 2, "is the file of");
  refused({"--checkpoint-every", "3"}, 2, "--checkpoint-every");
  for (const char* wrong : {"0", "0e", "-1", "e", "1.5", "3x", "", "99999999999999999999"})
    refused({"--checkpoint", file, "--checkpoint-every", wrong}, 2, "--checkpoint-every");
  EXPECT_FALSE(exists(file));
}

TEST_F(Checkpoints, AreAsTheyWereWhenTheLossIsNotFinite) {
  const Result r = sluice(job({"--lr", "1e38", "--checkpoint-every", "1"}));
  EXPECT_EQ(r.code, 1);
  EXPECT_EQ(r.out, "");
  EXPECT_TRUE(contains(r.err, "epoch 1, step 2: the loss is ")) << r.err;
  EXPECT_TRUE(contains(r.err, "and another --checkpoint: this one is of the steps before")) << r.err;
  const Checkpoint c = load_checkpoint(file);
  EXPECT_EQ(c.state.epoch(), 1u);
  EXPECT_EQ(c.state.rows(), 100u);
  // Nor does a second attempt harm it.
  const std::string before = contents_of(file);
  EXPECT_EQ(sluice(job({"--lr", "1e38", "--checkpoint-every", "1"})).code, 1);
  EXPECT_EQ(contents_of(file), before);
}

TEST_F(Checkpoints, ThatAreNotThereAreNotSpokenOfWhenTheLossIsNotFinite) {
  const Result r = sluice(job({"--lr", "1e38"}));  // before the first is written
  EXPECT_EQ(r.code, 1);
  EXPECT_TRUE(contains(r.err, "expected finite numbers: try a smaller --lr")) << r.err;
  EXPECT_FALSE(contains(r.err, "--checkpoint")) << r.err;
  EXPECT_FALSE(exists(file));
}

TEST_F(Checkpoints, AreNotOfWeightsThatAreNotFinite) {
  const Arguments steps{"train",
                        "--data",
                        data.folder().path(),
                        "--batch-size",
                        "1",
                        "--epochs",
                        "1",
                        "--lr",
                        "3.4e38",
                        "--checkpoint",
                        file,
                        "--checkpoint-every",
                        "1"};
  EXPECT_EQ(sluice(steps).code, 1);
  // Finite, and a step away from infinity: two classes as likely as each other, and the label is one of them.
  Checkpoint c = load_checkpoint(file);
  c.state.sums.reset();
  stages::Model& model = c.state.weights.renew();
  model = stages::zero_model(model.pixels, model.classes);
  model.bias[0] = model.bias[1] = 3.4e38f;
  save(file, c, stages::Replacement::Older::dropped);
  const std::string before = contents_of(file);
  const Result r = sluice(steps);
  EXPECT_EQ(r.code, 1) << r.err;
  EXPECT_TRUE(contains(r.err, "epoch 1, step 1: a weight is not finite")) << r.err;
  EXPECT_EQ(contents_of(file), before);
}

TEST_F(Checkpoints, AreNotOfATestWhoseLossIsNotFinite) {
  const Result r = sluice({"train", "--data", data.folder().path(), "--epochs", "1", "--batch-size", "500", "--lr",
                           "3.4e38", "--checkpoint", file});
  EXPECT_EQ(r.code, 1) << r.err;
  EXPECT_TRUE(contains(r.err, "in the test after epoch 1: the loss is ")) << r.err;
  EXPECT_FALSE(exists(file));
}

Checkpoint sample() {
  Checkpoint c;
  c.job = {{"--lr", 0.1}, {"--seed", 18446744073709551615u}, {"data", "sha256 abc"}};
  c.state.sums.add({0.1 + 0.2, 7, 100});
  c.state.seconds = 1. / 3;
  c.state.epochs = {{1, {0.7, 0.8, 500}, {0.6, 0.9, 200}, 2. / 3}};
  c.state.weights.renew() = stages::random_model(6, 3, 5);
  return c;
}

TEST(CheckpointFile, IsReadBackBitForBit) {
  const Folder folder;
  const Checkpoint saved = sample(), loaded = [&] {
    save(folder.path("c"), saved, stages::Replacement::Older::kept);
    return load_checkpoint(folder.path("c"));
  }();
  EXPECT_EQ(loaded.job, saved.job);
  const TrainingState &r = loaded.state, &c = saved.state;
  EXPECT_EQ(r.epoch(), c.epoch());
  for (const char* name : {"loss", "hits", "count"}) EXPECT_EQ(r.sums[name], c.sums[name]);
  EXPECT_EQ(r.seconds, c.seconds);
  ASSERT_EQ(r.epochs.size(), 1u);
  EXPECT_EQ(r.epochs[0].train.loss, c.epochs[0].train.loss);
  EXPECT_EQ(r.epochs[0].test.count, c.epochs[0].test.count);
  EXPECT_EQ(r.epochs[0].seconds, c.epochs[0].seconds);
  EXPECT_EQ(stages::weights_sha256(*r.weights), stages::weights_sha256(*c.weights));
}

TEST(CheckpointFile, WhatCannotBeIsRefused) {
  const Folder folder;
  const auto refused = [&](const std::string& key, const std::string& value, std::string_view what) {
    save(folder.path("c"), sample(), stages::Replacement::Older::dropped);
    stages::StoredModel stored = stages::load_model(folder.path("c"));
    if (value == "none")
      stored.metadata.erase(key);
    else
      stored.metadata[key] = value;
    stages::save_model(folder.path("c"), stored.model, stored.metadata);
    expect_error<stages::DataError>([&] { load_checkpoint(folder.path("c")); }, {folder.path("c") + ": ", what});
  };
  refused("sluice.checkpoint", "2", "is a checkpoint of version 2, expected 1");
  refused("sluice.checkpoint", "none", "is a model, expected a checkpoint");
  for (const char* key :
       {"sluice.job", "sluice.epoch", "sluice.rows", "sluice.loss", "sluice.hits", "sluice.seconds", "sluice.epochs"})
    for (const char* value : {"none", "", "{", "[3]", "\"x\"", "null"})
      refused(key, value, "has a state of training that");
  for (const char* value : {"0", "1", "3"}) refused("sluice.epoch", value, "do not belong together");
  for (const char* value : {"-1", "1.5", "1e300"}) refused("sluice.rows", value, "do not belong together");
}

TEST(CheckpointFile, WithoutAChecksumIsRefused) {
  const Folder folder;
  save(folder.path("c"), sample(), stages::Replacement::Older::dropped);
  std::string bytes = contents_of(folder.path("c"));
  bytes[bytes.find("sluice.sha256") + 3] = 'x';
  expect_error<stages::DataError>([&] { load_checkpoint(folder.write("c", bytes)); }, {"has no checksum"});
}

TEST(Differences, AreNamedOneByOne) {
  const nlohmann::ordered_json stored = {{"a", 1}, {"b", "x"}, {"more", true}};
  EXPECT_TRUE(differences(stored, {{"a", 1}, {"b", "x"}}).empty());
  EXPECT_EQ(differences(stored, {{"a", 2}, {"b", "x"}, {"c", 3}}),
            (std::vector<Difference>{{"a is 2, there it was 1"}, {"c is 3, there it is unknown"}}));
  const nlohmann::ordered_json contents = {{"f", "sha256 1"}, {"g", "as stored 1"}};
  EXPECT_EQ(differences(contents, {{"f", "sha256 2"}, {"g", "as stored 2"}}),
            (std::vector<Difference>{
                {"f has other contents (sha256 2, there sha256 1)", true},
                {"g is another file, or the same contents stored otherwise (as stored 2, there as stored 1)", true}}));
}

}  // namespace
}  // namespace sluice::apps::testing
