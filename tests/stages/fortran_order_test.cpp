#include <sluice/stages/fortran_order.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <sluice/stages/each_file.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/inflate.hpp>
#include "tests/stages/idx_example.hpp"
#include "tests/support/allocations.hpp"
#include "tests/support/npy.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::Allocations;
using sluice::test::npy;
using Dimensions = std::vector<std::uint64_t>;

struct Arrays {
  std::string c, fortran;  // the numbers
};

// The same array in both orders: by the definition, index by index.
Arrays arrays(const Dimensions& sizes, std::size_t bytes) {
  const std::uint64_t count = std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{1}, std::multiplies<>());
  Arrays a{pixels(count * bytes), std::string(count * bytes, '\0')};
  for (std::uint64_t place = 0; place < count; ++place) {
    std::uint64_t rest = place, other = 0;
    Dimensions index(sizes.size());
    for (std::size_t i = sizes.size(); i-- > 0; rest /= sizes[i]) index[i] = rest % sizes[i];
    for (std::size_t i = sizes.size(); i-- > 0;) other = other * sizes[i] + index[i];
    a.fortran.replace(other * bytes, bytes, a.c, place * bytes, bytes);
  }
  return a;
}

std::string descr(std::size_t bytes) {
  return bytes == 1 ? "|u1" : "<f" + std::to_string(bytes);
}
std::string shape(const Dimensions& sizes) {
  std::string text = "(";
  for (const std::uint64_t size : sizes) text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  return text + (sizes.size() == 1 ? ",)" : ")");
}

template <class Source>
std::string all_of(Source&& source) {
  std::string all;
  drive(source, [&](const Chunk& chunk) {
    EXPECT_EQ(chunk.offset, all.size());
    EXPECT_GT(chunk.size, 0u);
    all.append(chunk.data, chunk.data + chunk.size);
  });
  return all;
}
std::string in_order(const std::string& file, std::size_t chunk, InCOrder in_order = {.paths = {"f"}}) {
  std::string all;
  drive(Pieces(file, chunk), in_order, [&](const Chunk& c) {
    if (c.size > 0) {
      EXPECT_EQ(c.offset, all.size());
    }
    all.append(c.data, c.data + c.size);
  });
  return all;
}

const std::vector<Dimensions>& examples() {
  static const std::vector<Dimensions> all{{2, 2},    {5, 3},        {3, 200},      {200, 3},
                                           {7, 4, 5}, {65, 3, 2, 4}, {130, 2, 1, 3}};
  return all;
}

TEST(FortranFile, IsTheFileInCOrderWhateverTheBlocks) {
  const Folder folder;
  for (const Dimensions& sizes : examples())
    for (const std::size_t bytes : Sizes{1, 2, 4, 8}) {
      SCOPED_TRACE(shape(sizes) + " of " + std::to_string(bytes));
      const Arrays a = arrays(sizes, bytes);
      const std::string path = folder.write("a.npy", npy(descr(bytes), shape(sizes), a.fortran, true, 2)),
                        expected = npy(descr(bytes), shape(sizes), a.c);
      for (const std::size_t block : Sizes{1, 17, 100, 1000, 1 << 20}) {
        FortranFile file{.path = path, .block_bytes = block};
        const std::size_t row = a.c.size() / sizes[0];
        EXPECT_EQ(file.payload_bytes(), std::min(a.c.size(), std::max(row, block / row * row)));
        EXPECT_TRUE(all_of(file) == expected);
        file.reset();
        EXPECT_TRUE(all_of(file) == expected);
      }
    }
}

TEST(FortranFile, HoldsTwoBlocksHoweverManyRowsThereAre) {
  const Folder folder;
  const Dimensions sizes{2000, 30, 20};
  const std::string path = folder.write("a.npy", npy("|u1", shape(sizes), arrays(sizes, 1).fortran, true));
  FortranFile file{.path = path, .block_bytes = 6000};
  Chunk chunk;
  ASSERT_TRUE(file(chunk));
  ASSERT_TRUE(file(chunk));
  Allocations::begin();
  std::size_t chunks = 2;
  while (file(chunk)) ++chunks;
  EXPECT_EQ(chunks, 201u);
  EXPECT_LE(Allocations::total(), 2 * 6000u + 4096);
}

TEST(FortranFile, WhatIsNoneOrNotAsLongAsPromisedIsRefused) {
  const Folder folder;
  const auto refused = [&](const std::string& bytes, const std::string& text) {
    const std::string path = folder.write("a.npy", bytes);
    FortranFile file{.path = path};
    EXPECT_EQ(file.payload_bytes(), std::nullopt);
    EXPECT_EQ(expect_error<DataError>([&] { all_of(file); }, {}), path + ": " + text);
  };
  const std::string sound = npy("<i2", "(2, 3)", pixels(12), true);
  const std::string changed = "is no array in Fortran order, as it was when it was looked at: did it change?";
  refused(npy("<i2", "(2, 3)", pixels(12)), changed);
  refused(npy("<i2", "(6,)", pixels(12), true), changed);
  refused(images_file(4, 3, 5), changed);
  refused("", changed);
  for (std::size_t size = 0; size < 128; ++size) refused(sound.substr(0, size), changed);
  for (std::size_t size = 128; size < sound.size(); ++size)
    refused(sound.substr(0, size), "the header promises 2 x 3 of int16, 12 bytes, and the file has " +
                                       std::to_string(size - 128) + ": was it cut short?");
  refused(sound + "x", "the header promises 2 x 3 of int16, 12 bytes, and the file has 13: was something appended?");
  refused(
      npy("<i2", "(0, 3, 5)", "", true),
      "the header promises 0 x 3 x 5 of int16, expected a number at least and less than 2^64 bytes: is it damaged?");
  refused(npy("<i2", "(4294967296, 4294967296)", "", true),
          "the header promises 4294967296 x 4294967296 of int16, expected a number at least and less than 2^64 bytes: "
          "is it "
          "damaged?");
  refused(npy("<i2", "(2; 3)", pixels(12), true),
          "its NumPy header has \"; 3), }                       ...\" at byte 61, expected ',' or ')': is it damaged?");
  const std::string pipe = folder.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  expect_error<DataError>([&] { all_of(FortranFile{.path = pipe}); }, {pipe + ": is no regular file"});
  expect_error<std::invalid_argument>([&] { all_of(FortranFile{.path = pipe, .block_bytes = 0}); }, {"block_bytes"});
}

TEST(InCOrder, AnArrayInFortranOrderIsTheFileInCOrderWhateverTheChunks) {
  for (const Dimensions& sizes : examples())
    for (const std::size_t bytes : Sizes{1, 2, 4, 8}) {
      SCOPED_TRACE(shape(sizes) + " of " + std::to_string(bytes));
      const Arrays a = arrays(sizes, bytes);
      const std::string file = npy(descr(bytes), shape(sizes), a.fortran, true, 3),
                        expected = npy(descr(bytes), shape(sizes), a.c);
      for (const std::size_t chunk : Sizes{3, 64, 128, 129, 100'000})
        EXPECT_TRUE(in_order(file, chunk) == expected) << chunk;
    }
}

TEST(InCOrder, EverythingElseIsPassedOnAsItIs) {
  for (const std::string& file :
       {images_file(4, 3, 5), labels_file(9, 3), npy("<i2", "(2, 3)", pixels(12)), npy("<i2", "(6,)", pixels(12), true),
        npy("<i2", "(2, 3)", "abc"), std::string("no array at all"), std::string("ab"), std::string(),
        npy("<i2", "(2, 3)", pixels(12), true).substr(0, 100)})
    for (const std::size_t chunk : Sizes{1, 3, 10, 1000}) EXPECT_EQ(in_order(file, chunk), file);
  // Without a copy.
  Pieces pieces(npy("<i2", "(2, 3)", pixels(12)), 130);
  InCOrder order{.paths = {"f"}};
  for (Chunk in, out; pieces(in);) {
    order.push(in);
    ASSERT_TRUE(order.pull(out));
    EXPECT_EQ(out.data, in.data);
    EXPECT_FALSE(order.pull(out));
  }
}

TEST(InCOrder, OfSeveralFilesEachIsTakenForItself) {
  const Arrays a = arrays({5, 3}, 2);
  const std::string fortran = npy("<f2", "(5, 3)", a.fortran, true), c = npy("<f2", "(5, 3)", a.c),
                    idx = images_file(4, 3, 5);
  std::string all;
  std::vector<std::size_t> files;
  drive(EachFile<Pieces>{{{fortran, 20}, {idx, 33}, {fortran, 1000}, {c, 1}}}, InCOrder{.paths = {"a", "b", "c", "d"}},
        [&](const Chunk& chunk) {
          all.append(chunk.data, chunk.data + chunk.size);
          if (files.empty() || files.back() != chunk.file) files.push_back(chunk.file);
        });
  EXPECT_TRUE(all == c + idx + c + c);
  EXPECT_EQ(files, (std::vector<std::size_t>{0, 1, 2, 3}));
}

TEST(InCOrder, AnArrayThatIsCutShortOrGoesOnIsRefused) {
  const std::string file = npy("<i2", "(2, 3)", pixels(12), true);
  for (std::size_t size = 128; size < file.size(); ++size)
    for (const std::size_t chunk : Sizes{1, 10, 1000})
      expect_error<DataError>([&] { in_order(file.substr(0, size), chunk); },
                              {"f: the header promises 2 x 3 of int16, 12 bytes, and " + std::to_string(size - 128) +
                               " have come: was it cut short?"});
  for (const std::size_t chunk : Sizes{1, 10, 1000})
    expect_error<DataError>([&] { in_order(file + "x", chunk); },
                            {"f: the header promises 2 x 3 of int16, 12 bytes, and the file goes on behind them: was "
                             "something appended?"});
  expect_error<DataError>([&] { in_order(npy("<i2", "(2, 3, 0)", "", true), 1000); }, {"expected a number at least"});
  // Of the first of two.
  expect_error<DataError>(
      [&] {
        drive(EachFile<Pieces>{{{file.substr(0, 135), 20}, {file, 20}}}, InCOrder{.paths = {"a", "b"}},
              [](const Chunk&) {});
      },
      {"a: the header promises 2 x 3 of int16, 12 bytes, and 7 have come"});
}

TEST(InCOrder, MemoryFollowsTheBytesThatCame) {
  Allocations::begin();
  expect_error<DataError>([] { in_order(npy("<f8", "(1000000000, 1000000)", pixels(1000), true), 100); },
                          {"and 1000 have come: was it cut short?"});
  EXPECT_LT(Allocations::largest(), 100'000u);
}

TEST(InCOrder, StartsAgainAfterReset) {
  const Arrays a = arrays({5, 3}, 2);
  InCOrder order{.paths = {"f"}};
  Pieces half(npy("<f2", "(5, 3)", a.fortran, true).substr(0, 140), 1000);
  Chunk chunk;
  ASSERT_TRUE(half(chunk));
  order.push(chunk);
  order.reset();
  EXPECT_EQ(in_order(npy("<f2", "(5, 3)", a.fortran, true), 20, std::move(order)), npy("<f2", "(5, 3)", a.c));
}

}  // namespace
}  // namespace sluice::stages::testing
