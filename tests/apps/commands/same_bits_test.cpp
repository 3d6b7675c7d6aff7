// Same bits however the work is divided: weights and numbers depend on the data and the flags of training alone. Which
// bits is written down here: no compiler, optimisation or processor may change them.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"

namespace sluice::apps::testing {
namespace {

// The SHA-256 of the weights that SmallData gives in two epochs. A batch that is no divisor of its 500 rows leaves a
// short one; of a batch, blocks of 64 rows do; no block of 1 or 7 rows is ever full.
struct Golden {
  std::string batch_size;
  std::string weights_sha256;
};
const Golden goldens[] = {
    {"100", "f8aeebf2041445979c070505c28f3932fe32bb0da412aeabfa0c24ec78fa1f75"},
    {"1", "b1d772b55ff0f7a9707d1c69ff3ab25e4d4602c5c38b67798952ab32f44c0aa7"},
    {"7", "9a194106809ee9bfda9ddbba041b3b78ebe46c98a514f7514a31540a905783e3"},
    {"64", "48e74663bc6c52e8251ea24565851d2da241a0de7ad9c2ebe9ad39212f93b81c"},
    {"77", "29b855af66bbcfda413d3e5742154d41965680323fecad13c792daddd35c0db9"},
    {"129", "bfc6136be3dc80bc428a579f351be20fda0366c6e3654de0870ac4078274414b"},
    {"499", "b5c19bd6c79a75a1c82a2d209685a0ad1439b8cb4244a8e24197e356b4383e8c"},
    {"1000", "6b85955e934b07ae4db5e1bfa7e75766a4def0b2a56435df02184425749c3614"},
};

class SameBits : public ::testing::Test {
 protected:
  explicit SameBits(const Arguments& more = {}, const std::string& weights_sha256 = goldens[0].weights_sha256)
      : train_(data_.train() + more),
        expected_(results_of(trained(train_ + Arguments{"--threads", "1", "--shards", "1"}))) {
    EXPECT_EQ(expected_["weights_sha256"], weights_sha256);
  }
  void expect_same(const Arguments& flags) {
    std::string text;
    for (const auto& flag : flags) text += flag + " ";
    EXPECT_EQ(results_of(trained(train_ + flags)), expected_) << text;
  }
  Arguments with(const std::string& batch_size, const std::string& epochs) const {
    return {"train", "--data", data_.folder().path(), "--batch-size", batch_size, "--epochs", epochs};
  }
  const SmallData data_;
  const Arguments train_;
  const json expected_;
};

// The same of everything that may become of a step's gradient.
TEST(SameBitsOfOptimisers, ForEveryDivisionOfTheWorkAndEveryInstructionSet) {
  const SmallData data;
  const std::pair<Arguments, const char*> all[] = {
      {{"--optimizer", "sgd", "--weight-decay", "0.01", "--schedule", "step"},
       "cce8633ef9897e12e0a98b5ea8b8fabfc873b1ba15798c244a064f79eefbe180"},
      {{"--optimizer", "momentum", "--schedule", "linear", "--warmup", "3", "--weight-decay", "0.01"},
       "b84c1f4bd586456a724456ec0510c6fdcf1a990708433479cfeabf7c9044d66c"},
      {{"--optimizer", "nesterov", "--momentum", "0.8", "--average", "0.5"},
       "064114d0b1328563f8b58f19b1e0798ccb766840e2b8a8f7b75ab5e44cc09743"},
      {{"--optimizer", "adam", "--lr", "0.01", "--schedule", "cosine", "--warmup", "1e"},
       "147bd80fa01cd5292469a3bbc390a373d1d5027ee6a52e8cc059c9b291bad2b2"},
      {{"--optimizer", "adamw", "--lr", "0.01", "--weight-decay", "0.1", "--average", "0.3"},
       "1cc6c5d96d4d4440034a2027f5fbceb8a5a036d90cd62214fa414aa9e5b426aa"},
      {{"--class-weight", "balanced", "--validation", "0.2", "--keep", "best"},
       "70c9d0d4a3297ec82018605439bdeb640aafcb1dcaa7a6c63126f12396f4fe53"}};
  for (const auto& [flags, weights_sha256] : all) {
    const Arguments job = data.train() + flags;
    const json expected = results_of(trained(job + Arguments{"--threads", "1", "--shards", "1"}));
    EXPECT_EQ(expected["weights_sha256"], weights_sha256) << json(flags);
    for (const Arguments& division : {Arguments{"--threads", "2"},
                                      {"--threads", "16"},
                                      {"--threads", "5", "--shards", "3"},
                                      {"--threads", "3", "--isa", "portable"}})
      EXPECT_EQ(results_of(trained(job + division)), expected) << json(flags) << json(division);
  }
}

// With a shuffle buffer that holds a part of the 500 rows.
class StreamedBits : public SameBits {
 protected:
  StreamedBits()
      : SameBits({"--stream", "--shuffle-buffer", "130"},
                 "9c6d34547d953ab9c821020ea0e063bde947c06ec5889b662c7b9a46602aeaf7") {}
};

TEST_F(StreamedBits, ForEveryThreadCount) {
  for (int threads = 1; threads <= 16; ++threads) expect_same({"--threads", std::to_string(threads)});
}

TEST_F(StreamedBits, ForEveryCapacity) {
  for (const char* stage : {"pieces", "parse", "rows", "pair", "shuffle", "work", "plan", "slice", "gather"})
    for (const char* n : {"1", "2", "100"}) expect_same({"--threads", "2", "--capacity", std::string(stage) + "=" + n});
}

TEST_F(StreamedBits, HoweverTheDataAreStored) {
  const std::string images = train_images(), labels = train_labels();
  const auto two = [&](const std::string& name, const std::string& all, std::size_t header, std::size_t item) {
    const std::size_t cut = header + 321 * item;
    const auto headed = [&](std::uint32_t count, const std::string& items) {
      std::string part = all.substr(0, header) + items;
      for (std::size_t i = 0; i < 4; ++i) part[4 + i] = static_cast<char>(count >> (24 - 8 * i));
      return part;
    };
    return data_.folder().write(name + "1", headed(321, all.substr(header, cut - header))) + "," +
           data_.folder().write(name + "2.gz", test::gzip(headed(179, all.substr(cut))));
  };
  expect_same({"--train-images", two("images", images, 16, rows * columns)});
  expect_same({"--train-labels", two("labels", labels, 8, 1)});
  expect_same({"--train-images", data_.folder().write("plain", images)});
}

TEST_F(StreamedBits, GoingOnFromACheckpointWithOtherThreads) {
  const Folder folder;
  const std::string path = folder.path("state");
  trained(train_ + Arguments{"--checkpoint", path, "--checkpoint-every", "3"});
  for (const std::string& from : {path, path + ".previous"})
    for (const char* threads : {"1", "2", "16"}) expect_same({"--resume", from, "--threads", threads});
}

TEST_F(StreamedBits, OnOneCpu) {
  if (run({"taskset", "--version"}).code != 0) GTEST_SKIP() << "no taskset";
  const Result r =
      run(Arguments{"taskset", "-c", "0", sluice_path()} + train_ + Arguments{"--json", "--quiet", "--threads", "8"});
  ASSERT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(results_of(parsed_json(r.out)), expected_);
}

TEST_F(StreamedBits, OfAnotherBufferAreOthers) {
  const json other = trained(data_.train() + Arguments{"--stream", "--shuffle-buffer", "131"});
  EXPECT_NE(other["weights_sha256"], expected_["weights_sha256"]);
  EXPECT_NE(trained(train_ + Arguments{"--seed", "1"})["weights_sha256"], expected_["weights_sha256"]);
}

// In three lanes, which have 166, 167 and 167 rows.
class LaneBits : public SameBits {
 protected:
  LaneBits()
      : SameBits({"--stream", "--shuffle-buffer", "130", "--lanes", "3"},
                 "a746fd621007157697f067e125a7f495dea807e68fc26efec7f23b36f48c2b4f") {}
};

TEST_F(LaneBits, ForEveryThreadCountAndShardCount) {
  for (const char* threads : {"1", "2", "3", "5", "16"}) expect_same({"--threads", threads});
  for (const char* shards : {"2", "3", "7", "64"}) expect_same({"--shards", shards, "--threads", "2"});
}

TEST_F(LaneBits, ForEveryCapacity) {
  for (const char* stage : {"pieces", "parse", "rows", "pair.1", "shuffle.0", "shuffle.2", "lanes.1", "work", "plan"})
    for (const char* n : {"1", "2", "100"}) expect_same({"--threads", "2", "--capacity", std::string(stage) + "=" + n});
}

TEST_F(LaneBits, GoingOnFromACheckpointWithOtherThreads) {
  const Folder folder;
  const std::string path = folder.path("state");
  trained(train_ + Arguments{"--checkpoint", path, "--checkpoint-every", "3"});
  for (const std::string& from : {path, path + ".previous"})
    for (const char* threads : {"1", "2", "16"}) expect_same({"--resume", from, "--threads", threads});
}

TEST_F(LaneBits, OneLaneIsNone) {
  const Arguments stream = data_.train() + Arguments{"--stream", "--shuffle-buffer", "130"};
  EXPECT_EQ(results_of(trained(stream + Arguments{"--lanes", "1"})), results_of(trained(stream)));
  EXPECT_NE(results_of(trained(stream)), expected_);
}

TEST_F(SameBits, ForEveryThreadCount) {
  for (int threads = 1; threads <= 16; ++threads) expect_same({"--threads", std::to_string(threads)});
  expect_same({"--threads", "64"});
  expect_same({});
}

TEST_F(SameBits, ForEveryShardCount) {
  for (const char* shards : {"1", "2", "3", "5", "64", "101"})
    for (const char* threads : {"1", "8"}) expect_same({"--shards", shards, "--threads", threads});
}

TEST_F(SameBits, ForEveryCapacity) {
  for (const char* stage :
       {"batch", "work", "shard", "loss", "accuracy", "plan", "slice", "gather", "inflate", "parse"})
    for (const char* n : {"1", "2", "100"}) expect_same({"--threads", "2", "--capacity", std::string(stage) + "=" + n});
  // Of the step that takes the gradient by slices.
  for (const char* stage : {"work", "shard", "plan", "slice", "gather"})
    for (const char* n : {"1", "2", "100"}) expect_same({"--threads", "8", "--capacity", std::string(stage) + "=" + n});
}

TEST_F(SameBits, ForEveryConcurrency) {
  for (const char* stage : {"forward", "gradient", "reduce", "sgd"})
    for (const char* n : {"1", "2", "100"})
      expect_same({"--concurrency", std::string(stage) + "=" + n, "--threads", "4", "--shards", "4"});
  for (const char* stage : {"forward", "gradient", "sgd", "loss", "accuracy"})
    for (const char* n : {"1", "2", "100"})
      expect_same({"--concurrency", std::string(stage) + "=" + n, "--threads", "8"});
}

// The levels that this machine has, from its best to portable.
std::vector<std::string> instruction_sets() {
  std::vector<std::string> levels;
  for (const std::string& line : lines(sluice({"--version"}).out))
    if (line.starts_with("kernels ")) {
      std::string rest = line.substr(8) + ", ";
      for (std::size_t at; (at = rest.find(", ")) != std::string::npos; rest.erase(0, at + 2))
        levels.push_back(rest.substr(0, std::min(at, rest.find(" (used)"))));
    }
  return levels;
}

TEST_F(SameBits, ForEveryInstructionSetThatTheVersionLists) {
  const std::vector<std::string> levels = instruction_sets();
  ASSERT_FALSE(levels.empty());
  EXPECT_EQ(levels.back(), "portable");
  for (const std::string& level : levels) {
    expect_same({"--isa", level});
    EXPECT_EQ(trained(data_.train() + Arguments{"--isa", level})["options"]["isa"], level);
  }
}

TEST_F(SameBits, AsWrittenDownForEveryBatchSize) {
  for (const auto& [batch_size, weights_sha256] : goldens)
    for (const std::string& isa : instruction_sets())
      for (const auto& [threads, shards] : {std::pair{"1", "1"}, {"3", "4"}}) {
        const Arguments flags{"--isa", isa, "--threads", threads, "--shards", shards};
        EXPECT_EQ(trained(with(batch_size, "2") + flags)["weights_sha256"], weights_sha256)
            << "--batch-size " << batch_size << " --isa " << isa << " --threads " << threads << " --shards " << shards;
      }
}

// With a checkpoint at every third step, of five an epoch: the last one is where the run ended, the one before is not.
TEST_F(SameBits, GoingOnFromACheckpointWithOtherThreads) {
  const std::vector<std::string> levels = instruction_sets();
  for (const char* epochs : {"1", "2"}) {
    const Folder folder;
    const std::string path = folder.path("state");
    trained(with("100", epochs) + Arguments{"--threads", "3", "--shards", "2", "--isa", levels.front(), "--checkpoint",
                                            path, "--checkpoint-every", "3"});
    for (const std::string& from : {path, path + ".previous"})
      for (const char* threads : {"1", "2", "16"})
        expect_same({"--resume", from, "--threads", threads, "--shards", threads, "--isa", levels.back()});
  }
}

TEST_F(SameBits, OnOneCpu) {
  if (run({"taskset", "--version"}).code != 0) GTEST_SKIP() << "no taskset";
  for (const char* threads : {"1", "8"}) {
    const Result r = run(Arguments{"taskset", "-c", "0", sluice_path()} + data_.train() +
                         Arguments{"--json", "--quiet", "--threads", threads});
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(results_of(parsed_json(r.out)), expected_);
  }
  const Result alone =
      run(Arguments{"taskset", "-c", "0", sluice_path()} + data_.train() + Arguments{"--json", "--quiet"});
  EXPECT_EQ(parsed_json(alone.out)["options"]["threads"], 1) << "as many as this process may use";
}

TEST_F(SameBits, TwentyTimes) {
  for (int i = 0; i < 20; ++i) expect_same({"--threads", "4", "--shards", "5"});
}

}  // namespace
}  // namespace sluice::apps::testing
