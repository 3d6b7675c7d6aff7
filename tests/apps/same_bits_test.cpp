// Same bits however the work is divided: weights and numbers depend on the data and the flags of training alone.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"

namespace sluice::apps::testing {
namespace {

class SameBits : public ::testing::Test {
 protected:
  SameBits() : expected_(results_of(trained(data_.train() + Arguments{"--threads", "1", "--shards", "1"}))) {}
  void expect_same(const Arguments& flags) {
    std::string text;
    for (const auto& flag : flags) text += flag + " ";
    EXPECT_EQ(results_of(trained(data_.train() + flags)), expected_) << text;
  }
  const SmallData data_;
  const json expected_;
};

TEST_F(SameBits, ForEveryThreadCount) {
  for (const char* threads : {"2", "3", "8", "64"}) expect_same({"--threads", threads});
  expect_same({});
}

TEST_F(SameBits, ForEveryShardCount) {
  for (const char* shards : {"1", "2", "3", "5", "64", "101"})
    for (const char* threads : {"1", "8"}) expect_same({"--shards", shards, "--threads", threads});
}

TEST_F(SameBits, ForEveryCapacity) {
  for (const char* stage : {"batch", "work", "shard", "loss", "accuracy", "reduce", "inflate", "parse"})
    for (const char* n : {"1", "2", "100"}) expect_same({"--capacity", std::string(stage) + "=" + n});
}

TEST_F(SameBits, ForEveryConcurrency) {
  for (const char* stage : {"forward", "gradient", "sgd"})
    for (const char* n : {"1", "2", "100"})
      expect_same({"--concurrency", std::string(stage) + "=" + n, "--threads", "4", "--shards", "4"});
}

TEST_F(SameBits, ForEveryInstructionSetThatTheVersionLists) {
  std::vector<std::string> levels;
  for (const std::string& line : lines(sluice({"--version"}).out))
    if (line.starts_with("kernels ")) {
      std::string rest = line.substr(8) + ", ";
      for (std::size_t at; (at = rest.find(", ")) != std::string::npos; rest.erase(0, at + 2))
        levels.push_back(rest.substr(0, std::min(at, rest.find(" (used)"))));
    }
  ASSERT_FALSE(levels.empty());
  EXPECT_EQ(levels.back(), "portable");
  for (const std::string& level : levels) {
    expect_same({"--isa", level});
    EXPECT_EQ(trained(data_.train() + Arguments{"--isa", level})["options"]["isa"], level);
  }
}

TEST_F(SameBits, OnOneCpu) {
  if (run({"taskset", "--version"}).code != 0) GTEST_SKIP() << "no taskset";
  for (const char* threads : {"1", "8"}) {
    const Result r = run(Arguments{"taskset", "-c", "0", sluice_path()} + data_.train() +
                         Arguments{"--json", "--quiet", "--threads", threads});
    ASSERT_EQ(r.code, 0) << r.err;
    EXPECT_EQ(results_of(json::parse(r.out)), expected_);
  }
  const Result alone =
      run(Arguments{"taskset", "-c", "0", sluice_path()} + data_.train() + Arguments{"--json", "--quiet"});
  EXPECT_EQ(json::parse(alone.out)["options"]["threads"], 1) << "as many as this process may use";
}

TEST_F(SameBits, TwentyTimes) {
  for (int i = 0; i < 20; ++i) expect_same({"--threads", "4", "--shards", "5"});
}

}  // namespace
}  // namespace sluice::apps::testing
