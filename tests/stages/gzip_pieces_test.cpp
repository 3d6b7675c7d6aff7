// That pieces decode to what Inflate decodes to, the first time and again, whatever the file is.
#include <sluice/stages/gzip_pieces.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sluice/stages/each_file.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/inflate.hpp>
#include "tests/stages/idx_example.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::gzip_in_blocks;
using sluice::test::noise;

struct Pass {
  std::string bytes, error;
  std::size_t chunks = 0, pieces = 0, by_index = 0, largest = 0;
};

// meanwhile: behind the first chunk.
Pass run(GzipPieces& source, const std::function<void()>& meanwhile = {}) {
  Pass pass;
  VerifyPieces verify{.span = source.span, .index_bytes = source.index_bytes};
  Piece piece;
  CheckedPiece checked;
  Chunk chunk;
  try {
    for (; source(piece); ++pass.pieces) {
      pass.by_index += piece.from && piece.begins_before == 0;
      DecodePiece{}(piece, checked);
      for (verify.push(checked); verify.pull(chunk); ++pass.chunks) {
        EXPECT_EQ(chunk.offset, pass.bytes.size());
        EXPECT_LE(chunk.owner->capacity, source.payload_bytes());
        pass.bytes.append(chunk.data, chunk.data + chunk.size);
        pass.largest = std::max(pass.largest, chunk.size);
        if (meanwhile && pass.chunks == 0) meanwhile();
      }
    }
  } catch (const DataError& error) {
    pass.error = error.what();
  }
  return pass;
}
Pass again(GzipPieces& source) {
  source.reset();
  return run(source);
}

Pass by_zlib(const std::string& path) {
  Pass pass;
  try {
    drive(Inflate{.path = path}, [&](const Chunk& c) { pass.bytes.append(c.data, c.data + c.size); });
  } catch (const DataError& error) {
    pass.error = error.what();
  }
  return pass;
}

// One after the other at first, or guessed.
class Pieces : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (!decodes_pieces()) GTEST_SKIP() << "built without libdeflate: everything is Inflate's";
  }
  static GzipPieces source_of(const std::string& path, std::size_t span = 256 * 1024, std::size_t index_bytes = 0) {
    return {.path = path, .span = span, .index_bytes = index_bytes, .guess = GetParam()};
  }
  const Folder folder;
};
INSTANTIATE_TEST_SUITE_P(, Pieces, ::testing::Bool(), [](const auto& way) { return way.param ? "Guessed" : "InTurn"; });

TEST_P(Pieces, HaveTheBytesOfTheFileAndTheSecondTimeEachIsDecodedByItself) {
  const std::string bytes = of_few_values(200'000);
  for (const std::size_t block : {500u, 1000u, 3000u}) {
    const std::string path = folder.write("a.gz", gzip_in_blocks(bytes, block));
    for (const std::size_t span : {1u, 300u, 2000u, 20'000u, 1u << 20}) {
      GzipPieces source = source_of(path, span, 64 << 20);
      const Pass first = run(source), second = again(source), third = again(source);
      for (const Pass& pass : {first, second, third}) {
        EXPECT_EQ(pass.error, "");
        EXPECT_TRUE(pass.bytes == bytes) << block << ", span " << span;
        EXPECT_LE(pass.largest, most_of_piece(span));
      }
      if (most_of_piece(span) < block) continue;  // larger blocks are zlib's
      EXPECT_EQ(first.by_index, 0u);
      if (span >= block && span < bytes.size()) {
        EXPECT_GE(first.chunks, bytes.size() / span / 2) << block << ", span " << span;
        EXPECT_EQ(second.by_index, second.pieces) << block << ", span " << span;
        EXPECT_EQ(second.pieces, first.chunks);
        EXPECT_EQ(third.by_index, third.pieces);
      }
    }
  }
}

TEST_P(Pieces, WithoutAnIndexEveryPassIsTheFirst) {
  const std::string bytes = of_few_values(50'000);
  GzipPieces source = source_of(folder.write("a.gz", gzip_in_blocks(bytes, 1000)), 2000);
  for (int pass = 0; pass < 3; ++pass) {
    const Pass p = again(source);
    EXPECT_TRUE(p.bytes == bytes);
    EXPECT_EQ(p.by_index, 0u);
  }
}

TEST_P(Pieces, OfAnyEncoderAndAnyData) {
  const std::vector<std::string> all{
      of_few_values(30'000),
      noise(30'000),
      std::string(300'000, 'x'),
      of_few_values(10'000) + std::string(100'000, '\0') + noise(5000) + of_few_values(9000, 7),
      "",
      "a"};
  for (std::size_t d = 0; d < all.size(); ++d)
    for (const int level : {0, 1, 9})
      for (const int strategy : {Z_DEFAULT_STRATEGY, Z_FIXED, Z_HUFFMAN_ONLY, Z_RLE})
        for (const int memory : {1, 8})
          for (const std::size_t block : {700u, 1u << 20}) {
            const std::string path = folder.write("a.gz", gzip_in_blocks(all[d], block, level, strategy, memory));
            for (const std::size_t span : {400u, 5000u, 256u * 1024}) {
              GzipPieces source = source_of(path, span, 1 << 20);
              for (int pass = 0; pass < 2; ++pass) {
                const Pass p = again(source);
                ASSERT_EQ(p.error, "") << d << " " << level << " " << strategy << " " << memory << " " << block << " "
                                       << span;
                ASSERT_TRUE(p.bytes == all[d])
                    << d << " " << level << " " << strategy << " " << memory << " " << block << " " << span;
              }
            }
          }
}

TEST_P(Pieces, OfMembersOfAnySizeWithAnyHeader) {
  std::string file, bytes;
  for (std::size_t i = 0; i < 60; ++i) {
    const std::string part = i % 9 == 0 ? "" : of_few_values(i * i * 7, i);
    std::string one = i % 2 ? gzip(part) : gzip_in_blocks(part, 600);
    if (i % 5 == 1)
      one = one.substr(0, 3) + '\x18' + one.substr(4, 6) + std::string("name\0comment\0", 13) + one.substr(10);
    if (i % 5 == 2) one = one.substr(0, 3) + '\x04' + one.substr(4, 6) + std::string("\x03\0abc", 5) + one.substr(10);
    file += one, bytes += part;
  }
  const std::string path = folder.write("a.gz", file);
  for (const std::size_t span : {300u, 5000u, 100'000u}) {
    GzipPieces source = source_of(path, span, 4 << 20);
    const Pass first = run(source), second = again(source);
    EXPECT_EQ(first.error + second.error, "");
    EXPECT_TRUE(first.bytes == bytes && second.bytes == bytes) << span;
    if (span == 100'000) {
      EXPECT_EQ(second.by_index, second.pieces) << span;
    }
  }
}

// A header with a checksum is zlib's, and so is what is no gzip, or no file.
TEST_P(Pieces, WhatIsUnusualIsLeftToInflate) {
  const std::string bytes = of_few_values(20'000), whole = gzip_in_blocks(bytes, 1000);
  std::string checked = whole.substr(0, 3) + '\x02' + whole.substr(4, 6);
  const unsigned long crc = crc32(0, reinterpret_cast<const Bytef*>(checked.data()), 10);
  checked += std::string{static_cast<char>(crc & 0xff), static_cast<char>(crc >> 8 & 0xff)} + whole.substr(10);
  for (const std::string& file :
       {checked, bytes, whole + checked + whole, std::string("\x1f"), std::string("\x1f\x8b\x07", 3), std::string(),
        whole + "x", whole + std::string(1, '\0') + whole}) {
    const std::string path = folder.write("a", file);
    const Pass expected = by_zlib(path);
    GzipPieces source = source_of(path, 2000, 1 << 20);
    for (int pass = 0; pass < 2; ++pass) {
      const Pass p = again(source);
      EXPECT_EQ(without_numbers(p.error), without_numbers(expected.error));
      // What was handed on before the error is more or less, as the chunks are.
      EXPECT_TRUE(expected.error.empty() ? p.bytes == expected.bytes : (bytes + bytes + bytes).starts_with(p.bytes));
    }
  }
  for (const std::string& path : {std::string("/nowhere/a.gz"), folder.path()}) {
    GzipPieces source = source_of(path);
    EXPECT_EQ(run(source).error, by_zlib(path).error);
  }
}

TEST_P(Pieces, APipeIsReadOnce) {
  const std::string bytes = of_few_values(20'000), path = folder.path("pipe"), file = gzip_in_blocks(bytes, 1000);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  std::thread writer([&] {
    const int out = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(::write(out, file.data(), file.size()), static_cast<ssize_t>(file.size()));
    ::close(out);
  });
  GzipPieces source = source_of(path, 2000, 1 << 20);
  EXPECT_TRUE(run(source).bytes == bytes);
  writer.join();
}

// A file whose bytes are changed where they lie, and whose time stays.
class Changing {
 public:
  Changing(const Folder& folder, const std::string& file)
      : path(folder.write("changing.gz", file)), file_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
    struct stat status {};
    EXPECT_EQ(::fstat(file_, &status), 0);
    times_ = {status.st_atim, status.st_mtim};
  }
  Changing(const Changing&) = delete;
  Changing& operator=(const Changing&) = delete;
  ~Changing() { ::close(file_); }
  void put(std::size_t at, char byte) const {
    EXPECT_EQ(::pwrite(file_, &byte, 1, static_cast<off_t>(at)), 1);
    EXPECT_EQ(::futimens(file_, times_.data()), 0);
  }
  void cut(std::size_t size) const {
    EXPECT_EQ(::ftruncate(file_, static_cast<off_t>(size)), 0);
    EXPECT_EQ(::futimens(file_, times_.data()), 0);
  }
  const std::string path;

 private:
  int file_;
  std::array<timespec, 2> times_{};
};

// In a first pass, and in one behind one that found the file as it was.
TEST_P(Pieces, EveryChangeOfAByteAndEveryCutHaveTheVerdictOfInflate) {
  const std::string bytes = of_few_values(2500), more = of_few_values(1200, 5);
  const std::string file = gzip_in_blocks(bytes, 500) + gzip("") + gzip_in_blocks(more, 600) + std::string(3, '\0');
  const Changing changing(folder, file);
  GzipPieces sound = source_of(changing.path, 600, 1 << 20);
  run(sound);
  ASSERT_GE(again(sound).by_index, 6u);
  const auto check = [&](const std::string& what) {
    const Pass expected = by_zlib(changing.path);
    GzipPieces source = source_of(changing.path, 600, 1 << 20);
    const Pass p = run(source);
    ASSERT_EQ(without_numbers(p.error), without_numbers(expected.error)) << what;
    if (expected.error.empty()) {
      ASSERT_TRUE(p.bytes == expected.bytes) << what;
    }
  };
  std::size_t refused = 0;
  for (std::size_t at = 0; at < file.size(); ++at)
    for (const int mask : {1, 4, 16, 128, 255}) {
      GzipPieces source = source_of(changing.path, 600, 1 << 20);
      ASSERT_EQ(run(source).error, "");
      changing.put(at, static_cast<char>(file[at] ^ mask));
      const std::string what = "byte " + std::to_string(at) + ", mask " + std::to_string(mask);
      check(what);
      const Pass expected = by_zlib(changing.path), known = again(source);
      ASSERT_EQ(without_numbers(known.error), without_numbers(expected.error)) << what << ", with an index";
      if (expected.error.empty()) {
        ASSERT_TRUE(known.bytes == expected.bytes) << what << ", with an index";
      }
      refused += !expected.error.empty();
      changing.put(at, file[at]);
    }
  EXPECT_GT(refused, file.size() * 4);
  for (std::size_t size = file.size(); size-- > 1;) {
    GzipPieces source = source_of(changing.path, 600, 1 << 20);
    run(source);
    changing.cut(size);
    check("cut to " + std::to_string(size));
    const Pass expected = by_zlib(changing.path), known = again(source);
    ASSERT_EQ(without_numbers(known.error), without_numbers(expected.error)) << size;
  }
}

// Zeros to the end of a block, as tapes and copies of blocks have them.
TEST_P(Pieces, ZerosBehindTheLastMemberAreNoError) {
  const std::string bytes = of_few_values(9000), whole = gzip_in_blocks(bytes, 1000);
  for (const std::size_t zeros : {1u, 2u, 7u, 512u, 70'000u, 1'000'000u}) {
    GzipPieces source = source_of(folder.write("a.gz", whole + std::string(zeros, '\0')), 2000, 1 << 20);
    const Pass first = run(source), second = again(source);
    EXPECT_EQ(first.error + second.error, "") << zeros;
    EXPECT_TRUE(first.bytes == bytes && second.bytes == bytes) << zeros;
    EXPECT_EQ(second.by_index, second.pieces) << zeros;
  }
}

TEST_P(Pieces, AFileThatIsReplacedIsReadAnew) {
  const std::string a = of_few_values(30'000), b = of_few_values(30'000, 9);
  const std::string path = folder.write("a.gz", gzip_in_blocks(a, 1000));
  GzipPieces source = source_of(path, 2000, 1 << 20);
  EXPECT_TRUE(run(source).bytes == a);
  folder.write("b.gz", gzip_in_blocks(b, 1000));
  ASSERT_EQ(::rename(folder.path("b.gz").c_str(), path.c_str()), 0);
  Pass p = again(source);
  EXPECT_TRUE(p.bytes == b);
  EXPECT_EQ(p.by_index, 0u);
  p = again(source);
  EXPECT_TRUE(p.bytes == b);
  EXPECT_EQ(p.by_index, p.pieces);
}

// Beside a reader whose first half is of the file as it was, which nobody may go on from.
TEST_P(Pieces, AFileThatIsReplacedMeanwhileIsAnErrorWhereItIsReadAnew) {
  const std::string a = of_few_values(30'000), b = of_few_values(30'000, 9), second = gzip("second");
  std::string checked = second.substr(0, 3) + '\x02' + second.substr(4, 6);
  const unsigned long crc = crc32(0, reinterpret_cast<const Bytef*>(checked.data()), 10);
  checked += std::string{static_cast<char>(crc & 0xff), static_cast<char>(crc >> 8 & 0xff)} + second.substr(10);
  const std::string path = folder.write("a.gz", gzip_in_blocks(a, 1000) + checked);
  GzipPieces source = source_of(path, 2000);
  const std::string other = folder.write("b.gz", gzip_in_blocks(b, 1000) + checked);
  const Pass p = run(source, [&] { ::rename(other.c_str(), path.c_str()); });
  EXPECT_TRUE(sluice::test::contains(p.error, "no longer decodes to the 30000 bytes that it had")) << p.error;
}

TEST_P(Pieces, ManyTinyMembersAreOneStream) {
  std::string file, all;
  const std::string nothing = gzip(""), one = gzip("1");
  for (int i = 0; i < 30'000; ++i) file += i % 3 ? nothing : one, all += i % 3 ? "" : "1";
  GzipPieces source = source_of(folder.write("a.gz", file), 256 * 1024, 1 << 20);
  for (int pass = 0; pass < 2; ++pass) {
    const Pass p = again(source);
    EXPECT_EQ(p.error, "");
    EXPECT_TRUE(p.bytes == all);
    EXPECT_EQ(p.by_index, 0u) << "what is kept of each is counted";
  }
}

// What begins with little is no measure of what follows.
TEST_P(Pieces, BehindAnEmptyBeginningTheyAreAsLargeAsEver) {
  const std::string all = std::string(300'000, '\0') + of_few_values(300'000);
  GzipPieces source = source_of(folder.write("a.gz", gzip_in_blocks(all, 2000)), 20'000, 64 << 20);
  const Pass p = run(source);
  EXPECT_TRUE(p.bytes == all);
  EXPECT_LT(p.pieces, 60u);
}

TEST_P(Pieces, WindowsTakeNoMoreThanTheyMay) {
  const std::string bytes = of_few_values(400'000);
  const std::string path = folder.write("a.gz", gzip_in_blocks(bytes, 1000));
  for (const std::size_t most : {8u << 20, 100u * 1024}) {
    GzipPieces source = source_of(path, 4000, most);
    const Pass first = run(source), second = again(source);
    EXPECT_TRUE(first.bytes == bytes && second.bytes == bytes);
    EXPECT_EQ(second.by_index, most > 1 << 20 ? second.pieces : 0u) << "what there is no room for is not kept";
  }
}

TEST_P(Pieces, InTheMiddleAndBehindAnErrorItStartsAgain) {
  const std::string bytes = of_few_values(20'000);
  const std::string path = folder.write("a.gz", gzip_in_blocks(bytes, 1000).substr(0, 2000));
  GzipPieces source = source_of(path, 2000, 1 << 20);
  EXPECT_NE(run(source).error, "");
  EXPECT_NE(run(source).error, "") << "an error is not followed by a quiet end";
  folder.write("a.gz", gzip_in_blocks(bytes, 1000));
  Piece piece;
  source.reset();
  ASSERT_TRUE(source(piece));
  EXPECT_TRUE(again(source).bytes == bytes);
  source.reset();
  ASSERT_TRUE(source(piece));  // by its index
  EXPECT_TRUE(again(source).bytes == bytes);
  EXPECT_FALSE(source(piece));
}

TEST_P(Pieces, OfSeveralFilesOneAfterTheOther) {
  EachFile<GzipPieces> all;
  std::string bytes;
  for (std::uint64_t i = 0; i < 3; ++i) {
    const std::string part = of_few_values(9000, i);
    all.files.push_back(source_of(folder.write(std::to_string(i), gzip_in_blocks(part, 1000)), 2000, 1 << 20));
    bytes += part;
  }
  VerifyPieces verify{.span = 2000, .index_bytes = 3 << 20};
  for (int pass = 0; pass < 3; ++pass, all.reset(), verify.reset()) {
    std::string made;
    std::size_t file = 0, by_index = 0, pieces = 0;
    CheckedPiece checked;
    Chunk chunk;
    for (Piece piece; all(piece); ++pieces) {
      by_index += piece.from && piece.begins_before == 0;
      DecodePiece{}(piece, checked);
      verify.push(checked);
      while (verify.pull(chunk)) {
        EXPECT_LE(file, chunk.file);
        file = chunk.file;
        made.append(chunk.data, chunk.data + chunk.size);
      }
    }
    EXPECT_TRUE(made == bytes);
    EXPECT_EQ(file, 2u);
    EXPECT_EQ(by_index, pass ? pieces : 0) << pass;
  }
}

}  // namespace
}  // namespace sluice::stages::testing
