// Files that are large enough to be decoded on several threads from the beginning: nothing but speed depends on it.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include <sluice/stages/gzip_pieces.hpp>
#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"

namespace sluice::apps::testing {
namespace {

class LargeFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!stages::decodes_pieces()) GTEST_SKIP() << "built without libdeflate";
    ASSERT_EQ(sluice({"synth", data, "--train", "22000", "--test", "200"}).code, 0);  // 17 MB
  }
  void make_members(std::size_t size) const {
    const std::string bytes = run({"gzip", "-dc", images}).out;
    std::string file;
    for (std::size_t at = 0; at < bytes.size(); at += size) file += test::gzip(bytes.substr(at, size), 1);
    folder.write("data/train-images-idx3-ubyte.gz", file);
  }
  Arguments train(const Arguments& more) const { return Arguments{"train", "--data", data, "--epochs", "2"} + more; }
  std::string graph(const char* threads) const {
    return sluice({"graph", "--stream", "--data", data, "--threads", threads}).out;
  }
  const Folder folder;
  const std::string data = folder.path("data"), images = data + "/train-images-idx3-ubyte.gz";
};

TEST_F(LargeFiles, HaveTheSameResultsHoweverTheyAreDecoded) {
  constexpr const char* verified = "verify.train-images";
  make_members(100'000);
  EXPECT_FALSE(contains(graph("1"), verified));
  EXPECT_TRUE(contains(graph("2"), verified)) << "members are independent";
  const json in_memory = results_of(trained(train({"--decoder", "zlib"}))),
             streamed = results_of(trained(train({"--decoder", "zlib", "--stream"})));
  const auto check = [&](const std::vector<const char*>& counts) {
    for (const char* threads : counts) {
      EXPECT_EQ(results_of(trained(train({"--threads", threads}))), in_memory) << threads;
      EXPECT_EQ(results_of(trained(train({"--threads", threads, "--stream"}))), streamed) << threads;
    }
  };
  check({"2", "5"});
  make_members(SIZE_MAX / 2);
  for (const char* threads : {"1", "4"}) {
    const Result r = sluice(train({"--threads", threads, "--stream", "--profile"}));
    EXPECT_TRUE(contains(r.err, "train 34.5 MB (50 % known)")) << "of two epochs the second: " << r.err;
  }
  EXPECT_FALSE(contains(graph("2"), verified)) << "to decode twice is not worth it";
  EXPECT_TRUE(contains(graph("4"), verified));
  check({"1", "4", "7"});
}

TEST_F(LargeFiles, ThatAreDamagedAreRefusedInTheSameWords) {
  make_members(SIZE_MAX / 2);
  const std::string sound = test::contents_of(images);
  for (const std::size_t at : {sound.size() / 3, sound.size() - 6}) {
    std::string damaged = sound;
    damaged[at] = static_cast<char>(damaged[at] ^ 16);
    folder.write("data/train-images-idx3-ubyte.gz", damaged);
    const Result in_turn = sluice(train({"--threads", "1"})), at_once = sluice(train({"--threads", "4"}));
    EXPECT_EQ(in_turn.code, 3);
    EXPECT_EQ(at_once.code, 3);
    EXPECT_EQ(at_once.err, in_turn.err);
  }
}

}  // namespace
}  // namespace sluice::apps::testing
