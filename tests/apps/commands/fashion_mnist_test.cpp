// The job that people come for, on the real files where they are installed.
#include <gtest/gtest.h>

#include <filesystem>

#include <sluice/stages/model_file.hpp>
#include "apps/job/class_names.hpp"
#include "tests/apps/json.hpp"
#include "tests/apps/program.hpp"
#include "tests/support/files.hpp"

namespace sluice::apps::testing {
namespace {

class FashionMnist : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"))
      GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  }
};

TEST_F(FashionMnist, TheDefaultsGiveTheChaptersNumbers) {
  const json r = trained({"train"});
  EXPECT_EQ(r["data"],
            (json{{"train", 60000}, {"test", 10000}, {"planes", 1}, {"rows", 28}, {"columns", 28}, {"classes", 10}}));
  EXPECT_EQ(r["epochs"].size(), 10u);
  EXPECT_NEAR(r["train_loss"].get<double>(), 0.447, 0.005);
  EXPECT_NEAR(r["train_accuracy"].get<double>(), 0.848, 0.003);
  EXPECT_NEAR(r["test_accuracy"].get<double>(), 0.83, 0.02);
}

TEST_F(FashionMnist, BeforeTrainingTheModelGuesses) {
  const json r = trained({"train", "--epochs", "1", "--lr", "1e-30"});  // the weights stay what they were
  EXPECT_NEAR(r["test_accuracy"].get<double>(), 0.1066, 5e-5);
  EXPECT_NEAR(r["test_loss"].get<double>(), 2.3, 0.1);  // log(10)
}

TEST_F(FashionMnist, TheSameBitsForEveryDivisionOfTheWork) {
  const Arguments two{"train", "--epochs", "2"};
  const json expected = results_of(trained(two + Arguments{"--threads", "1", "--shards", "1", "--isa", "portable"}));
  EXPECT_EQ(results_of(trained(two)), expected);
  EXPECT_EQ(results_of(trained(two + Arguments{"--threads", "4", "--shards", "3"})), expected);
}

TEST_F(FashionMnist, TheNumbersInTheDocumentsAreThoseOfTheDefaults) {
  const std::string printed = sluice({"train", "--quiet"}).out, readme = source("README.md");
  for (const char* beginning : {"train loss ", "weights sha256 "})
    EXPECT_TRUE(contains(readme, "\n" + line_with(printed, beginning) + "\n")) << printed;
  const std::string chapter = source("docs/from-the-chapter.md");
  EXPECT_TRUE(contains(chapter, "\n" + line_with(printed, "train loss ") + "\n")) << printed;
}

TEST_F(FashionMnist, ItsNamesAreStoredWithTheModel) {
  const test::Folder folder;
  trained({"train", "--epochs", "1", "--output", folder.path("m")});
  const auto names = stored_class_names(stages::load_model(folder.path("m")).metadata, 10);
  ASSERT_EQ(names.size(), 10u);
  EXPECT_EQ(names[0], "T-shirt/top");
  EXPECT_EQ(names[9], "Ankle boot");
}

TEST_F(FashionMnist, GraphWorksWithoutFlags) {
  const Result r = sluice({"graph"});
  EXPECT_EQ(r.code, 0) << r.err;
  EXPECT_TRUE(contains(r.out, "images of 28 x 28 pixels")) << r.out;
}

}  // namespace
}  // namespace sluice::apps::testing
