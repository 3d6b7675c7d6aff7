// Indexes in files: the format, beside gztool where it is; and that nothing of one that lies is believed.
#include <sluice/stages/gzip_index.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/inflate.hpp>
#include "tests/stages/idx_example.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::contains;
using sluice::test::gzip_in_blocks;
using sluice::test::noise;

struct Pass {
  std::string bytes, error;
  std::size_t by_index = 0;  // pieces
};

Pass run(GzipPieces& source) {
  Pass pass;
  VerifyPieces verify;
  Piece piece;
  CheckedPiece checked;
  Chunk chunk;
  try {
    while (source(piece)) {
      pass.by_index += piece.from != nullptr;
      DecodePiece{}(piece, checked);
      verify.push(checked);
      while (verify.pull(chunk)) pass.bytes.append(chunk.data, chunk.data + chunk.size);
    }
  } catch (const DataError& error) {
    pass.error = error.what();
  }
  return pass;
}

class GzipIndexTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!decodes_pieces()) GTEST_SKIP() << "built without libdeflate";
  }
  // Of the file, with points about every `span` bytes.
  GzipIndex index_of(const std::string& path, std::size_t span) const {
    GzipPieces pieces{.path = path, .span = span, .index_bytes = 64 << 20};
    for (Piece piece; pieces(piece);) continue;
    auto found = pieces.found();
    EXPECT_TRUE(found);
    return found.value_or(GzipIndex{});
  }
  std::string write(const GzipIndex& index) const { return folder.write("a.gzi", gzip_index_bytes(index)); }
  Pass read(const std::string& path, const std::string& index) const {
    GzipPieces pieces{.path = path, .span = 4000, .index = index};
    const Pass first = run(pieces);
    pieces.reset();
    const Pass second = run(pieces);
    EXPECT_EQ(without_numbers(first.error), without_numbers(second.error));
    if (first.error.empty()) {
      EXPECT_TRUE(first.bytes == second.bytes);
    }
    return first;
  }
  const Folder folder;
  const std::string bytes = of_few_values(120'000);
};

TEST_F(GzipIndexTest, WhatIsWrittenIsReadBack) {
  const std::string path = folder.write("a.gz", gzip_in_blocks(bytes, 1000));
  const GzipIndex index = index_of(path, 5000);
  ASSERT_GT(index.points.size(), 10u);
  EXPECT_EQ(index.decoded, bytes.size());
  const auto back = parse_gzip_index(gzip_index_bytes(index), 1 << 30);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->decoded, index.decoded);
  ASSERT_EQ(back->points.size(), index.points.size());
  for (std::size_t i = 0; i < index.points.size(); ++i) {
    EXPECT_EQ(back->points[i].bit, index.points[i].bit);
    EXPECT_EQ(back->points[i].offset, index.points[i].offset);
    EXPECT_EQ(back->points[i].window, index.points[i].window);
  }
  EXPECT_EQ(gzip_index_path("/a/b.gz"), "/a/b.gzi");
  EXPECT_EQ(gzip_index_path("b"), "b.gzi");
  EXPECT_EQ(gzip_index_path("/a/b.gz", "/c"), "/c/b.gzi");
}

TEST_F(GzipIndexTest, EveryCutOfOneAndEveryPlaceWithAnotherByteIsReadSafely) {
  const std::string path = folder.write("a.gz", gzip_in_blocks(bytes.substr(0, 20'000), 1000));
  const std::string whole = gzip_index_bytes(index_of(path, 5000));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_gzip_index(std::string_view(whole).substr(0, size), 1 << 30)) << size;
  EXPECT_FALSE(parse_gzip_index(whole + "x", 1 << 30));
}

TEST_F(GzipIndexTest, PointsThatAreNotInOrderAreNone) {
  const GzipPoint first{.bit = 80, .offset = 0}, second{.bit = 900, .offset = 1000, .window = "w"},
      third{.bit = 1800, .offset = 2000, .window = "w"};
  const auto read = [](const std::vector<GzipPoint>& points, std::uint64_t decoded = 3000) {
    return parse_gzip_index(gzip_index_bytes({points, decoded}), 1 << 20).has_value();
  };
  EXPECT_TRUE(read({first, second, third}));
  EXPECT_FALSE(read({first, third, second}));
  EXPECT_FALSE(read({second, third})) << "the first is the beginning";
  GzipPoint same = third;
  same.offset = second.offset;
  EXPECT_FALSE(read({first, second, same}));
  same = third, same.bit = second.bit;
  EXPECT_FALSE(read({first, second, same}));
  EXPECT_FALSE(read({first, second, third}, 2000)) << "the last has nothing";
  EXPECT_FALSE(read({}));
}

TEST_F(GzipIndexTest, WithOneTheFirstPassIsByIt) {
  const std::string one = gzip_in_blocks(bytes, 1000), more = of_few_values(30'000, 8);
  for (const auto& [file, all] : {std::pair{one, bytes},
                                  {one + gzip_in_blocks(more, 900) + gzip("x"), bytes + more + "x"},
                                  {one + std::string(600, '\0'), bytes}}) {
    const std::string path = folder.write("a.gz", file);
    const Pass pass = read(path, write(index_of(path, 5000)));
    EXPECT_EQ(pass.error, "");
    EXPECT_TRUE(pass.bytes == all);
    EXPECT_GT(pass.by_index, 10u);
  }
}

// Each byte of an index of a few points, its numbers and its windows: whatever it says, the bytes are those of the
// file.
TEST_F(GzipIndexTest, NoLieOfItChangesAByte) {
  const std::string some = bytes.substr(0, 9000);
  const std::string path = folder.write("a.gz", gzip_in_blocks(some, 900));
  const std::string whole = gzip_index_bytes(index_of(path, 2500));
  std::size_t by_index = 0;
  for (std::size_t at = 0; at < whole.size(); at += at < 200 || at + 60 > whole.size() ? 1u : 7u)
    for (const int mask : {1, 128}) {
      std::string lie = whole;
      lie[at] = static_cast<char>(lie[at] ^ mask);
      const Pass pass = read(path, folder.write("a.gzi", lie));
      ASSERT_EQ(pass.error, "") << at << " " << mask;
      ASSERT_TRUE(pass.bytes == some) << at << " " << mask;
      by_index += pass.by_index > 0;
    }
  EXPECT_GT(by_index, whole.size() / 20);
}

// A window that was made up with care: the piece decodes to other bytes of the same size.
TEST_F(GzipIndexTest, AWindowThatIsNotWhatStandsBeforeIsNotBelieved) {
  const std::string path = folder.write("a.gz", gzip_in_blocks(bytes, 1000));
  GzipIndex index = index_of(path, 5000);
  for (const std::size_t point : {1u, 5u, 12u}) {
    GzipIndex lie = index;
    std::vector<std::uint8_t> window(deflate_window);
    const auto size = unpack_window(lie.points[point].window, window.data());
    ASSERT_TRUE(size);
    for (std::size_t i = 0; i < *size; ++i) window[i] ^= 1;
    lie.points[point].window = packed_window({window.data(), *size});
    const Pass pass = read(path, write(lie));
    EXPECT_EQ(pass.error, "");
    EXPECT_TRUE(pass.bytes == bytes) << point;
  }
}

// A member of these blocks of deflate.
std::string member(const std::string& blocks, const std::string& all) {
  const unsigned long crc = crc32(0, reinterpret_cast<const Bytef*>(all.data()), static_cast<unsigned>(all.size()));
  std::string file = std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10) + blocks;
  for (const std::size_t n : {std::size_t{crc}, all.size()})
    for (unsigned shift = 0; shift < 32; shift += 8) file += static_cast<char>(n >> shift & 0xff);
  return file;
}

// What is put at the end of a piece would be the data of a stored block that began before and ends just there.
TEST_F(GzipIndexTest, AnEndWithinTheLastStoredBlockIsRefused) {
  const std::string first = bytes.substr(0, 20'000), stored = noise(1000);
  const std::string blocks = sluice::test::deflate_blocks(first, false),
                    last = sluice::test::deflate_blocks(stored, true, 0);
  const std::string path = folder.write("a.gz", member(blocks + last, first + stored));
  const std::size_t end_of_data = 10 + blocks.size() + last.size();
  std::size_t found_out = 0;
  for (std::size_t before = 1; before < 60; ++before) {
    const std::string decoded = first + stored.substr(0, stored.size() - before);
    for (const std::size_t more : {std::size_t{0}, std::size_t{5}}) {
      GzipIndex lie;
      lie.points.push_back({.bit = 80, .offset = 0});
      const std::string window = decoded.substr(decoded.size() - 20'000);
      lie.points.push_back(
          {.bit = (end_of_data - before) * 8,
           .offset = decoded.size() + more,
           .window = packed_window({reinterpret_cast<const std::uint8_t*>(window.data()), window.size()})});
      lie.decoded = first.size() + stored.size() + more;
      const Pass pass = read(path, write(lie));
      ASSERT_EQ(pass.error, "") << before;
      ASSERT_TRUE(pass.bytes == first + stored) << before;
      found_out += pass.by_index > 0;
    }
  }
  EXPECT_GT(found_out, 50u);
}

TEST_F(GzipIndexTest, AMemberWithoutAHeaderIsNone) {
  const std::string second = "without a header";
  const std::string first = gzip(bytes.substr(0, 5000)),
                    file = first + member(sluice::test::deflate_blocks(second, true), second).substr(10);
  const std::string path = folder.write("a.gz", file);
  GzipIndex lie;
  lie.points.push_back({.bit = 80, .offset = 0});
  lie.points.push_back({.bit = first.size() * 8, .offset = 5000});
  lie.decoded = 5000 + second.size();
  const Pass pass = read(path, write(lie));
  EXPECT_TRUE(contains(pass.error, "after gzip member 1")) << pass.error;
}

// As bgzip ends its files; and wherever else.
TEST_F(GzipIndexTest, MembersOfNothingAreNoPointsAndAreReadAll) {
  const std::string nothing = gzip(""), part = bytes.substr(0, 20'000), all = part + part;
  for (const std::string& file :
       {gzip_in_blocks(part, 1000) + gzip_in_blocks(part, 1000) + nothing,
        nothing + nothing + gzip_in_blocks(part, 1000) + nothing + nothing + nothing + gzip_in_blocks(part, 1000)}) {
    const std::string path = folder.write("a.gz", file);
    const GzipIndex index = index_of(path, 5000);
    EXPECT_EQ(index.decoded, all.size());
    EXPECT_GT(index.points.size(), 6u);
    const Pass pass = read(path, write(index));
    EXPECT_EQ(pass.error, "");
    EXPECT_TRUE(pass.bytes == all);
    EXPECT_EQ(pass.by_index, index.points.size());
    const std::string cut = folder.write("a.gz", file.substr(0, file.size() - 3));
    EXPECT_NE(read(cut, write(index)).error, "");
  }
}

TEST_F(GzipIndexTest, OneThatLiedIsLookedAtNoMore) {
  const std::string other = folder.write("b.gz", gzip_in_blocks(of_few_values(120'000, 9), 1000));
  const std::string index = write(index_of(other, 5000));
  const std::string path = folder.write("a.gz", gzip_in_blocks(bytes, 1000));
  GzipPieces pieces{.path = path, .span = 4000, .index_bytes = 64 << 20, .index = index};
  std::vector<std::size_t> by_index;
  for (int pass = 0; pass < 3; ++pass, pieces.reset()) {
    const Pass p = run(pieces);
    EXPECT_EQ(p.error, "");
    EXPECT_TRUE(p.bytes == bytes);
    by_index.push_back(p.by_index);
  }
  EXPECT_EQ(by_index[1], 0u) << "as without an index";
  EXPECT_GT(by_index[2], 20u) << "by what was found out meanwhile";
}

TEST_F(GzipIndexTest, OfAnotherFileItIsNotBelieved) {
  const std::string other = folder.write("b.gz", gzip_in_blocks(of_few_values(120'000, 9), 1000));
  const std::string index = write(index_of(other, 5000));
  const std::string path = folder.write("a.gz", gzip_in_blocks(bytes, 1000));
  const Pass pass = read(path, index);
  EXPECT_EQ(pass.error, "");
  EXPECT_TRUE(pass.bytes == bytes);
}

TEST_F(GzipIndexTest, DamageHasTheVerdictOfInflate) {
  const std::string some = bytes.substr(0, 9000), file = gzip_in_blocks(some, 900);
  const std::string path = folder.write("a.gz", file);
  const std::string index = write(index_of(path, 2500));
  for (std::size_t at = 0; at < file.size(); at += 3) {
    std::string damaged = file;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    folder.write("a.gz", damaged);
    std::string bytes_of_it, error;
    try {
      drive(Inflate{.path = path}, [&](const Chunk& c) { bytes_of_it.append(c.data, c.data + c.size); });
    } catch (const DataError& e) {
      error = e.what();
    }
    const Pass pass = read(path, index);
    ASSERT_EQ(without_numbers(pass.error), without_numbers(error)) << at;
    if (error.empty()) {
      ASSERT_TRUE(pass.bytes == bytes_of_it) << at;
    }
  }
}

bool has_gztool() {
  return std::system("command -v gztool >/dev/null 2>&1") == 0;
}
std::string printed(const std::string& command) {
  std::string all;
  std::FILE* const pipe = ::popen(command.c_str(), "r");
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) all.append(buffer, n);
  ::pclose(pipe);
  return all;
}

TEST_F(GzipIndexTest, GztoolReadsOursAndWeReadIts) {
  if (!has_gztool()) GTEST_SKIP() << "no gztool";
  const std::string large = of_few_values(4'000'000);
  const std::string path = folder.write("a.gz", gzip_in_blocks(large, 20'000)), index = folder.path("a.gzi");
  std::ofstream(index, std::ios::binary) << gzip_index_bytes(index_of(path, 300'000));
  for (const std::size_t at : {std::size_t{0}, std::size_t{1'234'567}, large.size() - 100})
    EXPECT_TRUE(printed("gztool -v0 -I '" + index + "' -b " + std::to_string(at) + " '" + path + "' 2>/dev/null") ==
                large.substr(at))
        << at;
  for (const char* lines : {"", "-x "}) {
    ::remove(index.c_str());
    printed("gztool -v0 " + std::string(lines) + "-s 1 -i '" + path + "' 2>&1");
    GzipPieces pieces{.path = path, .span = 300'000, .index = index};
    const Pass pass = run(pieces);
    EXPECT_EQ(pass.error, "");
    EXPECT_TRUE(pass.bytes == large);
    EXPECT_GE(pass.by_index, 3u) << lines;
  }
}

}  // namespace
}  // namespace sluice::stages::testing
