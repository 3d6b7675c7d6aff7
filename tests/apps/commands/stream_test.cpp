// sluice train --stream: what it holds, what it refuses, and what is left of a run whose data are damaged.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include <sluice/stages/gzip_pieces.hpp>
#include "apps/job/checkpoint.hpp"
#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"
#include "tests/support/files.hpp"
#include "tests/support/gzip.hpp"
#include "tests/support/sanitized.hpp"

namespace sluice::apps::testing {
namespace {

using test::contents_of;

// Images of 28 x 28 pixels, 2.4 MB in ten chunks.
class Stream : public ::testing::Test {
 protected:
  Stream() { EXPECT_EQ(sluice({"synth", data, "--train", "3000", "--test", "200"}).code, 0); }
  Arguments job(const Arguments& more = {}, const std::string& buffer = "100", const std::string& epochs = "2") const {
    return Arguments{"train",     "--data",   data,   "--stream",         "--batch-size",
                     "50",        "--epochs", epochs, "--shuffle-buffer", buffer,
                     "--threads", "2"} +
           more;
  }
  std::string file(const std::string& name) const { return data + "/" + name; }
  static void write(const std::string& path, const std::string& bytes) {
    std::filesystem::remove(path);
    std::ofstream(path, std::ios::binary) << bytes;
  }
  void expect_refused(const Arguments& arguments, int code, const std::vector<std::string>& parts) const {
    const Result r = sluice(arguments);
    EXPECT_EQ(r.code, code) << r.err;
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
    for (const std::string& part : parts) EXPECT_TRUE(contains(r.err, part)) << part << "\nin: " << r.err;
  }

  const Folder folder;
  const std::string data = folder.path("data"), images = file("train-images-idx3-ubyte.gz"),
                    labels = file("train-labels-idx1-ubyte.gz"), checkpoint = folder.path("checkpoint");
};

TEST_F(Stream, LearnsWhatTrainingInMemoryLearns) {
  const json streamed = trained(job({}, "3000"));
  const json held = trained({"train", "--data", data, "--batch-size", "50", "--epochs", "2"});
  EXPECT_EQ(streamed["data"], held["data"]);
  EXPECT_NEAR(streamed["train_loss"].get<double>(), held["train_loss"].get<double>(), 0.02);
  EXPECT_NEAR(streamed["test_accuracy"].get<double>(), held["test_accuracy"].get<double>(), 0.05);
  EXPECT_EQ(streamed["options"]["stream"], true);
  EXPECT_EQ(streamed["options"]["decoder"], held["options"]["decoder"]);
  EXPECT_EQ(held["options"]["stream"], false);
}

TEST_F(Stream, HoldsAsMuchHoweverManyImagesThereAre) {
  const std::string many = folder.path("many");
  ASSERT_EQ(sluice({"synth", many, "--train", "40000", "--test", "200"}).code, 0);
  const auto peak = [](const std::string& from) {
    return trained({"train", "--data", from, "--stream", "--shuffle-buffer", "2000", "--epochs", "1"})["peak_rss_bytes"]
        .get<std::size_t>();
  };
  EXPECT_LT(peak(many), peak(data) + (std::size_t{16} << 20)) << "the images are 30 MiB";
}

TEST_F(Stream, TheBufferIsAsManyRowsAsItsBytesHold) {
  const auto rows = [](const Arguments& arguments) { return trained(arguments)["options"]["shuffle_buffer"]; };
  EXPECT_EQ(rows({"train", "--data", data, "--stream", "--epochs", "1"}), 3000) << "as many as there are";
  EXPECT_EQ(rows(job()), 100);
  const std::string large = folder.path("large");
  ASSERT_EQ(sluice({"synth", large, "--train", "600", "--test", "10", "--rows", "200", "--columns", "200"}).code, 0);
  EXPECT_EQ(rows({"train", "--data", large, "--stream", "--epochs", "1", "--lr", "0.001"}), 16 * 1024 * 1024 / 40000);
  EXPECT_EQ(rows({"train", "--data", large, "--stream", "--epochs", "1", "--lr", "0.001", "--batch-size", "500"}), 500);
}

TEST_F(Stream, DamageInTheMiddleOfAnEpochLeavesTheLastCheckpoint) {
  ASSERT_EQ(sluice({"synth", data, "--force", "--train", "12000", "--test", "200"}).code, 0);
  const json whole = trained(job());
  const std::string sound = contents_of(images);
  std::string damaged = sound;
  damaged[damaged.size() * 2 / 3] = static_cast<char>(damaged[damaged.size() * 2 / 3] ^ 0x10);
  write(images, damaged);
  const Arguments kept = job({"--checkpoint", checkpoint, "--checkpoint-every", "1"});
  for (int turn = 0; turn < 2; ++turn) {  // at first, and going on
    const Result r = sluice(kept + Arguments{"--quiet"});
    EXPECT_EQ(r.code, 3) << r.err;
    EXPECT_EQ(r.out, "");
    EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
    EXPECT_TRUE(contains(r.err, images)) << r.err;
    EXPECT_TRUE(contains(r.err, checkpoint + " is of the beginning of epoch 1")) << r.err;
    const Checkpoint c = load_checkpoint(checkpoint);
    EXPECT_EQ(c.state.epoch(), 1u);
    EXPECT_EQ(c.state.rows(), 0u);
  }
  write(images, sound);
  EXPECT_EQ(results_of(trained(kept)), results_of(whole));
}

TEST_F(Stream, WhatAnEpochThatGoesOnNeedsIsFoundBesideTheCheckpoint) {
  if (!stages::decodes_pieces()) GTEST_SKIP() << "built without libdeflate";
  const json whole = results_of(trained(job()));
  EXPECT_EQ(results_of(trained(job({"--checkpoint", checkpoint, "--checkpoint-every", "50"}))), whole);
  const std::string pieces = checkpoint + ".pieces", stored = contents_of(pieces);
  EXPECT_GT(stored.size(), 1000u);
  // Within the second epoch; and whatever becomes of what lies beside it.
  const Arguments go_on = job({"--resume", checkpoint + ".previous"});
  EXPECT_EQ(load_checkpoint(checkpoint + ".previous").state.epoch(), 2u);
  EXPECT_EQ(results_of(trained(go_on)), whole);
  for (const std::string& other :
       {stored.substr(0, stored.size() / 2), stored + "x", std::string("other"), std::string()}) {
    write(pieces, other);
    EXPECT_EQ(results_of(trained(go_on)), whole);
  }
  std::filesystem::remove(pieces);
  EXPECT_EQ(results_of(trained(go_on)), whole);
  EXPECT_FALSE(std::filesystem::exists(pieces)) << "it is not its own";
  expect_refused(job({"--checkpoint", checkpoint, "--output", pieces}), 2, {"--checkpoint", pieces});
}

// A level of compression without any: what is damaged in it is known by the checksum at the end, and by nothing else.
class StoredStream : public Stream {
 protected:
  StoredStream() {
    EXPECT_EQ(sluice({"synth", data, "--force", "--train", "12000", "--test", "200"}).code, 0);
    sound = test::gzip(run({"gzip", "-dc", images}).out, 0);
    damaged = sound;
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x80);
    write(images, sound);
    whole = trained(job({}, "100", "3"));
  }
  Arguments kept(const Arguments& more = {}) const {
    return job(Arguments{"--quiet", "--checkpoint", checkpoint, "--checkpoint-every", "28"} + more, "100", "3");
  }
  // With all saves before it done.
  void killed_at_save(int number, const Arguments& more = {}) const {
    const Result r =
        run(Arguments{"env", "SLUICE_FAULT=fsync:" + std::to_string(number) + ":kill",
                      "SLUICE_FAULT_PATH=" + checkpoint, "SLUICE_FAULT_LOG=" + folder.path("log"), SLUICE_WITH_FAULTS} +
            kept(more));
    EXPECT_NE(r.signal, 0) << r.err;
  }
  std::string sound, damaged;
  json whole;
};

TEST_F(StoredStream, DamageThatOnlyTheChecksumKnowsIsInNoCheckpointBehindTheRun) {
  write(images, damaged);
  const Result r = sluice(kept());
  EXPECT_EQ(r.code, 3) << r.err;
  EXPECT_TRUE(contains(r.err, "incorrect data check")) << r.err;
  write(images, sound);
  EXPECT_EQ(results_of(trained(kept())), results_of(whole));
}

// Killed at any save, with the damage not known yet; it is mended, or it is not.
TEST_F(StoredStream, DamageThatNobodyKnewOfYetIsInNoRunThatGoesOn) {
  for (const bool mended : {true, false}) {
    write(images, damaged);
    for (const int number : {2, 4, 6}) {  // of the eight saves of an epoch
      std::filesystem::remove(checkpoint);
      std::filesystem::remove(checkpoint + ".previous");
      killed_at_save(number);
      EXPECT_EQ(load_checkpoint(checkpoint).state.sums["count"], (number - 1) * 28 * 50);
      if (!mended) {
        EXPECT_EQ(sluice(kept()).code, 3);
      }
      write(images, sound);
      EXPECT_EQ(results_of(parsed_json(sluice(kept() + Arguments{"--json"}).out)), results_of(whole)) << number;
      write(images, damaged);
    }
  }
}

// The weights at the beginning of the epoch are for the pixels of the job, too.
TEST_F(StoredStream, DamageThatARunMeetsThatWentOnWithAScaleLeavesACheckpointOfTheSameJob) {
  const Arguments scaled{"--scale", "1/200"};
  const json sound_run = trained(job(scaled, "100", "3"));
  write(images, damaged);
  killed_at_save(4, scaled);
  const Result r = sluice(kept(scaled));
  EXPECT_EQ(r.code, 3) << r.err;
  EXPECT_TRUE(contains(r.err, checkpoint + " is of the beginning of epoch 1")) << r.err;
  EXPECT_EQ(load_checkpoint(checkpoint).state.weights->divisor, 200);
  write(images, sound);
  const Result again = sluice(kept(scaled) + Arguments{"--json"});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_EQ(results_of(parsed_json(again.out)), results_of(sound_run));
}

TEST_F(StoredStream, AnEpochBeginsAgainWhereItsFilesWereWrittenSince) {
  killed_at_save(3);
  const Checkpoint c = load_checkpoint(checkpoint);
  ASSERT_TRUE(c.state.doubtful());
  write(images, sound);
  const Result r = sluice(kept() + Arguments{"--json"});
  EXPECT_TRUE(contains(r.err, "may have been written since " + checkpoint)) << r.err;
  EXPECT_EQ(results_of(parsed_json(r.out)), results_of(whole));
}

TEST_F(Stream, DamageOfTheTestSetIsSaidBeforeTheFirstStep) {
  const std::string path = file("t10k-images-idx3-ubyte.gz"), all = contents_of(path);
  write(path, all.substr(0, all.size() / 2));
  expect_refused(job({"--quiet", "--checkpoint", checkpoint}), 3, {path + ": ends at byte"});
  EXPECT_FALSE(std::filesystem::exists(checkpoint));
}

TEST_F(Stream, OtherRightsAndNamesOfAFileAreNotAnotherFile) {
  Process p(Arguments{sluice_path()} + job({}, "100", "100000"));
  ASSERT_TRUE(p.says("epoch=2/"));
  std::filesystem::permissions(images, std::filesystem::perms::owner_read);
  std::filesystem::create_hard_link(images, folder.path("another name"));
  ASSERT_TRUE(p.says("epoch=40/"));
  p.signal(SIGINT);
  EXPECT_EQ(p.wait().code, 130);
}

// Complete epochs are kept, whichever moment it is noticed at.
TEST_F(Stream, ATrainingFileThatIsReplacedBetweenEpochsLosesNone) {
  const Arguments rarely = job({"--checkpoint", checkpoint, "--checkpoint-every", "90000e"}, "100", "100000");
  const std::string before = contents_of(images);
  for (int turn = 0; turn < 3; ++turn) {
    Process p(Arguments{sluice_path()} + rarely + Arguments{"--resume", "no"});
    ASSERT_TRUE(p.says("epoch=5/"));
    write(images, before);
    EXPECT_EQ(p.wait().code, 3);
    EXPECT_GE(load_checkpoint(checkpoint).state.epochs.size(), 5u);
  }
}

// By files that would do as well: as many images or labels, sound, of other contents.
TEST_F(Stream, FilesThatAreNotAsTheyWereEndTheRun) {
  const std::string others = folder.path("others");
  ASSERT_EQ(sluice({"synth", others, "--train", "3000", "--test", "200", "--seed", "7"}).code, 0);
  for (const std::string name : {"train-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"}) {
    const std::string changed = file(name), before = contents_of(changed);
    Process p(Arguments{sluice_path()} + job({"--checkpoint", checkpoint}, "100", "100000"));
    ASSERT_TRUE(p.says("epoch=2/"));
    write(changed, contents_of(others + "/" + name));  // a file of its own: who has the old one open reads it on
    const Result r = p.wait();
    EXPECT_EQ(r.code, 3) << r.err;
    EXPECT_TRUE(contains(r.err, changed + ": is not as it was when the run began")) << r.err;
    write(changed, before);
    EXPECT_GE(load_checkpoint(checkpoint).state.epochs.size(), 2u);
    std::filesystem::remove(checkpoint);
    std::filesystem::remove(checkpoint + ".previous");
  }
}

TEST_F(Stream, WhatIsWrongIsSaidBeforeTheFirstStep) {
  const Result synth = sluice({"synth", folder.path("other"), "--train", "40", "--test", "40", "--rows", "5"});
  ASSERT_EQ(synth.code, 0) << synth.err;
  const std::string other = folder.path("other"), others = other + "/train-images-idx3-ubyte.gz";
  expect_refused(job({"--train-labels", other + "/train-labels-idx1-ubyte.gz"}), 3,
                 {"3000 images", "40 labels", "do the two belong together?"});
  expect_refused(job({"--test-labels", other + "/t10k-labels-idx1-ubyte.gz"}), 3,
                 {"200 images", "40 labels", "do the two belong together?"});
  expect_refused(job({"--test-images", other + "/t10k-images-idx3-ubyte.gz"}), 3,
                 {"images of 5 x 28 pixels, expected 28 x 28"});
  expect_refused(job({"--train-images", images + "," + others}), 3, {others, "5 x 28", "as in " + images});
  expect_refused(job({"--classes", "3"}), 3, {"-labels-idx1-ubyte.gz: label ", "expected 0 to 2: there are 3 classes"});
  expect_refused(job({"--train-images", labels}), 3, {labels, "are images and labels swapped?"});
  expect_refused(job({"--train-images", folder.path("none")}), 3, {folder.path("none"), "No such file"});
  expect_refused(job({"--train-labels", folder.path("none")}), 3, {folder.path("none"), "No such file"});
  const std::string pipe = folder.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  expect_refused(job({"--train-images", pipe}), 3, {pipe + ": is no regular file"});
}

TEST_F(Stream, ALabelThatIsTooLargeIsNamedByItsFileAndItsPlaceThere) {
  std::vector<std::uint8_t> of_train(3000, 1), of_test(200, 1);
  of_train[0] = of_test[0] = 9;  // there are ten classes
  const std::string ten_train = folder.path("a"), ten_test = folder.path("b"), others = folder.path("c");
  write(ten_train, test::gzip(test::idx_labels(of_train)));
  write(ten_test, test::gzip(test::idx_labels(of_test)));
  of_train[2345] = of_test[123] = 10;
  const Arguments two{"train",          "--stream",
                      "--train-images", images + "," + images,
                      "--test-images",  file("t10k-images-idx3-ubyte.gz") + "," + file("t10k-images-idx3-ubyte.gz")};
  const auto expect_named = [&](const std::vector<std::uint8_t>& wrong, const std::string& place,
                                const Arguments& more) {
    write(others, test::gzip(test::idx_labels(wrong)));
    expect_refused(two + more, 3, {others + ": label 10 of image " + place + ", expected 0 to 9"});
  };
  const Arguments sound_test{"--test-labels", ten_test + "," + ten_test},
      wrong_test{"--train-labels", ten_train + "," + ten_train, "--test-labels", ten_test + "," + others},
      ten{"--classes", "10"};
  expect_named(of_train, "2345", sound_test + ten + Arguments{"--train-labels", ten_train + "," + others});
  expect_named(of_test, "123", wrong_test + ten);
  expect_named(of_test, "123", wrong_test);  // than those that are trained on
}

TEST_F(Stream, FlagsThatHaveNoEffectAreErrors) {
  const Arguments held{"train", "--data", data};
  expect_refused(held + Arguments{"--shuffle-buffer", "100"}, 2, {"--shuffle-buffer", "without --stream"});
  expect_refused(job({"--report", folder.path("r.html")}), 2, {"--report", "with --stream"});
  expect_refused(job({}, "0"), 2, {"--shuffle-buffer"});
}

TEST_F(Stream, ACheckpointIsOfTheSameStream) {
  trained(job({"--checkpoint", checkpoint}));
  expect_refused({"train", "--data", data, "--batch-size", "50", "--epochs", "2", "--checkpoint", checkpoint}, 2,
                 {"is of another job: --stream is false, there it was true"});
  expect_refused({"train", "--data", data, "--batch-size", "50", "--epochs", "2", "--checkpoint", checkpoint,
                  "--stream", "--shuffle-buffer", "101"},
                 2, {"is of another job: --shuffle-buffer is 101, there it was 100"});
  const auto expect_told = [&](const std::string& name, const std::string& flag, std::size_t at) {
    const std::string sound = contents_of(file(name));
    std::string bytes = sound;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    write(file(name), bytes);
    expect_refused(job({"--checkpoint", checkpoint}), 3,
                   {flag + " is another file, or the same contents stored otherwise"});
    write(file(name), sound);
  };
  // The time in its header means nothing, but is looked at.
  for (const auto& [name, flag] : {std::pair{"train-images-idx3-ubyte.gz", "--train-images"},
                                   {"train-labels-idx1-ubyte.gz", "--train-labels"},
                                   {"t10k-images-idx3-ubyte.gz", "--test-images"},
                                   {"t10k-labels-idx1-ubyte.gz", "--test-labels"}})
    expect_told(name, flag, 4);
  // So is the end of a large file, which is not read before it is trained on.
  const std::size_t size = contents_of(images).size();
  ASSERT_GT(size, 2u * 64 * 1024);
  for (const std::size_t before_its_end : {std::size_t{64} * 1024, std::size_t{1000}})
    expect_told("train-images-idx3-ubyte.gz", "--train-images", size - before_its_end);
}

TEST_F(Stream, TheGraphStatesItsBound) {
  const auto bound = [&](const std::string& from) {
    const Result r = sluice({"graph", "--data", from, "--stream", "--shuffle-buffer", "100", "--threads", "2"});
    EXPECT_EQ(r.code, 0) << r.err;
    EXPECT_FALSE(contains(r.out, "undeclared")) << r.out;
    // In MiB: the sum of what the graphs state, those that hold little in KiB.
    double kib = 0, mib = 0;
    for (const std::string& line : lines(r.out)) {
      if (line.starts_with("bound: "))
        kib += std::strtod(line.c_str() + line.find("messages, ") + 10, nullptr) * (line.ends_with(" MiB") ? 1024 : 1);
      if (const auto at = line.find("the graphs hold "); at != std::string::npos)
        mib = std::strtod(line.c_str() + at + 16, nullptr);
    }
    EXPECT_NEAR(mib, kib / 1024, 0.2) << r.out;
    return line_with(r.out, "the data stay in their files");
  };
  const std::string many = folder.path("many");
  ASSERT_EQ(sluice({"synth", many, "--train", "6000", "--test", "200"}).code, 0);
  std::string few = bound(data);
  EXPECT_TRUE(contains(few, "a shuffle buffer of 100 of 3000 images")) << few;
  few.replace(few.find("of 3000"), 7, "of 6000");
  EXPECT_EQ(bound(many), few);
}

// Beside what the program has without any data, and what the system's allocator keeps.
TEST_F(Stream, NoMoreIsHeldThanTheGraphStates) {
  if (test::sanitized) GTEST_SKIP() << "a sanitizer's memory is not that of the program";
  const auto mebibytes_behind = [](const std::string& text, const std::string& words) {
    return std::stod(text.substr(text.find(words) + words.size()));
  };
  const std::string large = folder.path("large");
  ASSERT_EQ(sluice({"synth", large, "--train", "60", "--test", "60", "--rows", "1200", "--columns", "1200"}).code, 0);
  for (const std::string& from : {data, large}) {
    const Arguments what{"--data", from, "--stream", "--shuffle-buffer", "5", "--batch-size", "5", "--threads", "2"};
    const Result graph = sluice(Arguments{"graph"} + what);
    ASSERT_EQ(graph.code, 0) << graph.err;
    const double bound = mebibytes_behind(line_with(graph.out, "the data stay in their files"), "the graphs hold ");
    const Arguments rest{"--epochs", "1", "--lr", "0.0001"};
    const double peak = trained(Arguments{"train"} + what + rest)["peak_rss_bytes"].get<double>() / (1 << 20);
    EXPECT_LT(peak, bound + 24) << from;
  }
}

TEST_F(Stream, ARunIsRepeatedByTheCommandThatItPrints) {
  const Result printed = sluice(job({"--dump-flags"}));
  ASSERT_EQ(printed.code, 0) << printed.err;
  const Result again = run({"sh", "-c",
                            "PATH=" + std::filesystem::path(sluice_path()).parent_path().string() + ":$PATH " +
                                printed.out.substr(0, printed.out.find('\n')) + " --json --quiet"});
  ASSERT_EQ(again.code, 0) << again.err << printed.out;
  EXPECT_EQ(results_of(parsed_json(again.out)), results_of(trained(job())));
}

}  // namespace
}  // namespace sluice::apps::testing
