#include <sluice/stages/join.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include <sluice/stages/errors.hpp>
#include "tests/support/drive.hpp"
#include "tests/support/files.hpp"

namespace sluice::stages {
namespace {

using sluice::test::expect_error;

// `images` images of 3 x 5 pixels and `labels` labels 0, 1, .. 6, 0, ..
struct Files {
  Files(std::size_t images, std::size_t labels) : pixels(images * 15, 1), classes(labels) {
    auto& [a, b] = rows;
    a.shape.rows = 3, a.shape.columns = 5;
    a.first = b.first = 512;
    a.owners.resize(2);
    for (std::size_t i = 0; i < images; ++i) a.at.push_back(&pixels[15 * i]);
    for (std::size_t i = 0; i < labels; ++i) {
      classes[i] = static_cast<std::uint8_t>(i % 7);
      b.at.push_back(&classes[i]);
    }
  }
  std::vector<std::uint8_t> pixels, classes;
  LabelledRows rows;
};

TEST(Join, MakesABatchOfViews) {
  const Files files(20, 20);
  Batch batch;
  Join{.images = "i", .labels = "l"}(files.rows, batch);
  EXPECT_EQ(batch.rows, std::get<0>(files.rows).at);
  EXPECT_EQ(batch.pixels, 15u);
  EXPECT_EQ(batch.columns, 5u);
  EXPECT_EQ(batch.first, 512u);
  EXPECT_EQ(batch.owners.size(), 2u);
  ASSERT_EQ(batch.labels.size(), 20u);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(batch.labels[i], i % 7);
}

TEST(Join, UsesABatchAgain) {
  Batch batch;
  Join{}(Files(20, 20).rows, batch);
  const Files files(3, 3);
  Join{}(files.rows, batch);
  EXPECT_EQ(batch.count(), 3u);
  EXPECT_EQ(batch.labels.size(), 3u);
  Unlabelled{}(std::get<0>(files.rows), batch);
  EXPECT_EQ(batch.count(), 3u);
  EXPECT_TRUE(batch.labels.empty());
}

TEST(Join, OtherNumbersOfImagesAndLabelsAreAnErrorThatNamesBothFiles) {
  Batch batch;
  for (const std::size_t labels : {19u, 21u})
    expect_error<DataError>([&] { (Join{.images = "i", .labels = "l"}(Files(20, labels).rows, batch)); },
                            {"i and l have different numbers of images and labels", "belong together?"});
}

TEST(Join, ImagesOfAnotherSizeAreAnErrorThatNamesTheirs) {
  Batch batch;
  expect_error<DataError>(
      [&] { (Unlabelled{.wanted = {.pixels = 14}, .images = "i"}(std::get<0>(Files(2, 2).rows), batch)); },
      {"i: images of 3 x 5 pixels, expected 14 pixels"});
}

TEST(Join, StatesTheMemoryOfItsBatchesWhereItKnowsTheirRows) {
  Join join;
  EXPECT_EQ(join.payload_bytes(), std::nullopt);
  join.rows = 10;
  EXPECT_GE(join.payload_bytes().value_or(0), 10 * (sizeof(void*) + sizeof(std::uint16_t)));
}

}  // namespace
}  // namespace sluice::stages
