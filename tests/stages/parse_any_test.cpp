#include <sluice/stages/parse_any.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/stages/idx_example.hpp"

namespace sluice::stages::testing {
namespace {

std::string items(Pieces pieces) {
  std::string bytes;
  drive(pieces, ParseAny{.name = "f", .wanted = {.label = TableLabel::none}}, [&](const Elements& e) {
    EXPECT_GT(e.count, 0u);
    bytes.append(e.data, e.data + e.count * e.item_bytes());
  });
  return bytes;
}

TEST(ParseAny, GivesTheImagesOfAnArrayWhateverTheChunks) {
  const std::string file = images_file(20, 3, 5);
  for (const std::size_t size : Sizes{1, 3, 4, 16, 17, 1000}) EXPECT_EQ(items({file, size}), file.substr(16)) << size;
}

TEST(ParseAny, GivesTheRowsOfATableWhateverTheChunks) {
  const std::vector<float> values = {1, 2.5, 3, 4, 5.25, 6};
  const std::string expected(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  for (std::size_t size = 1; size < 20; ++size) EXPECT_EQ(items({"1,2.5\n3,4\n5.25,6\n", size}), expected) << size;
}

TEST(ParseAny, WhatIsNeitherIsToldTheSameWhateverTheChunks) {
  for (std::size_t size = 1; size < 30; ++size) {
    expect_error<DataError>([&] { items({"<head><title>404</title>", size}); }, {"f: is an HTML page, "});
    expect_error<DataError>(
        [&] {
          items({"version https://git-lfs.github.com/spec/v1\n", size});
        },
        {"f: is a Git LFS pointer, "});
  }
}

}  // namespace
}  // namespace sluice::stages::testing
