#include <sluice/stages/idx.hpp>

#include <gtest/gtest.h>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/item_layout.hpp>
#include "tests/stages/idx_example.hpp"

namespace sluice::stages::testing {
namespace {

ItemShape parsed(std::initializer_list<std::uint32_t> words, ItemKind kind) {
  const std::string bytes = header(words);
  std::vector<std::uint8_t> taken;
  std::span<const std::uint8_t> data(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  const auto layout = take_layout(taken, data, kind, "f.gz");
  if (!layout) refuse_short_header(taken, kind, "f.gz");
  EXPECT_EQ(layout->header_bytes, bytes.size());
  return layout->shape;
}
void refused(std::initializer_list<std::uint32_t> words, ItemKind kind, std::initializer_list<std::string_view> parts) {
  expect_error<DataError>([&] { parsed(words, kind); }, parts);
}

constexpr std::array idx_types{ElementType::uint8, ElementType::int8,    ElementType::int16,
                               ElementType::int32, ElementType::float32, ElementType::float64};

TEST(Idx, ReadsSizesAsBigEndianNumbers) {
  EXPECT_EQ(parsed({0x803, 60000, 28, 30}, ItemKind::images), (ItemShape{60000, 28, 30}));
  EXPECT_EQ(parsed({0x801, 0x01020304}, ItemKind::labels), (ItemShape{0x01020304, 1, 1}));
}

TEST(Idx, ImagesAndLabelsAreOfAnyTypeThatItHas) {
  for (const ElementType type : idx_types) {
    const auto magic = std::uint32_t{idx_code(type)} << 8;
    const ItemShape shape{7, 2, 3, type};
    EXPECT_EQ(parsed({magic | 3, 7, 2, 3}, ItemKind::images), shape);
    const std::vector<std::uint8_t> written = idx_header(ItemKind::images, shape);
    const ArrayHeader header = parse_any_idx_header(written.data());
    EXPECT_EQ(header.sizes, (std::vector<std::uint64_t>{7, 2, 3}));
    EXPECT_EQ(header.type, type);
    EXPECT_EQ(header.bytes, written.size());
    EXPECT_EQ(parsed({magic | 1, 7}, ItemKind::labels), (ItemShape{7, 1, 1, type}));
  }
  for (const ElementType type : {ElementType::boolean, ElementType::uint16, ElementType::uint32, ElementType::uint64,
                                 ElementType::int64, ElementType::float16})
    EXPECT_EQ(idx_code(type), 0) << element_type_name(type);
}

TEST(Idx, SwappedFilesAreNamedAsSuch) {
  refused({0xb01, 1, 1, 1}, ItemKind::images, {"are images and labels swapped?"});
  refused({0xd01, 1, 1, 1}, ItemKind::images, {"are images and labels swapped?"});
  refused({0xd03, 1}, ItemKind::labels, {"are images and labels swapped?"});
  refused({0x804, 1}, ItemKind::labels, {"are images and labels swapped?"});

  refused({0x801, 1, 1, 1}, ItemKind::images,
          {"f.gz: IDX magic 0x00000801, expected 0x00000803: are images and labels swapped?"});
  refused({0x803, 1}, ItemKind::labels,
          {"f.gz: IDX magic 0x00000803, expected 0x00000801: are images and labels swapped?"});
}

TEST(Idx, EveryOtherMagicIsRefusedWithALikelyReason) {
  refused({0x805, 1, 1, 1}, ItemKind::images, {"0x00000805", "its items have 4 dimensions, expected 1 to 3"});
  refused({0xdff, 1, 1, 1}, ItemKind::images, {"0x00000dff", "its items have 254 dimensions, expected 1 to 3"});
  refused({0xa03, 1, 1, 1}, ItemKind::images, {"is it an IDX file, or one of NumPy's?"});
  refused({0x800, 1, 1, 1}, ItemKind::images, {"is it an IDX file, or one of NumPy's?"});
  refused({0x03080000, 1, 1, 1}, ItemKind::images, {"wrong order?"});
  refused({0x1f8b0800, 1, 1, 1}, ItemKind::images, {"it is compressed by gzip within: was it compressed twice?"});
  refused({0x425a6839, 1, 1, 1}, ItemKind::images, {"it is compressed by bzip2 within: was it compressed twice?"});
  refused({0xfd377a58, 1, 1, 1}, ItemKind::images, {"it is compressed by xz within: was it compressed twice?"});
  refused({0x28b52ffd, 1}, ItemKind::labels, {"it is compressed by zstd within: was it compressed twice?"});
  refused({0x504b0304, 1, 1, 1}, ItemKind::images, {"f.gz: is a zip archive, expected data to train on"});
  refused({0x3c21444f, 1}, ItemKind::labels, {"f.gz: is an HTML or XML page, expected data to train on"});
  refused({0x89504e47, 1, 1, 1}, ItemKind::images, {"is it an IDX file, or one of NumPy's?"});
  refused({0, 1, 1, 1}, ItemKind::images, {"0x00000000"});
}

TEST(Idx, BytesHaveSomethingOfTheItemsThatTheyReachInto) {
  const auto items = [](std::uint64_t begin, std::uint64_t end) {
    const ItemRange range = items_in(16, 10, begin, end);
    return std::pair(range.first, range.last);
  };
  using Range = std::pair<std::uint64_t, std::uint64_t>;
  EXPECT_EQ(items(0, 16), Range(0, 0)) << "the header";
  EXPECT_EQ(items(0, 17), Range(0, 1));
  EXPECT_EQ(items(16, 26), Range(0, 1));
  EXPECT_EQ(items(16, 27), Range(0, 2)) << "a byte of the next";
  EXPECT_EQ(items(25, 26), Range(0, 1)) << "the last byte";
  EXPECT_EQ(items(26, 36), Range(1, 2));
  EXPECT_EQ(items(35, 57), Range(1, 5));
  EXPECT_EQ(items(30, 30), Range(0, 0)) << "none";
}

TEST(Idx, ZeroItemsRowsOrColumnsAreRefused) {
  refused({0x803, 0, 28, 28}, ItemKind::images, {"f.gz", "promises 0 images, expected at least 1"});
  refused({0x801, 0}, ItemKind::labels, {"f.gz", "promises 0 labels, expected at least 1"});
  refused({0x803, 1, 0, 28}, ItemKind::images, {"f.gz", "0 x 28", "at least 1 x 1"});
  refused({0x803, 1, 28, 0}, ItemKind::images, {"f.gz", "28 x 0", "at least 1 x 1"});
  refused({0x802, 1, 0}, ItemKind::images, {"f.gz: the header promises images of 0 pixels, expected at least 1 x 1"});
  refused({0x802, 1, 0}, ItemKind::labels, {"f.gz: the header promises labels of 0 numbers, expected at least 1"});
}

TEST(Idx, SizesWhoseProductOverflowsAreRefused) {
  constexpr std::uint32_t most = 0xffffffff;
  refused({0x803, most, most, most}, ItemKind::images, {"f.gz", "4294967295 x 4294967295", "at most"});
  refused({0x804, 1, most, most, most}, ItemKind::images, {"at most 67108864 pixels"});
  refused({0x803, 1, 0x10000, 0x10000}, ItemKind::images, {"65536 x 65536"});
  refused({0x803, 1, 0x80000000, 2}, ItemKind::images, {"at most"});
  refused({0x803, 1, 8193, 8192}, ItemKind::images, {"at most 67108864 pixels"});
  refused({0x802, 1, most_pixels + 1}, ItemKind::labels, {"labels of 67108865 numbers, expected at most 67108864"});
  EXPECT_EQ(parsed({0x803, most, 8192, 8192}, ItemKind::images).pixels(), most_pixels);
}

TEST(IdxHeader, WithoutElementsTakesNoBytesForThem) {
  constexpr std::uint32_t most = 0xffffffff;
  EXPECT_EQ((ArrayHeader{.type = ElementType::uint8, .sizes = {most, most, most, 0}}.element_bytes()), 0u);
  EXPECT_EQ((ArrayHeader{.type = ElementType::uint8, .sizes = {most, most, most}}.element_bytes()), std::nullopt);
  EXPECT_EQ((ArrayHeader{.type = ElementType::float64, .sizes = {3, 5}}.element_bytes()), 120u);
  const std::string bytes = header({0xcff});
  EXPECT_EQ(any_idx_header_bytes(reinterpret_cast<const std::uint8_t*>(bytes.data())), 4u + 4 * 255);
}

}  // namespace
}  // namespace sluice::stages::testing
