// sluice eval and sluice predict, as they are run.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/apps/data.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"
#include "tests/support/gzip.hpp"

namespace sluice::apps::testing {
namespace {

class StoredModel : public ::testing::Test {
 protected:
  StoredModel()
      : training(trained({"train", "--data", data.folder().path(), "--epochs", "3", "--batch-size", "50", "--output",
                          model, "--class-names", "a,\"b\",c"})) {}
  Result predict(const Arguments& more) const {
    return sluice(Arguments{"predict", "--model", model, "--images", images} + more);
  }

  const SmallData data;
  const std::string model = data.path("model"), images = data.path("t10k-images-idx3-ubyte.gz");
  const json training;
};

TEST_F(StoredModel, EvalSaysWhatTheTrainingSaidOfTheTestSet) {
  const Result r = sluice({"eval", "--model", model, "--data", data.folder().path(), "--json"});
  ASSERT_EQ(r.code, 0) << r.err;
  const json object = json::parse(r.out, nullptr, false);
  EXPECT_EQ(object["loss"], training["test_loss"]);
  EXPECT_EQ(object["accuracy"], training["test_accuracy"]);
  EXPECT_EQ(object["count"], test_count);
  EXPECT_EQ(object["classes"][1]["name"], "\"b\"");
  for (const char* threads : {"1", "3"})
    EXPECT_EQ(sluice({"eval", "--model", model, "--data", data.folder().path(), "--json", "--threads", threads}).out,
              r.out);
}

TEST_F(StoredModel, PredictHasALineForEachImageInOrder) {
  const Result r = predict({"--top-k", "2", "--probabilities"});
  ASSERT_EQ(r.code, 0) << r.err;
  const std::vector<std::string> all = lines(r.out);
  ASSERT_EQ(all.size(), test_count);
  const std::vector<std::uint8_t> labels = label_bytes(test_count);
  std::size_t hits = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const json line = json::parse(all[i], nullptr, false);
    ASSERT_EQ(line["index"], i);
    const std::size_t c = line["class"];
    hits += c == labels[i];
    EXPECT_EQ(line["top"][0]["class"], c);
    EXPECT_GE(line["top"][0]["probability"], line["top"][1]["probability"]);
    EXPECT_EQ(line["probabilities"][c], line["probability"]);
    double sum = 0;
    for (const double p : line["probabilities"]) sum += p;
    EXPECT_NEAR(sum, 1, 1e-5);
  }
  EXPECT_EQ(static_cast<double>(hits) / test_count, training["test_accuracy"]);
  EXPECT_EQ(predict({"--top-k", "2", "--probabilities", "--threads", "3"}).out, r.out);
}

TEST_F(StoredModel, PredictReadsAPipeAndPrintsCsv) {
  const Result r = run({"bash", "-c",
                        "zcat '" + images + "' | '" + sluice_path() + "' predict --model '" + model +
                            "' --images - --format csv | head -n 2; exit ${PIPESTATUS[1]}"});
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_EQ(r.err, "");
  EXPECT_EQ(lines(r.out).at(0), "index,class,name,probability");
  EXPECT_TRUE(lines(r.out).at(1).starts_with("0,")) << r.out;
}

TEST_F(StoredModel, WhatDoesNotFitIsRefusedWithWhatWasExpected) {
  const std::string other = data.folder().write("other", test::idx_images(std::string(3 * 25, 'x'), 5, 5));
  const Result size = sluice({"predict", "--model", model, "--images", other});
  EXPECT_EQ(size.code, 3);
  EXPECT_TRUE(contains(size.err, "images of 5 x 5 pixels, expected 42 pixels")) << size.err;
  const Result count =
      sluice({"eval", "--model", model, "--images", images, "--labels", data.path("train-labels-idx1-ubyte.gz")});
  EXPECT_EQ(count.code, 3);
  EXPECT_TRUE(contains(count.err, "different numbers of images and labels")) << count.err;
  const Result none = sluice({"eval", "--model", data.path("nothing")});
  EXPECT_EQ(none.code, 3);
  EXPECT_EQ(sluice({"eval", "--model", model, "--json", "--csv"}).code, 2);
  EXPECT_EQ(sluice({"eval"}).code, 2);
  EXPECT_EQ(sluice({"predict", "--model", model}).code, 2);
  EXPECT_EQ(sluice({"predict", "--model", model, "--images", images, "--scale", "0"}).code, 2);
}

}  // namespace
}  // namespace sluice::apps::testing
