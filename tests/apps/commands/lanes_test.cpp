// sluice train --stream --lanes: the same bits wherever the rows lie and however they are read, and what is refused.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <sluice/stages/codec.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"
#include "tests/support/compressed.hpp"
#include "tests/support/npy.hpp"
#include "tests/support/zip.hpp"

namespace sluice::apps::testing {
namespace {

using test::gzip;

// 2503 images of 28 x 28 pixels: 2 MB, in eight pieces.
class LanesCommand : public ::testing::Test {
 protected:
  static constexpr std::size_t count = 2503, image = 784;

  LanesCommand() {
    EXPECT_EQ(sluice({"synth", data, "--train", std::to_string(count), "--test", "100", "--classes", "4"}).code, 0);
    const auto decoded = [this](const std::string& name) { return run({"gzip", "-dc", data + "/" + name}).out; };
    pixels = decoded("train-images-idx3-ubyte.gz").substr(16);
    const std::string all = decoded("train-labels-idx1-ubyte.gz").substr(8);
    labels.assign(all.begin(), all.end());
  }
  std::string images_of(std::size_t first, std::size_t last) const {
    return test::idx_images(pixels.substr(first * image, (last - first) * image), 28, 28);
  }
  std::string labels_of(std::size_t first, std::size_t last) const {
    const auto at = [this](std::size_t i) { return labels.begin() + static_cast<std::ptrdiff_t>(i); };
    return test::idx_labels({at(first), at(last)});
  }
  // With these files in place of those of the folder.
  Arguments job(const std::string& lanes, const Arguments& more = {}, const std::string& images = "",
                const std::string& its_labels = "") const {
    Arguments all{"train",    "--stream", "--data",           data,  "--lanes", lanes,
                  "--epochs", "2",        "--shuffle-buffer", "300", "--lr",    "0.05"};
    if (!images.empty()) all = all + Arguments{"--train-images", images};
    if (!its_labels.empty()) all = all + Arguments{"--train-labels", its_labels};
    return all + more;
  }
  std::string refused(const Arguments& arguments) const {
    const Result r = sluice(arguments);
    EXPECT_EQ(r.code, 2) << r.err;
    EXPECT_EQ(lines(r.err).size(), 1u) << r.err;
    return r.err;
  }

  const Folder folder;
  const std::string data = folder.path("data");
  std::string pixels;
  std::vector<std::uint8_t> labels;
};

TEST_F(LanesCommand, TheBitsAreTheSameWhateverFilesTheRowsLieIn) {
  const json expected = results_of(trained(job("4", {"--threads", "1", "--shards", "1"})));
  const auto expect_same = [&](const std::string& what, const Arguments& arguments) {
    EXPECT_EQ(results_of(trained(arguments)), expected) << what;
  };
  for (const char* threads : {"1", "2", "5"}) {
    const Arguments on{"--threads", threads};
    expect_same("gzip", job("4", on));
    expect_same("gzip by zlib", job("4", on + Arguments{"--decoder", "zlib"}));
    const std::string plain = folder.write("plain", images_of(0, count)),
                      its = folder.write("its", labels_of(0, count));
    expect_same("plain", job("4", on, plain, its));
    expect_same("plain by zlib", job("4", on + Arguments{"--decoder", "zlib"}, plain, its));
    // Files that end within lanes, of which one has none of some lanes' rows.
    std::string images, several;
    for (const auto& [first, last, name] :
         {std::tuple{0u, 700u, "a.gz"}, {700u, 710u, "b"}, {710u, 1400u, "c.gz"}, {1400u, 2503u, "d"}}) {
      const std::string is = std::string(name).ends_with(".gz") ? gzip(images_of(first, last)) : images_of(first, last);
      images += (images.empty() ? "" : ",") + folder.write(name, is);
      several +=
          (several.empty() ? "" : ",") + folder.write(std::string("labels-") + name, std::string(name).ends_with(".gz")
                                                                                         ? gzip(labels_of(first, last))
                                                                                         : labels_of(first, last));
    }
    expect_same("files", job("4", on, images, several));
    expect_same("files of images", job("4", on, images));
    expect_same("files of labels", job("4", on, "", several));
  }
  for (const stages::Compression one : test::compressions()) {
    const std::string name = "packed." + std::to_string(static_cast<int>(one));
    // Of several members; xz and zstd have blocks or frames then.
    const std::string all = images_of(0, count), half = all.substr(0, all.size() / 2);
    const std::string packed = test::compressed(one, half) + test::compressed(one, all.substr(half.size()));
    expect_same(name, job("4", {"--threads", "2"}, folder.write(name, packed)));
  }
}

TEST_F(LanesCommand, AnIndexChangesNoBit) {
  if (!stages::decodes_pieces()) GTEST_SKIP() << "built without libdeflate";
  std::map<std::string, json> expected;
  for (const char* lanes : {"1", "3", "8"}) expected[lanes] = results_of(trained(job(lanes)));
  ASSERT_EQ(sluice({"index", data + "/train-images-idx3-ubyte.gz", data + "/train-labels-idx1-ubyte.gz"}).code, 0);
  for (const char* lanes : {"1", "3", "8"})
    for (const char* threads : {"1", "2", "5"})
      EXPECT_EQ(results_of(trained(job(lanes, {"--threads", threads}))), expected[lanes]) << lanes << " " << threads;
  EXPECT_NE(expected["1"], expected["3"]);
  EXPECT_NE(expected["3"], expected["8"]);
}

TEST_F(LanesCommand, ForEveryBatchSizeAndOnFromACheckpointWithinAnEpoch) {
  for (const char* batch_size : {"100", "256", "1000"})
    for (const char* lanes : {"3", "8"}) {
      const Arguments job_of = job(lanes, {"--batch-size", batch_size});
      const json expected = results_of(trained(job_of + Arguments{"--threads", "1"}));
      EXPECT_EQ(results_of(trained(job_of + Arguments{"--threads", "3"})), expected);
      const std::string state = folder.path(std::string("state") + batch_size + lanes);
      trained(job_of + Arguments{"--checkpoint", state, "--checkpoint-every", "2"});
      for (const char* more : {"--quiet", "--no-index"})
        EXPECT_EQ(results_of(trained(job_of + Arguments{"--resume", state + ".previous", more})), expected);
    }
}

TEST_F(LanesCommand, OfArraysAndTablesOfEveryFormat) {
  // Of 500 rows; the pixels are whole numbers, with a scale that says so.
  const SmallData small;
  const auto trained_by = [&](const Arguments& files) {
    return trained(Arguments{"train", "--stream", "--lanes", "4", "--epochs", "2", "--batch-size", "50", "--scale",
                             "1/255", "--test-images", small.path("t10k-images-idx3-ubyte.gz"), "--test-labels",
                             small.path("t10k-labels-idx1-ubyte.gz")} +
                   files)["weights_sha256"];
  };
  const std::string bytes = pixel_bytes(train_count, 1);
  const std::vector<std::uint8_t> its = label_bytes(train_count);
  const json expected = trained_by({"--train-images", small.path("train-images-idx3-ubyte.gz"), "--train-labels",
                                    small.path("train-labels-idx1-ubyte.gz")});
  const std::string images = test::npy("|u1", "(500, 6, 7)", bytes),
                    classes = test::npy("|u1", "(500,)", std::string(its.begin(), its.end()));
  EXPECT_EQ(
      trained_by({"--train-images", folder.write("x.npy", images), "--train-labels", folder.write("y.npy", classes)}),
      expected);
  EXPECT_EQ(trained_by({"--train",
                        folder.write("both.npz",
                                     test::zip_file({{.name = "x_train.npy", .data = images},
                                                     {.name = "y_train.npy", .data = classes, .deflated = false}}))}),
            expected);
  // A column after the other.
  std::string columns_first(bytes.size(), '\0');
  for (std::size_t i = 0; i < 500; ++i)
    for (std::size_t r = 0; r < 6; ++r)
      for (std::size_t c = 0; c < 7; ++c) columns_first[i + 500 * (r + 6 * c)] = bytes[(i * 6 + r) * 7 + c];
  EXPECT_EQ(trained_by({"--train-images", folder.write("f.npy", test::npy("|u1", "(500, 6, 7)", columns_first, true)),
                        "--train-labels", folder.path("y.npy")}),
            expected);
  const auto table = [&](std::size_t first, std::size_t last) {
    std::string text = "label";
    for (int p = 0; p < 42; ++p) text += ",pixel" + std::to_string(p);
    for (std::size_t i = first; i < last; ++i) {
      text += "\n" + std::to_string(its[i]);
      for (std::size_t p = 0; p < 42; ++p) text += "," + std::to_string(static_cast<unsigned char>(bytes[i * 42 + p]));
    }
    return text + "\n";
  };
  EXPECT_EQ(trained_by({"--train", folder.write("all.csv", table(0, 500))}), expected);
  EXPECT_EQ(trained_by({"--train", folder.write("a.csv.gz", gzip(table(0, 130))) + "," +
                                       folder.write("b.csv", table(130, 290)) + "," +
                                       folder.write("c.csv", table(290, 500))}),
            expected);
}

TEST_F(LanesCommand, ACheckpointIsOfItsLanes) {
  const std::string state = folder.path("state");
  trained(job("4", {"--checkpoint", state}));
  EXPECT_TRUE(contains(refused(job("2", {"--checkpoint", state})), "is of another job: --lanes is 2, there it was 4"));
}

TEST_F(LanesCommand, WhatLanesReadBeforeTheirRowsIsTold) {
  const std::string images = data + "/train-images-idx3-ubyte.gz";
  if (stages::decodes_pieces()) {
    EXPECT_TRUE(contains(sluice(job("2")).err, "before their rows in " + images + ": sluice index would spare it"));
    EXPECT_FALSE(contains(sluice(job("2", {"--quiet"})).err, "before their rows"));
    EXPECT_FALSE(contains(sluice(job("1")).err, "before their rows"));
    ASSERT_EQ(sluice({"index", images}).code, 0);
    EXPECT_FALSE(contains(sluice(job("2")).err, "before their rows"));
  }
  EXPECT_TRUE(contains(sluice(job("2", {"--decoder", "zlib"})).err, "in every epoch lanes read what lies before"));
  EXPECT_FALSE(contains(sluice(job("2", {}, folder.write("plain", images_of(0, count)))).err, "before their rows"));
}

TEST_F(LanesCommand, TheGraphHasAChainForEachAndStatesItsBound) {
  const Result r = sluice({"graph", "--stream", "--lanes", "3", "--data", data, "--shuffle-buffer", "300"});
  ASSERT_EQ(r.code, 0) << r.err;
  for (const char* stage : {"rows.train-images.0", "rows.train-labels.2", "pair.1", "shuffle.2", "lanes.1", "batch.2"})
    EXPECT_TRUE(contains(r.out, stage)) << stage;
  EXPECT_FALSE(contains(r.out, "undeclared")) << r.out;
  EXPECT_TRUE(contains(r.out, "a shuffle buffer of 300 of 2503 images, shared by 3 lanes"));
  EXPECT_TRUE(contains(r.out, ", 1 for each of 3 lanes; ")) << r.out;
}

TEST_F(LanesCommand, WhatCannotBeIsRefused) {
  EXPECT_TRUE(contains(refused({"train", "--data", data, "--lanes", "2"}), "--lanes: has no effect without --stream"));
  EXPECT_TRUE(contains(refused(job("0")), "--lanes"));
  EXPECT_TRUE(contains(refused(job("8", {"--batch-size", "7"})), "--lanes 8: more than the 7 rows of a batch"));
  const SmallData small;
  EXPECT_TRUE(contains(
      refused({"train", "--stream", "--data", small.folder().path(), "--lanes", "600", "--batch-size", "1000"}),
      "--lanes 600: more than the 500 rows to train on"));
  EXPECT_TRUE(contains(refused({"sweep", "--lanes", "2"}), "--lanes: a sweep holds its data in memory"));
}

}  // namespace
}  // namespace sluice::apps::testing
