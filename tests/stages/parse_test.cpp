#include <sluice/stages/parse.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sluice/stages/each_file.hpp>
#include <sluice/stages/errors.hpp>
#include "tests/stages/idx_example.hpp"

namespace sluice::stages::testing {
namespace {

// All items one after the other; each Elements is checked for order and shape.
template <class Parser>
std::string items(Pieces pieces, const ItemShape& shape, const std::string& path = "f") {
  std::string bytes;
  std::uint64_t next = 0;
  drive(pieces, Parser{.paths = {path}}, [&](const Elements& e) {
    EXPECT_EQ(e.first, next);
    EXPECT_GT(e.count, 0u);
    EXPECT_EQ(e.shape, shape);
    EXPECT_TRUE(e.owner);
    next += e.count;
    bytes.append(e.data, e.data + e.count * e.item_bytes());
  });
  EXPECT_EQ(next, shape.count);
  return bytes;
}

TEST(Parse, GivesEveryImageOnceInOrderWhateverTheChunks) {
  const std::string file = images_file(20, 3, 5), expected = file.substr(16);
  for (const std::size_t size : Sizes{1, 2, 14, 15, 16, 17, 30, 31, 46, 100, 1000})
    EXPECT_EQ(items<ParseImages>({file, size}, {20, 3, 5}), expected) << size;
}

TEST(Parse, GivesEveryLabelOnceInOrderWhateverTheChunks) {
  const std::string file = labels_file(50, 10), expected = file.substr(8);
  for (const std::size_t size : Sizes{1, 2, 7, 8, 9, 100})
    EXPECT_EQ(items<ParseLabels>({file, size}, {50, 1, 1}), expected) << size;
}

TEST(Parse, EveryWayToSplitTheStreamInTwoGivesTheSame) {
  const std::string file = images_file(4, 3, 5), labels = labels_file(9, 3);
  for (std::size_t cut = 0; cut <= file.size(); ++cut)
    EXPECT_EQ(items<ParseImages>({file, {cut, file.size() - cut}}, {4, 3, 5}), file.substr(16)) << cut;
  for (std::size_t cut = 0; cut <= labels.size(); ++cut)
    EXPECT_EQ(items<ParseLabels>({labels, {cut, labels.size() - cut}}, {9, 1, 1}), labels.substr(8)) << cut;
}

TEST(Parse, EmptyChunksChangeNothing) {
  const std::string file = images_file(4, 3, 5);
  EXPECT_EQ(items<ParseImages>({file, {0, 10, 0, 6, 0, 7, 0, 53, 0}}, {4, 3, 5}), file.substr(16));
}

TEST(Parse, AnImageLargerThanManyChunksIsPutTogether) {
  const std::string file = images_file(2, 100, 100);
  EXPECT_EQ(items<ParseImages>({file, 64}, {2, 100, 100}), file.substr(16));
}

TEST(Parse, CopiesOnlyWhatStraddlesTwoChunks) {
  Pieces pieces(images_file(10, 2, 5), {16 + 25, 30, 45});
  ParseImages parse{.paths = {"f"}};
  Chunk chunk;
  std::vector<std::size_t> counts, copied;
  while (pieces(chunk)) {
    parse.push(chunk);
    for (Elements e; parse.pull(e);) {
      counts.push_back(e.count);
      copied.push_back(e.owner.get() != chunk.owner.get());
      if (!copied.back()) {
        EXPECT_GE(e.data, chunk.data);
      }
    }
  }
  parse.finish();
  EXPECT_EQ(counts, (std::vector<std::size_t>{2, 1, 2, 1, 4}));
  EXPECT_EQ(copied, (std::vector<std::size_t>{0, 1, 0, 1, 0}));
}

TEST(Parse, KeepsNoChunkThatItHasUsedUp) {
  // chunks that end within the header, after an item and within one
  for (const auto& sizes : {Sizes{7, 9, 20, 30, 50}, Sizes{36, 30, 50}, Sizes{41, 30, 45}}) {
    Pieces pieces(images_file(10, 2, 5), sizes);
    ParseImages parse{.paths = {"f"}};
    Chunk chunk;
    std::set<const Bytes*> owners;
    while (pieces(chunk)) {
      owners.insert(chunk.owner.get());
      parse.push(chunk);
      for (Elements e; parse.pull(e);) continue;
    }
    parse.finish();
    EXPECT_EQ(owners.size(), 1u);
  }
}

TEST(Parse, FewerItemsThanPromisedAreAnErrorThatSaysHowMany) {
  const std::string file = images_file(4, 3, 5), labels = labels_file(9, 3);
  for (std::size_t size = 16; size < file.size(); ++size)
    expect_error<DataError>(
        [&] {
          items<ParseImages>({file.substr(0, size), 10}, {4, 3, 5});
        },
        {"f: the header promises 4 images, the file ends after " + std::to_string((size - 16) / 15)});
  for (std::size_t size = 8; size < labels.size(); ++size)
    expect_error<DataError>(
        [&] {
          items<ParseLabels>({labels.substr(0, size), 10}, {9, 1, 1});
        },
        {"f: the header promises 9 labels, the file ends after " + std::to_string(size - 8)});
}

TEST(Parse, AFileThatEndsWithinItsHeaderIsAnError) {
  const std::string file = images_file(4, 3, 5), labels = labels_file(9, 3);
  for (std::size_t size = 0; size < 16; ++size)
    expect_error<DataError>(
        [&] {
          items<ParseImages>({file.substr(0, size), 10}, {});
        },
        {"f: ends after " + std::to_string(size) + " bytes, expected an IDX header of 16"});
  for (std::size_t size = 0; size < 8; ++size)
    expect_error<DataError>(
        [&] {
          items<ParseLabels>({labels.substr(0, size), 10}, {});
        },
        {"f: ends after " + std::to_string(size) + " bytes, expected an IDX header of 8"});
}

TEST(Parse, AWrongFileIsToldByItsMagicEvenIfItIsTooShortForAHeader) {
  expect_error<DataError>([] { items<ParseImages>({labels_file(3, 2), 1}, {}); }, {"0x00000801", "swapped?"});
  expect_error<DataError>([] { items<ParseImages>({header({0x801}), 4}, {}); }, {"0x00000801", "swapped?"});
}

TEST(Parse, WhatIsNoArrayIsToldTheSameWhateverTheChunks) {
  const std::pair<const char*, const char*> cases[] = {
      {"<head><title>404</title>", "f: is an HTML page, "},
      {"<header>", "f: is an HTML page, "},
      {"<hea", "f: is an HTML or XML page, "},
      {"  {\"error\": 404}", "f: is JSON ("},
      {"version https://git-lfs.github.com/spec/v1\n", "f: is a Git LFS pointer, "},
      {"PK\3\4\x93NUMPY", "f: is a zip archive, "},
      {"abc,d", "f: is a table, expected images alone (IDX, .npy)"},
      {"abcde", "f: IDX magic 0x61626364, expected 0x00000803: is it an IDX"},
      {"abc,\1", "f: IDX magic 0x6162632c, expected 0x00000803: is it an IDX"}};
  for (const auto& one : cases)
    for (std::size_t size = 1; size < 30; ++size)
      expect_error<DataError>([&] { items<ParseImages>({one.first, size}, {}); }, {one.second});
}

TEST(Parse, OfWhatIsNoArrayNoMoreIsKeptThanTellsWhatItIs) {
  Pieces pieces(std::string(1'000'000, 'a'), 10);
  expect_error<DataError>([&] { drive(std::ref(pieces).get(), ParseImages{.paths = {"f"}}, [](const Elements&) {}); },
                          {"f: IDX magic 0x61616161, expected 0x00000803"});
  EXPECT_EQ(pieces.given(), 52) << "512 bytes";
}

TEST(Parse, BytesAfterTheLastItemAreAnErrorAsSoonAsTheyCome) {
  for (const std::size_t size : Sizes{1, 10, 30, 1000}) {
    Pieces pieces(images_file(4, 3, 5) + std::string(1000, '\0'), size);
    expect_error<DataError>([&] { drive(std::ref(pieces).get(), ParseImages{.paths = {"f"}}, [](const Elements&) {}); },
                            {"f: goes on after 4 images, expected its end there", "something appended?"});
    EXPECT_EQ(pieces.given(), 76 / size + 1);
  }
}

TEST(Parse, MemoryFollowsTheBytesThatCameAndNotTheHeader) {
  // 4 billion images of 64 MiB each
  ParseImages parse{.paths = {"f"}};
  Pieces pieces(header({0x803, 0xffffffff, 8192, 8192}) + pixels(1000), 100);
  expect_error<DataError>([&] { drive(pieces, parse, [](const Elements&) { ADD_FAILURE(); }); },
                          {"f: the header promises 4294967295 images, the file ends after 0"});
  EXPECT_LE(parse.state_.partial.capacity(), 4000u);
}

// One number as a file of that type has it.
template <class T>
std::string big_endian(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  std::reverse(bytes.begin(), bytes.end());  // the tests run on little-endian machines
  return bytes;
}
template <class T>
std::string file_of(std::uint32_t magic, std::vector<std::uint32_t> sizes, const std::vector<T>& values) {
  std::string bytes = header({magic});
  for (const std::uint32_t size : sizes) bytes += header({size});
  for (const T value : values) bytes += big_endian(value);
  return bytes;
}
std::vector<float> pixels_of(const std::string& file, std::size_t chunk, std::size_t piece = 256 * 1024) {
  std::vector<float> all;
  drive(Pieces(file, chunk), ParseImages{.paths = {"f"}, .chunk_bytes = piece}, [&](const Elements& e) {
    EXPECT_EQ(e.type, Pixel::float32);
    EXPECT_LE(e.count * e.item_bytes(), std::max(piece, e.item_bytes()));
    EXPECT_EQ(e.first * e.shape.pixels(), all.size());
    const auto* const values = reinterpret_cast<const float*>(e.data);
    all.insert(all.end(), values, values + e.count * e.shape.pixels());
  });
  return all;
}

TEST(Parse, OtherTypesThanUint8BecomeFloat32) {
  const auto check = [](const auto& values, std::uint32_t magic) {
    const auto count = static_cast<std::uint32_t>(values.size() / 3);
    const std::string file = file_of(magic, {count, 1, 3}, values);
    std::vector<float> expected;
    for (const auto value : values) expected.push_back(static_cast<float>(value));
    for (const std::size_t chunk : Sizes{1, 7, 16, 24, 1000})
      for (const std::size_t piece : Sizes{1, 12, 24, 1 << 20})
        EXPECT_EQ(pixels_of(file, chunk, piece), expected) << chunk;
  };
  check(std::vector<std::int8_t>{-128, -1, 0, 1, 127, 5}, 0x903);
  check(std::vector<std::int16_t>{-32768, -1, 0, 1, 258, 32767}, 0xb03);
  check(std::vector<std::int32_t>{INT32_MIN, -1, 0, 1, 16909060, INT32_MAX, 16777217, 2, 3}, 0xc03);
  check(std::vector<float>{-1.5f, 0, 1e-40f, 3e38f, 0.1f, 1}, 0xd03);
  check(std::vector<double>{-1.5, 0, 1e-300, 3e38, 0.1, 1}, 0xe03);
}

TEST(Parse, AValueThatIsNoFiniteFloat32IsAnErrorThatSaysWhere) {
  const float nan = std::nanf("");
  expect_error<DataError>(
      [&] {
        pixels_of(file_of<float>(0xd03, {3, 1, 2}, {1, 2, 3, 4, 5, nan}), 1000);
      },
      {"f: pixel 1 of image 2 is nan, expected a finite number within float32"});
  expect_error<DataError>(
      [&] {
        pixels_of(file_of<double>(0xe03, {3, 1, 2}, {1, 2, 3, 1e39, 5, 6}), 11);
      },
      {"f: pixel 1 of image 1 is 1e+39"});
  // Of the second of two files: its place there.
  EachFile<Pieces> two{{{file_of<float>(0xd03, {3, 1, 2}, {1, 2, 3, 4, 5, 6}), 1000},
                        {file_of<float>(0xd03, {2, 1, 2}, {1, 2, nan, 4}), 1000}}};
  expect_error<DataError>(
      [&] {
        drive(two, ParseImages{.paths = {"a", "b"}}, [](const Elements&) {});
      },
      {"b: pixel 0 of image 1 is nan"});
}

TEST(Parse, StatesTheMemoryOfAnOutputAlsoWhereAnItemIsLargerThanAChunk) {
  ParseImages parse{.paths = {}, .chunk_bytes = 100};
  EXPECT_EQ(parse.payload_bytes(), std::nullopt);  // nothing is known
  parse.item_bytes = 7;
  EXPECT_EQ(parse.payload_bytes(), 100u);
  parse.item_bytes = 1000;
  EXPECT_EQ(parse.payload_bytes(), 1000u);
}

TEST(Parse, SeveralFilesAreOneStreamOfItems) {
  const std::string a = images_file(4, 3, 5), b = images_file(7, 3, 5);
  std::string bytes;
  std::uint64_t next = 0;
  drive(EachFile<Pieces>{{{a, 20}, {b, 33}, {a, 1}}}, ParseImages{.paths = {"a", "b", "c"}}, [&](const Elements& e) {
    EXPECT_EQ(e.first, next);
    next += e.count;
    bytes.append(e.data, e.data + e.count * 15);
  });
  EXPECT_EQ(next, 15u);
  EXPECT_EQ(bytes, a.substr(16) + b.substr(16) + a.substr(16));
}

TEST(Parse, EachOfSeveralFilesHasToBeSoundAndOfTheSameSize) {
  const auto refused = [](const std::vector<std::string>& files, std::initializer_list<std::string_view> parts) {
    EachFile<Pieces> all;
    std::vector<std::string> names;
    for (const std::string& file : files) {
      names.emplace_back(1, static_cast<char>('a' + all.files.size()));
      all.files.emplace_back(file, 20);
    }
    expect_error<DataError>([&] { drive(all, ParseImages{.paths = names}, [](const Elements&) {}); }, parts);
  };
  const std::string whole = images_file(4, 3, 5);
  refused({whole.substr(0, 70), whole}, {"a: the header promises 4 images, the file ends after 3"});
  refused({whole, whole.substr(0, 70)}, {"b: the header promises 4 images, the file ends after 3"});
  refused({whole + "x", whole}, {"a: goes on after 4 images"});
  refused({whole, whole.substr(0, 7)}, {"b: ends after 7 bytes"});
  refused({whole, images_file(4, 5, 3)}, {"b: images of 5 x 3 pixels, uint8, expected 3 x 5 pixels, uint8 as in a"});
  refused({whole, file_of<std::int8_t>(0x903, {1, 3, 5}, std::vector<std::int8_t>(15))},
          {"b: images of 3 x 5 pixels, int8"});
  refused({whole, labels_file(4, 2)}, {"b: IDX magic", "swapped?"});
  for (const std::vector<std::string>& one_gives_nothing :
       {std::vector<std::string>{whole, ""}, {whole, "", whole}, {whole, "", ""}})
    refused(one_gives_nothing, {"b: ends after 0 bytes"});
  refused({"", whole}, {"a: ends after 0 bytes"});
}

TEST(Parse, TheFirstLabelThatIsNoClassIsAnErrorThatNamesItsFileAndItsPlaceThere) {
  const auto refused = [](const std::vector<std::string>& files, std::size_t classes,
                          std::initializer_list<std::string_view> parts) {
    for (const std::size_t size : {1u, 5u, 20u, 1000u}) {
      EachFile<Pieces> all;
      for (const std::string& file : files) all.files.emplace_back(file, size);
      expect_error<DataError>(
          [&] {
            drive(all, ParseLabels{.paths = {"a", "b"}, .classes = classes}, [](const Elements&) {});
          },
          parts);
    }
  };
  const std::string good = labels_file(9, 3);
  refused({good, labels_file(9, 8)}, 7, {"b: label 7 of image 7, expected 0 to 6: there are 7 classes"});
  refused({labels_file(9, 3), good}, 2, {"a: label 2 of image 2, expected 0 to 1: there are 2 classes"});
  // More than a float32 says exactly.
  const std::string whole = file_of<std::int32_t>(0xc01, {3}, std::vector<std::int32_t>{1, 2, 0});
  const std::string large = file_of<std::int32_t>(0xc01, {3}, std::vector<std::int32_t>{1, 123456789, 2});
  refused({whole, large}, 10, {"b: label 123456789 of image 1, expected 0 to 9"});
  refused({large}, 0, {"a: label 123456789 of image 1, expected 0 to 65535"});
  refused({file_of<std::int8_t>(0x901, {3}, std::vector<std::int8_t>{1, -1, 2})}, 10,
          {"a: label -1 of image 1, expected 0 to 9"});
}

TEST(Parse, StartsAgainAfterReset) {
  ParseLabels parse{.paths = {"f"}};
  for (int run = 0; run < 2; ++run) {
    std::size_t count = 0;
    drive(Pieces(labels_file(9, 3), 4), parse, [&](const Elements& e) { count += e.count; });
    EXPECT_EQ(count, 9u);
    parse.reset();
  }
}

// As lanes read files: whichever bytes come, the whole items among them, each with its place.
TEST(Parse, WhereLayoutsAreKnownBytesMayBeLeftOut) {
  const std::string file = images_file(30, 3, 5);
  std::vector<std::uint8_t> start;
  std::span<const std::uint8_t> rest(reinterpret_cast<const std::uint8_t*>(file.data()), file.size());
  const ItemLayout layout = take_layout(start, rest, ItemKind::images, "f").value();
  using Range = std::pair<std::size_t, std::size_t>;
  for (const std::vector<Range>& ranges : {std::vector<Range>{{0, 466}},
                                           {{16, 466}},
                                           {{15, 17}, {17, 46}},
                                           {{100, 200}},
                                           {{0, 100}, {150, 300}},
                                           {{31, 46}, {61, 76}, {80, 200}, {200, 466}},
                                           {{20, 30}, {30, 31}, {31, 46}},
                                           {{450, 466}},
                                           {}}) {
    ParseImages parse{.paths = {"f", "f"}, .layouts = {layout, layout}};
    parse.reset();
    std::vector<std::uint64_t> seen, expected;
    for (const std::size_t of_file : {0u, 1u}) {
      std::vector<bool> there(file.size());
      for (const auto& [begin, end] : ranges) {
        Chunk chunk;
        chunk.data = reinterpret_cast<const std::uint8_t*>(file.data()) + begin;
        chunk.size = end - begin, chunk.offset = begin, chunk.file = of_file;
        for (std::size_t i = begin; i < end; ++i) there[i] = true;
        parse.push(chunk);
        for (Elements out; parse.pull(out);)
          for (std::size_t i = 0; i < out.count; ++i) {
            seen.push_back(out.first + i);
            EXPECT_EQ(out.in_file + i, (out.first + i) % 30);
            EXPECT_EQ(std::string(out.data + 15 * i, out.data + 15 * (i + 1)),
                      file.substr(16 + (out.in_file + i) * 15, 15));
          }
      }
      for (std::size_t item = 0; item < 30; ++item)
        if (std::all_of(there.begin() + static_cast<std::ptrdiff_t>(16 + item * 15),
                        there.begin() + static_cast<std::ptrdiff_t>(31 + item * 15), [](bool is) { return is; }))
          expected.push_back(30 * of_file + item);
    }
    EXPECT_NO_THROW(parse.finish());
    EXPECT_EQ(seen, expected);
  }
}

}  // namespace
}  // namespace sluice::stages::testing
