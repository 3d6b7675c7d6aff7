// Arrays of NumPy's, and of IDX with more sizes than usual, as images and as labels.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <sluice/stages/each_file.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/idx.hpp>
#include <sluice/stages/parse.hpp>
#include <sluice/stages/stored_number.hpp>
#include "tests/stages/idx_example.hpp"
#include "tests/support/npy.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::as_bytes;
using sluice::test::npy;
using sluice::test::npy_text;

// What came of a file: all values, as floats, and the last Elements.
struct Outcome {
  std::vector<float> values;
  ItemShape shape;
  Pixel type{};
};
template <class Parser>
Outcome parsed(const std::string& file, Parser parser, std::size_t chunk) {
  Outcome o;
  std::uint64_t next = 0;
  drive(Pieces(file, chunk), parser, [&](const Elements& e) {
    EXPECT_EQ(e.first, next);
    EXPECT_EQ(e.in_file, next);
    EXPECT_GT(e.count, 0u);
    EXPECT_LE(e.count * e.item_bytes(), std::max(std::max(parser.chunk_bytes, e.item_bytes()), chunk));
    next += e.count;
    o.shape = e.shape, o.type = e.type;
    for (std::size_t i = 0; i < e.count * e.shape.pixels(); ++i)
      o.values.push_back(e.type == Pixel::uint8 ? static_cast<float>(e.data[i])
                                                : reinterpret_cast<const float*>(e.data)[i]);
  });
  EXPECT_EQ(next, o.shape.count);
  return o;
}

void expect_images(const std::string& file, const std::vector<float>& values, const ItemShape& shape, Pixel type) {
  for (const std::size_t chunk : Sizes{1, 7, 16, 100, 1000})
    for (const std::size_t piece : Sizes{1, 24, 1 << 20}) {
      SCOPED_TRACE(std::to_string(chunk) + ", " + std::to_string(piece));
      const Outcome o = parsed(file, ParseImages{.paths = {"f"}, .chunk_bytes = piece}, chunk);
      EXPECT_EQ(o.values, values);
      EXPECT_EQ(o.shape, shape);
      EXPECT_EQ(o.type, type);
    }
}
void expect_labels(const std::string& file, const std::vector<float>& values, std::optional<std::size_t> column = {}) {
  for (const std::size_t chunk : Sizes{1, 7, 16, 100, 1000})
    for (const std::size_t piece : Sizes{1, 24, 1 << 20}) {
      SCOPED_TRACE(chunk);
      const ParseLabels parse{.paths = {"f"}, .chunk_bytes = piece, .label_column = column};
      EXPECT_EQ(parsed(file, parse, chunk).values, values);
    }
}
void labels_refused(const std::string& file, std::initializer_list<std::string_view> parts, std::size_t classes = 0,
                    std::optional<std::size_t> column = {}) {
  for (const std::size_t chunk : Sizes{1, 13, 1000})
    expect_error<DataError>(
        [&] { parsed(file, ParseLabels{.paths = {"f"}, .classes = classes, .label_column = column}, chunk); }, parts);
}
void images_refused(const std::string& file, std::initializer_list<std::string_view> parts) {
  for (const std::size_t chunk : Sizes{1, 13, 1000})
    expect_error<DataError>([&] { parsed(file, ParseImages{.paths = {"f"}}, chunk); }, parts);
}

// Values of a type, in both orders of bytes, as images of 1 x 2.
template <class T>
void expect_type(const std::string& name, ElementType type, const std::vector<T>& values,
                 const std::vector<float>& expected) {
  SCOPED_TRACE(name);
  const std::uint64_t count = values.size() / 2;
  for (const std::endian order : {std::endian::little, std::endian::big}) {
    const std::string descr = (order == std::endian::little ? "<" : ">") + name;
    expect_images(npy(descr, "(" + std::to_string(count) + ", 1, 2)", as_bytes(values, order)), expected,
                  {count, 1, 2, type}, Pixel::float32);
  }
}

TEST(ParseArrays, EveryTypeInEitherOrderOfBytesBecomesFloat32) {
  expect_type<std::int8_t>("i1", ElementType::int8, {-128, -1, 0, 127}, {-128, -1, 0, 127});
  expect_type<std::int16_t>("i2", ElementType::int16, {-32768, -2, 258, 32767}, {-32768, -2, 258, 32767});
  expect_type<std::uint16_t>("u2", ElementType::uint16, {0, 1, 258, 65535}, {0, 1, 258, 65535});
  expect_type<std::uint32_t>("u4", ElementType::uint32, {0, 1, 0x1000001, 0xffffffff}, {0, 1, 0x1000000, 0x1p32f});
  expect_type<std::int32_t>("i4", ElementType::int32, {INT32_MIN, -1, 0x1000003, INT32_MAX},
                            {-0x1p31f, -1, 0x1000004, 0x1p31f});
  // Halfway is rounded to even, and just above it up: not by way of a double.
  expect_type<std::int64_t>("i8", ElementType::int64,
                            {INT64_MIN, -1, 0x1000001, 0x1000003, INT64_MAX, 0x2000003000000001, 0x4000004000000001, 5},
                            {-0x1p63f, -1, 0x1p24f, 0x1000004, 0x1p63f, 0x2000004000000000, 0x4000008000000000, 5});
  expect_type<std::uint64_t>("u8", ElementType::uint64, {0, 1, UINT64_MAX, 0x8000008000000001},
                             {0, 1, 0x1p64f, 0x8000010000000000});
  expect_type<std::uint16_t>("f2", ElementType::float16, {0x3c00, 0xc000, 0x0001, 0x7bff}, {1, -2, 0x1p-24f, 65504});
  expect_type<float>("f4", ElementType::float32, {-1.5f, 0.1f, 1e-40f, 3e38f}, {-1.5f, 0.1f, 1e-40f, 3e38f});
  expect_type<double>("f8", ElementType::float64, {-1.5, 0.1, 1e-300, 3e38}, {-1.5f, 0.1f, 0, 3e38f});
}

TEST(ParseArrays, BytesAndBooleansStayWhereTheyLie) {
  for (const auto& [descr, type] : {std::pair{"|u1", ElementType::uint8}, {"|b1", ElementType::boolean}}) {
    const std::string file = npy(descr, "(3, 2, 2)", std::string("\1\0\1\1\0\0\0\1\1\1\1\0", 12));
    expect_images(file, {1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 0}, {3, 2, 2, type}, Pixel::uint8);
    Pieces pieces(file, 1000);
    Chunk chunk;
    ASSERT_TRUE(pieces(chunk));
    ParseImages parse{.paths = {"f"}};
    parse.push(chunk);
    Elements elements;
    ASSERT_TRUE(parse.pull(elements));
    EXPECT_EQ(elements.data, chunk.data + 128);
    EXPECT_EQ(elements.owner.get(), chunk.owner.get());
  }
}

TEST(ParseArrays, ABooleanIsZeroOrOne) {
  images_refused(npy("|b1", "(3, 1, 2)", std::string("\1\0\1\2\0\0", 6)),
                 {"f: pixel 1 of image 1 is 2, expected 0 or 1, as booleans are"});
  images_refused(npy("|b1", "(1, 1, 2, 3)", std::string("\1\0\1\1\0\xff", 6)), {"holds 1 x 1 x 2 x 3"});
  images_refused(npy("|b1", "(1, 2, 1, 3)", std::string("\1\0\1\1\0\xff", 6)), {"f: pixel 5 of image 0 is 255"});
  labels_refused(npy("|b1", "(3,)", std::string("\1\0\2", 3)), {"f: label 2 of image 2, expected 0 to 1"});
  labels_refused(npy("|b1", "(3,)", std::string("\1\0\2", 3)), {"f: label 2 of image 2, expected 0 to 1"}, 10);
  labels_refused(npy("|b1", "(3, 2)", std::string("\1\0\1\2\1\0", 6)), {"f: label 2 of image 1, expected 0 to 1"}, 0,
                 1);
  expect_labels(npy("|b1", "(3,)", std::string("\1\0\1", 3)), {1, 0, 1});
}

TEST(ParseArrays, ColoursBecomePlanesWhateverTheirOrderInTheFile) {
  // Two images of 2 x 2 pixels, whose red ones are 1 to 4, green 11 to 14, blue 21 to 24; and the same plus 100.
  const std::vector<std::uint8_t> planes{1,   2,   3,   4,   11,  12,  13,  14,  21,  22,  23,  24,
                                         101, 102, 103, 104, 111, 112, 113, 114, 121, 122, 123, 124};
  std::vector<std::uint8_t> interleaved;
  for (std::size_t image = 0; image < 2; ++image)
    for (std::size_t pixel = 0; pixel < 4; ++pixel)
      for (std::size_t plane = 0; plane < 3; ++plane) interleaved.push_back(planes[image * 12 + plane * 4 + pixel]);
  const std::vector<float> expected(planes.begin(), planes.end());
  const auto check = [&]<class T>(T, const std::string& descr, ElementType type, Pixel pixel) {
    const ItemShape shape{.count = 2, .rows = 2, .columns = 2, .type = type, .planes = 3};
    for (const auto& [bytes, sizes] : {std::pair{planes, "(2, 3, 2, 2)"}, {interleaved, "(2, 2, 2, 3)"}})
      expect_images(npy(descr, sizes, as_bytes(std::vector<T>(bytes.begin(), bytes.end()), std::endian::big)), expected,
                    shape, pixel);
  };
  check(std::uint8_t{}, "|u1", ElementType::uint8, Pixel::uint8);
  check(std::int16_t{}, ">i2", ElementType::int16, Pixel::float32);
  check(float{}, ">f4", ElementType::float32, Pixel::float32);
  check(double{}, ">f8", ElementType::float64, Pixel::float32);
  const std::string bytes(interleaved.begin(), interleaved.end());
  expect_images(header({0x804, 2, 2, 2, 3}) + bytes, expected, {.count = 2, .rows = 2, .columns = 2, .planes = 3},
                Pixel::uint8);
}

TEST(ParseArrays, AValueThatIsNotFiniteIsNamedByItsPlaceInMemory) {
  const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  // Of the second image the second plane's first pixel.
  std::vector<float> values(24, 1);
  values[12 + 1] = nan;
  images_refused(npy("<f4", "(2, 2, 2, 3)", as_bytes(values, std::endian::little)),
                 {"f: pixel 4 of image 1 is nan, expected a finite number within float32"});
  images_refused(npy(">f4", "(2, 6, 2)", as_bytes(values, std::endian::big)), {"f: pixel 1 of image 1 is nan"});
  images_refused(npy("<f2", "(1, 2)", as_bytes(std::vector<std::uint16_t>{0x3c00, 0xfc00}, std::endian::little)),
                 {"f: pixel 1 of image 0 is -inf"});
  images_refused(npy("<f8", "(1, 2)", as_bytes(std::vector<double>{1e39, 0}, std::endian::little)),
                 {"f: pixel 0 of image 0 is 1e+39"});
  images_refused(npy("<f8", "(1, 2)", as_bytes(std::vector<double>{0, infinity}, std::endian::little)),
                 {"f: pixel 1 of image 0 is inf"});
}

TEST(ParseArrays, LabelsOfEveryTypeThatAreWholeNumbers) {
  const auto check = [](const std::string& name, const auto& values) {
    std::vector<float> expected;
    for (const auto value : values) expected.push_back(static_cast<float>(value));
    for (const std::endian order : {std::endian::little, std::endian::big})
      for (const char* shape : {"(4,)", "(4, 1)"})
        expect_labels(npy((order == std::endian::little ? "<" : ">") + name, shape, as_bytes(values, order)), expected);
  };
  check("u1", std::vector<std::uint8_t>{0, 1, 255, 7});
  check("i1", std::vector<std::int8_t>{0, 1, 127, 7});
  check("u2", std::vector<std::uint16_t>{0, 1, 65535, 7});
  check("i2", std::vector<std::int16_t>{0, 1, 32767, 7});
  check("u4", std::vector<std::uint32_t>{0, 1, 65535, 7});
  check("i4", std::vector<std::int32_t>{0, 1, 65535, 7});
  check("u8", std::vector<std::uint64_t>{0, 1, 65535, 7});
  check("i8", std::vector<std::int64_t>{0, 1, 65535, 7});
  check("f4", std::vector<float>{0, 1, 65535, 7});
  check("f8", std::vector<double>{-0.0, 1, 65535, 7});
  expect_labels(npy("<f2", "(2,)", as_bytes(std::vector<std::uint16_t>{0x3c00, 0x4900}, std::endian::little)), {1, 10});
  // IDX, too.
  expect_labels(header({0xd01, 2}) + as_bytes(std::vector<float>{3, 4}, std::endian::big), {3, 4});
}

TEST(ParseArrays, TheFirstLabelThatIsNoClassIsRefusedAsItIsInTheFile) {
  const auto of = [](const std::string& descr, const auto& values) {
    return npy("<" + descr, "(" + std::to_string(values.size()) + ",)", as_bytes(values, std::endian::little));
  };
  labels_refused(of("f4", std::vector<float>{0, 1, 2.5f, 3.5f}), {"f: label 2.5 of image 2, expected a whole number"});
  labels_refused(of("f8", std::vector<double>{0, 0.1}), {"f: label 0.1 of image 1, expected a whole number"});
  labels_refused(of("f4", std::vector<float>{std::nanf("")}), {"f: label nan of image 0, expected a whole number"});
  labels_refused(of("f4", std::vector<float>{1, std::numeric_limits<float>::infinity()}),
                 {"f: label inf of image 1, expected 0 to 65535"});
  labels_refused(of("f4", std::vector<float>{1, -1}), {"f: label -1 of image 1, expected 0 to 65535"});
  labels_refused(of("i8", std::vector<std::int64_t>{1, INT64_MIN}), {"f: label -9223372036854775808 of image 1"});
  labels_refused(of("u8", std::vector<std::uint64_t>{1, UINT64_MAX}), {"f: label 18446744073709551615 of image 1"});
  labels_refused(of("i4", std::vector<std::int32_t>{1, 65536}), {"f: label 65536 of image 1, expected 0 to 65535"});
  labels_refused(of("i4", std::vector<std::int32_t>{9, 10}),
                 {"f: label 10 of image 1, expected 0 to 9: there are 10 classes"}, 10);
}

TEST(ParseArrays, TheClassIsInTheColumnThatIsNamedCountedFromZero) {
  const std::vector<std::int32_t> rows{5, 1, 2, 6, 0, 9};
  for (const std::string& file : {npy("<i4", "(2, 3)", as_bytes(rows, std::endian::little)),
                                  header({0xc02, 2, 3}) + as_bytes(rows, std::endian::big)}) {
    expect_labels(file, {5, 6}, 0);
    expect_labels(file, {1, 0}, 1);
    expect_labels(file, {2, 9}, 2);
    labels_refused(file, {"f: labels of 3 numbers, and column 4 was asked for, expected 1 to 3"}, 0, 3);
    labels_refused(file,
                   {"f: labels of 3 numbers, and those of image 0 are not one-hot, expected one 1 and else 0: which "
                    "of them is the class (--label-column 1 to 3), or are images and labels swapped?"});
    labels_refused(file, {"f: label 9 of image 1, expected 0 to 8"}, 9, 2);
  }
  const std::string bytes = npy("|u1", "(2, 3)", "\5\1\2\6\3\4");
  expect_labels(bytes, {2, 4}, 2);
  // One number each is a column, too.
  expect_labels(npy("|u1", "(3, 1)", "\5\1\2"), {5, 1, 2}, 0);
  expect_labels(npy("|u1", "(3,)", "\5\1\2"), {5, 1, 2}, 0);
}

TEST(ParseArrays, OneHotRowsOfEveryType) {
  const std::vector<int> rows{0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1};
  const auto check = [&]<class T>(T, const std::string& descr) {
    std::vector<T> values;
    for (const int value : rows) values.push_back(static_cast<T>(value));
    expect_labels(npy(descr, "(4, 3)", as_bytes(values, std::endian::big)), {2, 0, 1, 2});
    for (const T wrong : {static_cast<T>(1), static_cast<T>(2)}) {
      std::vector<T> other = values;
      other[6] = wrong;
      labels_refused(npy(descr, "(4, 3)", as_bytes(other, std::endian::big)),
                     {"f: labels of 3 numbers, and those of image 2 are not one-hot"});
    }
    std::vector<T> none = values;
    none[11] = 0;
    labels_refused(npy(descr, "(4, 3)", as_bytes(none, std::endian::big)), {"and those of image 3 are not one-hot"});
    labels_refused(npy(descr, "(4, 3)", as_bytes(values, std::endian::big)),
                   {"f: label 2 of image 0, expected 0 to 1: there are 2 classes"}, 2);
  };
  check(std::uint8_t{}, "|u1");
  check(std::uint8_t{}, "|b1");
  check(std::int8_t{}, "|i1");
  check(std::uint16_t{}, ">u2");
  check(std::int64_t{}, ">i8");
  check(std::uint64_t{}, ">u8");
  check(float{}, ">f4");
  check(double{}, ">f8");
  std::vector<float> with_nan(rows.begin(), rows.end());
  with_nan[0] = std::nanf("");
  labels_refused(npy(">f4", "(4, 3)", as_bytes(with_nan, std::endian::big)), {"and those of image 0 are not one-hot"});
  // More of them than there can be classes.
  std::string wide(70000, '\0');
  wide.back() = 1;
  labels_refused(npy("|u1", "(1, 70000)", wide), {"f: label 69999 of image 0, expected 0 to 65535"});
}

TEST(ParseArrays, FilesOfBothFormatsAreOneStream) {
  const std::string idx = images_file(4, 3, 5), numpy = npy("|u1", "(2, 3, 5)", pixels(30), false, 2),
                    last = npy("|u1", "(1, 1, 3, 5)", pixels(15));
  std::string bytes;
  drive(EachFile<Pieces>{{{idx, 20}, {numpy, 33}, {last, 1}}}, ParseImages{.paths = {"a", "b", "c"}},
        [&](const Elements& e) { bytes.append(e.data, e.data + e.count * 15); });
  EXPECT_TRUE(bytes == idx.substr(16) + pixels(30) + pixels(15));
}

TEST(ParseArrays, OfAnotherSizeThanTheFileBeforeAreRefused) {
  const auto refused = [](const std::string& second, std::initializer_list<std::string_view> parts) {
    EachFile<Pieces> both{{{images_file(4, 3, 5), 20}, {second, 20}}};
    expect_error<DataError>([&] { drive(both, ParseImages{.paths = {"a", "b"}}, [](const Elements&) {}); }, parts);
  };
  refused(npy("|u1", "(2, 15)", pixels(30)), {"b: images of 15 values, uint8, expected 3 x 5 pixels, uint8 as in a"});
  refused(npy("|u1", "(2, 3, 3, 5)", pixels(90)), {"b: images of 3 x 3 x 5 pixels, uint8, expected 3 x 5 pixels"});
  refused(npy("<f4", "(2, 3, 5)", ""), {"b: images of 3 x 5 pixels, float32, expected 3 x 5 pixels, uint8 as in a"});
}

TEST(ParseArrays, AnArrayInFortranOrderIsRefusedWhereThatIsAnotherOrder) {
  images_refused(npy("|u1", "(2, 3, 5)", pixels(30), true),
                 {"f: its array is in Fortran order, expected C order: save numpy.ascontiguousarray(x) in its place"});
  expect_labels(npy("|u1", "(3, 1)", "\5\1\2", true), {5, 1, 2});
  expect_labels(npy("|u1", "(3,)", "\5\1\2", true), {5, 1, 2});
}

TEST(ParseArrays, EveryCutIsRefusedWithWhatIsMissing) {
  const std::string images = npy("<i2", "(4, 2, 3)", pixels(48)), labels = npy("<i2", "(4,)", std::string(8, '\0'));
  for (std::size_t size = 0; size < images.size(); ++size) {
    const std::string found =
        expect_error<DataError>([&] { parsed(images.substr(0, size), ParseImages{.paths = {"f"}}, 10); }, {"f: "});
    if (size < 4)
      EXPECT_TRUE(found.starts_with("f: ends after " + std::to_string(size) + " bytes, expected an IDX header"))
          << found;
    else if (size < 128)
      EXPECT_TRUE(found.starts_with("f: ends after " + std::to_string(size) + " bytes, expected a NumPy header"))
          << found;
    else
      EXPECT_EQ(found, "f: the header promises 4 images, the file ends after " + std::to_string((size - 128) / 12) +
                           ": was it cut short?");
  }
  for (std::size_t size = 128; size < labels.size(); ++size)
    labels_refused(labels.substr(0, size), {"f: the header promises 4 labels, the file ends after " +
                                            std::to_string((size - 128) / 2) + ": was it cut short?"});
  images_refused(images + "x", {"f: goes on after 4 images, expected its end there"});
}

// There is no checksum: what is taken is an array of what the header says.
TEST(ParseArrays, EveryChangeOfABitOfTheHeaderIsRefusedOrIsWhatItSays) {
  const std::string file = npy("<f4", "(3, 2, 4)", as_bytes(std::vector<float>(24, 1.5f), std::endian::little));
  std::size_t taken = 0;
  for (std::size_t at = 0; at < 128; ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = file;
      changed[at] = static_cast<char>(changed[at] ^ 1 << bit);
      try {
        const Outcome o = parsed(changed, ParseImages{.paths = {"f"}}, 50);
        EXPECT_EQ(o.shape.count * o.shape.pixels() * element_type_bytes(o.shape.type), 96u) << changed.substr(0, 100);
        ++taken;
      } catch (const DataError& error) {
        EXPECT_TRUE(std::string(error.what()).starts_with("f: ")) << error.what();
      }
    }
  EXPECT_GE(taken, 2u);  // '<f4' as '<i4', say
  EXPECT_LT(taken, 10u);
}

TEST(ParseArrays, MemoryFollowsTheBytesThatCameAndNotTheHeader) {
  for (const char* shape : {"(4294967295, 8192, 8192)", "(1, 67108864)"}) {
    ParseImages parse{.paths = {"f"}};
    expect_error<DataError>(
        [&] { drive(Pieces(npy("<f8", shape, pixels(1000)), 100), parse, [](const Elements&) { ADD_FAILURE(); }); },
        {"the file ends after 0"});
    EXPECT_LE(parse.state_.partial.capacity(), 4000u);
  }
}

TEST(ParseArrays, StateTheMemoryOfAnItemThatIsLongerInItsFile) {
  ParseLabels parse{.paths = {}, .item_bytes = 4};
  EXPECT_EQ(parse.state_bytes(), 16u);
  parse.stored_bytes = 80;
  EXPECT_EQ(parse.state_bytes(), 160u);
}

}  // namespace
}  // namespace sluice::stages::testing
