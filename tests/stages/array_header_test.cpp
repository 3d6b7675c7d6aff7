#include <sluice/stages/array_header.hpp>

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

#include "tests/stages/idx_example.hpp"
#include "tests/support/npy.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::npy;

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

struct File {
  std::string bytes, text;
  std::size_t header;
};

std::vector<File> files() {
  return {{images_file(4, 3, 5), "4 x 3 x 5 of uint8", 16},
          {labels_file(9, 3), "9 of uint8", 8},
          {header({0xd04, 2, 3, 4, 5}) + "abc", "2 x 3 x 4 x 5 of float32", 20},
          {npy("<i8", "(2, 3)", "abc"), "2 x 3 of int64", 128},
          {npy(">f2", "(7,)", "", true, 3), "7 of float16", 128},
          {npy("|b1", "()", "a"), "a single bool", 128}};
}

TEST(ArrayHeader, IsTakenWhateverTheChunksAndNotAByteMore) {
  for (const File& file : files())
    for (std::size_t chunk = 1; chunk <= file.bytes.size() + 1; ++chunk) {
      std::vector<std::uint8_t> header;
      std::size_t at = 0;
      for (;;) {
        ASSERT_LT(at, file.bytes.size());
        const std::string part = file.bytes.substr(at, chunk);
        auto data = bytes_of(part);
        const bool complete = take_array_header(header, data, "f");
        at += part.size() - data.size();
        if (complete) break;
        EXPECT_TRUE(data.empty());
      }
      EXPECT_EQ(at, file.header);
      EXPECT_TRUE(is_array(header));
      EXPECT_EQ(std::string(header.begin(), header.end()), file.bytes.substr(0, file.header));
      const ArrayHeader parsed = parse_array_header(header, "f");
      EXPECT_EQ(array_text(parsed), file.text);
      EXPECT_EQ(parsed.bytes, file.header);
    }
}

TEST(ArrayHeader, WhatIsNeitherFormatIsToldByItsFirstFourBytes) {
  for (const std::string& file : {std::string("PK\3\4and more"), std::string("<html>"), std::string(100, '\0'),
                                  std::string("\0\0\x0a\3aaaa", 8), std::string("\0\1\x08\3aaaa", 8)}) {
    std::vector<std::uint8_t> header;
    auto data = bytes_of(file).first(3);
    EXPECT_FALSE(take_array_header(header, data, "f"));
    data = bytes_of(file).subspan(3);
    EXPECT_TRUE(take_array_header(header, data, "f"));
    EXPECT_EQ(header.size(), array_start_bytes);
    EXPECT_FALSE(is_array(header));
  }
}

TEST(ArrayHeader, OrderMattersOnlyWhereTwoSizesAreLargerThanOne) {
  const auto reordered = [](const std::string& shape, bool fortran_order) {
    const std::string file = npy("<i2", shape, "", fortran_order);
    return parse_array_header(bytes_of(file), "f").is_reordered();
  };
  for (const char* shape : {"(3, 4)", "(3, 1, 4)", "(1, 3, 4)", "(3, 4, 1)", "(2, 2, 2, 2)"}) {
    EXPECT_TRUE(reordered(shape, true)) << shape;
    EXPECT_FALSE(reordered(shape, false)) << shape;
  }
  for (const char* shape : {"()", "(3,)", "(3, 1)", "(1, 3)", "(1, 1, 5, 1)", "(0, 3)"})
    EXPECT_FALSE(reordered(shape, true)) << shape;
}

}  // namespace
}  // namespace sluice::stages::testing
