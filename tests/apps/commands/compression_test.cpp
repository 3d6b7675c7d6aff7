// Files of every compression, in every command: nothing but speed depends on how they are compressed.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"
#include "tests/support/compressed.hpp"

namespace sluice::apps::testing {
namespace {

using stages::Compression;

class CompressedData : public ::testing::Test {
 protected:
  // A folder of the four files, made by `make` and called as `extension` says.
  template <class Make>
  std::string data(const std::string& name, const std::string& extension, const Make& make) const {
    std::filesystem::create_directory(folder.path(name));
    const auto write = [&](const char* file, const std::string& bytes) {
      folder.write(name + "/" + file + extension, make(bytes));
    };
    write("train-images-idx3-ubyte", train_images()), write("train-labels-idx1-ubyte", train_labels());
    write("t10k-images-idx3-ubyte", test_images()), write("t10k-labels-idx1-ubyte", test_labels());
    return folder.path(name);
  }
  std::string data(Compression compression) const {
    return data(std::string(compression_name(compression)), std::string(facts_of(compression).extension),
                [&](const std::string& bytes) { return test::compressed(compression, bytes); });
  }
  static Arguments train(const std::string& from, const Arguments& more = {}) {
    return Arguments{"train", "--data", from, "--batch-size", "100", "--epochs", "2"} + more;
  }
  static json result(const std::string& from, const Arguments& more = {}) {
    return results_of(trained(train(from, more)));
  }
  static std::string graph(const std::string& from, const Arguments& more) {
    return sluice(Arguments{"graph", "--data", from} + more).out;
  }
  const test::Folder folder;
};

TEST_F(CompressedData, TrainTheSameModel) {
  const std::string gzipped = data(Compression::gzip);
  const json expected = result(gzipped), streamed = result(gzipped, {"--stream"});
  for (const Compression one : test::compressions()) {
    const std::string from = data(one);
    EXPECT_EQ(result(from), expected) << compression_name(one);
    EXPECT_EQ(result(from, {"--decoder", "zlib", "--threads", "1"}), expected) << compression_name(one);
    EXPECT_EQ(result(from, {"--stream"}), streamed) << compression_name(one);
    EXPECT_EQ(result(from, {"--stream", "--decoder", "zlib"}), streamed) << compression_name(one);
  }
}

TEST_F(CompressedData, AreEvaluatedAndPredictedAlsoThroughAPipe) {
  const std::string model = folder.path("model"), gzipped = data(Compression::gzip);
  trained(train(gzipped, {"--output", model}));
  const std::string evaluated = sluice({"eval", "--model", model, "--data", gzipped}).out;
  const std::string predicted =
      sluice({"predict", "--model", model, "--images", gzipped + "/t10k-images-idx3-ubyte.gz"}).out;
  EXPECT_FALSE(evaluated.empty() || predicted.empty());
  for (const Compression one : test::compressions()) {
    const std::string from = data(one),
                      images = from + "/t10k-images-idx3-ubyte" + std::string(facts_of(one).extension);
    EXPECT_EQ(sluice({"eval", "--model", model, "--data", from}).out, evaluated);
    EXPECT_EQ(sluice({"predict", "--model", model, "--images", images}).out, predicted);
    const Result piped =
        run({"sh", "-c",
             "'" + sluice_path() + "' predict --model '" + model + "' --images - <'" + images + "'; cat '" + images +
                 "' | '" + sluice_path() + "' predict --model '" + model + "' --images -"});
    EXPECT_EQ(piped.out, predicted + predicted) << piped.err;
  }
}

TEST_F(CompressedData, AreInspected) {
  for (const Compression one : test::compressions()) {
    const auto inspected = [&](const std::string& name, const std::string& bytes, int code = 0) {
      const Result r = sluice({"inspect", "--json", folder.write(name, bytes)});
      EXPECT_EQ(r.code, code) << r.out;
      return parsed_json(r.out)["files"][0];
    };
    const std::string whole = test::compressed(one, train_images());
    const json images = inspected("images", whole);
    EXPECT_EQ(images["kind"], "idx");
    EXPECT_EQ(images["compressed"], true);
    EXPECT_EQ(images["compression"], compression_name(one));
    EXPECT_EQ(images["shape"], (json{500, 6, 7}));
    EXPECT_EQ(images["sha256"], inspected("plain", train_images())["sha256"]);
    EXPECT_EQ(inspected("text", test::compressed(one, "hello world"))["kind"], compression_name(one));
    EXPECT_TRUE(contains(inspected("cut", whole.substr(0, whole.size() / 2), 3)["error"], "ends at byte "));
    EXPECT_TRUE(
        contains(inspected("twice", test::compressed(one, whole), 3)["error"],
                 "is compressed by " + std::string(compression_name(one)) + " within: was it compressed twice?"));
  }
  EXPECT_EQ(parsed_json(sluice({"inspect", "--json", folder.path("plain")}).out)["files"][0]["compression"], "none");
}

TEST_F(CompressedData, OfSeveralKindsAreOneStream) {
  std::string all;
  std::size_t count = 0;
  for (const Compression one : test::compressions()) {
    const std::string pixels = pixel_bytes(20, count++);
    all += (all.empty() ? "" : ",") + folder.write("images-" + std::to_string(count),
                                                   test::compressed(one, test::idx_images(pixels, rows, columns)));
  }
  trained(train(data(Compression::gzip), {"--output", folder.path("model")}));
  const Result r = sluice({"predict", "--model", folder.path("model"), "--images", all, "--threads", "2"});
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(lines(r.out).size(), 20 * count);
}

TEST_F(CompressedData, NoIndexIsMadeOfWhatIsNoGzip) {
  for (const Compression one : test::compressions()) {
    if (one == Compression::gzip) continue;
    for (const char* name : {"file", "file.gz"}) {
      const Result r = sluice({"index", folder.write(name, test::compressed(one, train_images()))});
      EXPECT_NE(r.code, 0);
      EXPECT_TRUE(contains(r.err, "is not gzip-compressed, and needs no index") || contains(r.err, "libdeflate"))
          << r.err;
    }
  }
}

TEST_F(CompressedData, AModelIsToBeDecompressedFirst) {
  trained(train(data(Compression::gzip), {"--output", folder.path("model")}));
  const std::string model = test::contents_of(folder.path("model"));
  for (const Compression one : test::compressions()) {
    const std::string path = folder.write("packed", test::compressed(one, model));
    const Result r = sluice({"eval", "--model", path, "--data", folder.path("gzip")});
    EXPECT_EQ(r.code, 3);
    EXPECT_TRUE(contains(
        r.err, path + ": begins as " + std::string(compression_name(one)) + " does, expected a safetensors file"))
        << r.err;
  }
}

#if defined SLUICE_LZMA && defined SLUICE_ZSTD
class BlocksOfData : public CompressedData {
 protected:
  std::string blocks_of_xz() const {
    return data("xz-blocks", ".xz", [](const std::string& bytes) { return test::xz(bytes, {.block = 1000}); });
  }
  std::string frames_of_zstd() const {
    return data("zstd-frames", ".zst", [](const std::string& bytes) {
      std::string all;
      for (std::size_t at = 0; at < bytes.size(); at += 100'000 / 7)
        all += test::zstd(bytes.substr(at, 100'000 / 7), {.size = false});
      return all;
    });
  }
};

TEST_F(BlocksOfData, AreDecodedOnAllThreadsWhereThereAreSeveral) {
  constexpr const char* verified = "verify.train-images";
  const std::string from = blocks_of_xz();
  for (const Arguments& way : {Arguments{}, {"--stream"}}) {
    EXPECT_TRUE(contains(graph(from, way + Arguments{"--threads", "2"}), verified));
    EXPECT_FALSE(contains(graph(from, way + Arguments{"--threads", "1"}), verified));
    EXPECT_FALSE(contains(graph(from, way + Arguments{"--threads", "2", "--decoder", "zlib"}), verified));
    EXPECT_FALSE(contains(graph(data(Compression::xz), way + Arguments{"--threads", "2"}), verified));
  }
}

TEST_F(BlocksOfData, TrainTheSameModelOnAnyNumberOfThreads) {
  const std::string gzipped = data(Compression::gzip);
  const json expected = result(gzipped), streamed = result(gzipped, {"--stream"});
  for (const std::string& from : {blocks_of_xz(), frames_of_zstd()})
    for (const char* threads : {"1", "2", "5"}) {
      EXPECT_EQ(result(from, {"--threads", threads}), expected) << threads;
      EXPECT_EQ(result(from, {"--threads", threads, "--stream"}), streamed) << threads;
    }
}

TEST_F(BlocksOfData, ThatAreDamagedAreRefusedInTheSameWords) {
  for (const std::string& from : {blocks_of_xz(), frames_of_zstd()}) {
    const std::string images = from + "/train-images-idx3-ubyte" + (contains(from, "zstd") ? ".zst" : ".xz");
    const std::string sound = test::contents_of(images);
    for (const std::size_t at : {sound.size() / 3, sound.size() / 2, sound.size() - 6}) {
      std::string damaged = sound;
      damaged[at] = static_cast<char>(damaged[at] ^ 16);
      std::filesystem::remove(images);
      folder.write(images, damaged);
      for (const Arguments& way : {Arguments{}, {"--stream"}}) {
        const Result in_turn = sluice(train(from, way + Arguments{"--threads", "1"})),
                     at_once = sluice(train(from, way + Arguments{"--threads", "4"}));
        EXPECT_EQ(in_turn.code, 3);
        EXPECT_EQ(at_once.code, 3);
        EXPECT_EQ(at_once.err, in_turn.err);
        EXPECT_EQ(lines(at_once.err).size(), 1u) << at_once.err;
      }
    }
  }
}

TEST_F(BlocksOfData, AreSetLikeAnyOtherStage) {
  const std::string from = blocks_of_xz();
  const std::string all = graph(from, {"--threads", "2", "--capacity", "pieces=7", "--concurrency", "inflate=1"});
  EXPECT_TRUE(contains(all, "pieces.train-images")) << all;
  EXPECT_EQ(result(from, {"--threads", "2", "--capacity", "pieces=1"}), result(from));
}

TEST_F(BlocksOfData, DecoderMemorySaysWhatMayBeTaken) {
  const std::string from =
      data("huge", ".xz", [](const std::string& bytes) { return test::with_huge_dictionary(test::xz(bytes)); });
  const std::string model = folder.path("model"), images = from + "/t10k-images-idx3-ubyte.xz";
  trained(train(data(Compression::gzip), {"--output", model}));
  for (const Arguments& command : {train(from),
                                   train(from, {"--stream"}),
                                   Arguments{"graph", "--data", from},
                                   {"eval", "--model", model, "--data", from},
                                   {"predict", "--model", model, "--images", images}}) {
    const Result refused = sluice(command);
    EXPECT_EQ(refused.code, 3) << command[0];
    EXPECT_TRUE(contains(refused.err,
                         "needs a dictionary of 256 MiB, more than the 128 that it may take: --decoder-memory "
                         "256 allows it"))
        << refused.err;
    const Result taken = sluice(command + Arguments{"--decoder-memory", "256"});
    EXPECT_EQ(taken.code, 0) << command[0] << taken.err;
  }
  const Result inspected = sluice({"inspect", images});
  EXPECT_EQ(inspected.code, 3);
  EXPECT_TRUE(contains(inspected.out, "--decoder-memory 256 allows it")) << inspected.out;
  EXPECT_EQ(sluice({"inspect", "--decoder-memory", "256", images}).code, 0);
  EXPECT_EQ(
      run({"sh", "-c",
           "SLUICE_DECODER_MEMORY=256 '" + sluice_path() + "' eval --model '" + model + "' --data '" + from + "'"})
          .code,
      0);
  for (const char* wrong : {"0", "4097", "-1", "much"})
    EXPECT_EQ(sluice(train(from, {"--decoder-memory", wrong})).code, 2) << wrong;
  EXPECT_TRUE(contains(sluice(train(from, {"--decoder-memory", "300", "--dump-flags"})).out, " --decoder-memory 300"));
}
#endif

}  // namespace
}  // namespace sluice::apps::testing
