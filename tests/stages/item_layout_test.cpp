#include <sluice/stages/item_layout.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/idx.hpp>
#include <sluice/stages/inflate.hpp>
#include "tests/stages/idx_example.hpp"
#include "tests/support/npy.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::npy;
using Dimensions = std::vector<std::uint64_t>;

ArrayHeader array(const Dimensions& sizes, ElementType type = ElementType::uint8) {
  return {.type = type, .order = std::endian::little, .sizes = sizes, .bytes = 128};
}
ItemLayout images(const Dimensions& sizes, ElementType type = ElementType::uint8) {
  return item_layout(array(sizes, type), ItemKind::images, "f");
}
ItemLayout labels(const Dimensions& sizes, std::optional<std::size_t> column = {},
                  ElementType type = ElementType::uint8) {
  return item_layout(array(sizes, type), ItemKind::labels, "f", column);
}
void expect_images(const Dimensions& sizes, const ItemShape& shape, bool interleaved = false) {
  SCOPED_TRACE(sizes_text(sizes));
  const ItemLayout layout = images(sizes);
  EXPECT_EQ(layout.shape, shape);
  EXPECT_EQ(layout.interleaved, interleaved);
  EXPECT_EQ(layout.stays, !interleaved);
  EXPECT_EQ(layout.values, shape.pixels());
  EXPECT_EQ(layout.item_bytes, shape.pixels());
  EXPECT_EQ(layout.header_bytes, 128u);
  EXPECT_EQ(layout.order, std::endian::little);
}

TEST(ItemLayout, OfImages) {
  expect_images({9, 784}, {.count = 9, .rows = 1, .columns = 784, .flat = true});
  expect_images({9, 1}, {.count = 9, .rows = 1, .columns = 1, .flat = true});
  expect_images({9, 28, 30}, {.count = 9, .rows = 28, .columns = 30});
  expect_images({9, 3, 3}, {.count = 9, .rows = 3, .columns = 3});
  expect_images({9, 1, 28, 30}, {.count = 9, .rows = 28, .columns = 30});
  expect_images({9, 28, 30, 1}, {.count = 9, .rows = 28, .columns = 30});
  expect_images({9, 3, 28, 30}, {.count = 9, .rows = 28, .columns = 30, .planes = 3});
  expect_images({9, 28, 30, 3}, {.count = 9, .rows = 28, .columns = 30, .planes = 3}, true);
  expect_images({9, 28, 1, 3}, {.count = 9, .rows = 28, .columns = 1, .planes = 3}, true);
  // Either reading gives the same bytes: the planes are first.
  expect_images({9, 1, 5, 1}, {.count = 9, .rows = 5, .columns = 1});
  expect_images({9, 3, 5, 1}, {.count = 9, .rows = 5, .columns = 1, .planes = 3});
}

TEST(ItemLayout, ImagesWhosePlanesMayBeFirstOrLastAreAsked) {
  for (const std::uint64_t first : {1u, 3u})
    expect_error<DataError>(
        [&] {
          images({9, first, 5, 3});
        },
        {"f: holds 9 x " + std::to_string(first) +
         " x 5 x 3 of uint8, whose images may have their planes first or last: save x.reshape(len(x), "
         "-1) where they are first, x.transpose(0, 3, 1, 2).reshape(len(x), -1) where they are last"});
}

TEST(ItemLayout, OtherSizesOfImagesAreRefused) {
  for (const Dimensions& sizes : {Dimensions{9, 4, 28, 28}, Dimensions{9, 2, 5, 5}, Dimensions{9, 28, 28, 4}})
    expect_error<DataError>(
        [&] { images(sizes); },
        {"f: holds " + sizes_text(sizes) +
         " of uint8, expected images of 1 or 3 planes, first or last: x.reshape(len(x), -1) makes rows "
         "of values of them"});
  expect_error<DataError>([] { images({9}); },
                          {"f: holds 9 of uint8, expected images, N x P, N x R x C or that with 1 or 3 "
                           "planes: are images and labels swapped?"});
  const std::string five = expect_error<DataError>(
      [] {
        images({9, 3, 4, 5, 6}, ElementType::float16);
      },
      {"f: holds 9 x 3 x 4 x 5 x 6 of float16, expected images"});
  EXPECT_EQ(five.find("swapped"), std::string::npos);
  expect_error<DataError>([] { images({}); }, {"f: holds a single uint8, expected images"});
}

TEST(ItemLayout, OfLabels) {
  for (const Dimensions& sizes : {Dimensions{9}, Dimensions{9, 1}})
    for (const std::optional<std::size_t> column : {std::optional<std::size_t>(), std::optional<std::size_t>(0)}) {
      const ItemLayout layout = labels(sizes, column);
      EXPECT_EQ(layout.shape, (ItemShape{.count = 9}));
      EXPECT_EQ(layout.column, 0u);
      EXPECT_TRUE(layout.stays);
      EXPECT_EQ(layout.item_bytes, 1u);
    }
  const ItemLayout one_hot = labels({9, 10}), column = labels({9, 8}, 7, ElementType::int32);
  EXPECT_EQ(one_hot.shape, (ItemShape{.count = 9}));
  EXPECT_EQ(one_hot.column, std::nullopt);
  EXPECT_FALSE(one_hot.stays);
  EXPECT_EQ(one_hot.type, Pixel::float32);
  EXPECT_EQ(one_hot.item_bytes, 10u);
  EXPECT_EQ(column.column, 7u);
  EXPECT_EQ(column.item_bytes, 32u);
  expect_error<DataError>(
      [] {
        labels({9, 8}, 8);
      },
      {"f: labels of 8 numbers, and column 9 was asked for, expected 1 to 8"});
  expect_error<DataError>([] { labels({9}, 1); },
                          {"f: labels of 1 number, and column 2 was asked for, expected 1 to 1"});
  expect_error<DataError>(
      [] {
        labels({9, 28, 28});
      },
      {"f: holds 9 x 28 x 28 of uint8, expected labels, N or N x M: are images and labels swapped?"});
  expect_error<DataError>([] { labels({}); }, {"f: holds a single uint8, expected labels, N or N x M"});
}

TEST(ItemLayout, WhatStaysAsItIsAndWhatItBecomes) {
  for (const ElementType type : {ElementType::uint8, ElementType::boolean}) {
    EXPECT_TRUE(images({9, 5, 5}, type).stays);
    EXPECT_EQ(images({9, 5, 5, 3}, type).type, Pixel::uint8);
    EXPECT_EQ(labels({9, 1}, {}, type).type, Pixel::uint8);
  }
  for (const ElementType type : {ElementType::int8, ElementType::float32, ElementType::uint64}) {
    EXPECT_FALSE(images({9, 5, 5}, type).stays);
    EXPECT_EQ(images({9, 5, 5}, type).type, Pixel::float32);
    EXPECT_EQ(images({9, 5, 5}, type).item_bytes, 25 * element_type_bytes(type));
  }
}

TEST(ItemLayout, SizesThatCannotBeAreRefused) {
  constexpr std::uint64_t most = 0xffffffffffffffff;
  const auto refused = [](const Dimensions& sizes, ItemKind kind, const std::string& text) {
    expect_error<DataError>([&] { item_layout(array(sizes), kind, "f"); }, {"f: the header promises " + text});
  };
  refused({0, 28, 28}, ItemKind::images, "0 images, expected at least 1: is it damaged?");
  refused({0}, ItemKind::labels, "0 labels, expected at least 1: is it damaged?");
  refused({9, 0, 28}, ItemKind::images, "images of 0 x 28 pixels, expected at least 1 x 1: is it damaged?");
  refused({9, 3, 0, 28}, ItemKind::images, "images of 3 x 0 x 28 pixels, expected at least 1 x 1");
  refused({9, most, most, 0}, ItemKind::images, "images of 18446744073709551615 x 18446744073709551615 x 0 pixels");
  refused({9, 0}, ItemKind::labels, "labels of 0 numbers, expected at least 1");
  refused({9, most, 2}, ItemKind::images,
          "images of 18446744073709551615 x 2 pixels, expected at most 67108864 pixels");
  refused({9, std::uint64_t{1} << 32, std::uint64_t{1} << 32}, ItemKind::images, "images of 4294967296 x 4294967296");
  refused({9, 3, 8192, 8192}, ItemKind::images, "images of 3 x 8192 x 8192 pixels, expected at most 67108864 pixels");
  refused({9, most_pixels + 1}, ItemKind::images, "images of 67108865 pixels");
  refused({9, most_pixels + 1}, ItemKind::labels, "labels of 67108865 numbers, expected at most 67108864 numbers");
  refused({most, 2}, ItemKind::images, "18446744073709551615 x 2 of uint8, expected less than 2^64 bytes");
  EXPECT_EQ(images({most, 1}).shape.count, most);
  EXPECT_EQ(images({9, 8192, 8192}).values, most_pixels);
  expect_error<DataError>([] { labels({most / 8 + 1}, {}, ElementType::int64); }, {"expected less than 2^64 bytes"});
}

TEST(ItemLayout, OfAFileWhateverTheChunksOfItsSource) {
  const Folder folder;
  const std::string idx = folder.write("idx", images_file(4, 3, 5)),
                    numpy = folder.write("npy", npy("<f4", "(4, 3, 5)", "abc", true));
  for (const std::size_t chunk : Sizes{1, 7, 16, 127, 1000}) {
    const ItemLayout a = layout_of(Inflate{.path = idx, .chunk_bytes = chunk}, ItemKind::images, idx),
                     b = layout_of(Inflate{.path = numpy, .chunk_bytes = chunk}, ItemKind::images, numpy);
    EXPECT_EQ(a.shape, (ItemShape{4, 3, 5}));
    EXPECT_EQ(a.header_bytes, 16u);
    EXPECT_FALSE(a.reordered);
    EXPECT_EQ(b.shape, (ItemShape{4, 3, 5, ElementType::float32}));
    EXPECT_EQ(b.header_bytes, 128u);
    EXPECT_TRUE(b.reordered);
  }
  const auto refused = [&](const std::string& bytes, ItemKind kind, const std::string& text) {
    const std::string path = folder.write("f", bytes);
    expect_error<DataError>([&] { layout_of(Inflate{.path = path}, kind, path); }, {path + ": " + text});
  };
  refused("ab", ItemKind::images,
          "ends after 2 bytes, expected an IDX header of 16 bytes: is it an IDX file of images?");
  refused(header({0x804, 1, 2}), ItemKind::images, "ends after 12 bytes, expected an IDX header of 20 bytes");
  refused(header({0x801}), ItemKind::labels,
          "ends after 4 bytes, expected an IDX header of 8 bytes: is it an IDX file of "
          "labels?");
  refused("\x93NUMPY", ItemKind::images, "ends after 6 bytes, expected a NumPy header of 8 bytes: was it cut short?");
  refused(npy("<f4", "(4, 3, 5)", "").substr(0, 127), ItemKind::images,
          "ends after 127 bytes, expected a NumPy header of 128 bytes: was it cut short?");
  refused("abcdef", ItemKind::images,
          "IDX magic 0x61626364, expected 0x00000803: is it an IDX file, or one of NumPy's?");
}

TEST(ItemLayout, FilesThatBelongTogetherHaveItemsOfOneSizeAndType) {
  const auto refused = [](ItemKind kind, const ItemShape& a, const ItemShape& b, const std::string& text) {
    expect_error<DataError>([&] { check_same_items(kind, a, "b", b, "a"); }, {text});
  };
  const ItemShape grey{9, 3, 5};
  check_same_items(ItemKind::images, {4, 3, 5}, "b", grey, "a");
  refused(ItemKind::images, {4, 5, 3}, grey,
          "b: images of 5 x 3 pixels, uint8, expected 3 x 5 pixels, uint8 as in a: do they belong together?");
  refused(ItemKind::images, {.count = 4, .columns = 15, .flat = true}, grey,
          "b: images of 15 values, uint8, expected 3 x 5");
  refused(ItemKind::images, {.count = 4, .rows = 3, .columns = 5, .planes = 3}, grey, "b: images of 3 x 3 x 5 pixels");
  refused(ItemKind::images, {4, 3, 5, ElementType::boolean}, grey, "b: images of 3 x 5 pixels, bool, expected 3 x 5");
  refused(ItemKind::labels, {4, 1, 1, ElementType::int64}, {4},
          "b: labels of int64, expected uint8 as in a: do they belong together?");
}

}  // namespace
}  // namespace sluice::stages::testing
