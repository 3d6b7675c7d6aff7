#include <sluice/stages/zip_member.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/inflate_whole.hpp>
#include "tests/stages/idx_example.hpp"
#include "tests/support/allocations.hpp"
#include "tests/support/zip.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::Allocations;
using sluice::test::zip_file;
using sluice::test::ZipPart;
using sluice::test::ZipSizes;

struct Outcome {
  std::string bytes, error;
  std::size_t chunks = 0;
};
Outcome outcome(ZipMember source) {
  Outcome o;
  try {
    for (Chunk chunk; source(chunk); ++o.chunks) {
      EXPECT_EQ(chunk.offset, o.bytes.size());
      EXPECT_GT(chunk.size, 0u);
      o.bytes.append(chunk.data, chunk.data + chunk.size);
    }
    Chunk none;
    EXPECT_FALSE(source(none));
  } catch (const DataError& error) {
    o.error = error.what();
    o.bytes.clear();  // how many come before an error depends on the sizes of chunks
  }
  return o;
}

class ZipMemberTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (libzip_version().empty()) GTEST_SKIP() << "built without libzip";
  }
  std::string write(const std::vector<ZipPart>& parts) const { return folder.write("a.npz", zip_file(parts)); }

  // In chunks of several sizes and whole: the same bytes or the same words, which are given back.
  Outcome read(const std::string& path, const std::string& member) const {
    const Outcome usual = outcome({.path = path, .member = member});
    for (const bool whole : {false, true})
      for (const std::size_t size : Sizes{1, 7, 1000}) {
        const Outcome o =
            outcome({.path = path, .member = member, .whole = whole, .chunk_bytes = size, .read_bytes = size});
        EXPECT_EQ(without_numbers(o.error), without_numbers(usual.error));
        EXPECT_TRUE(o.bytes == usual.bytes);
      }
    return usual;
  }
  void refused(const std::string& file, const std::string& text, const std::string& member = "a.npy") const {
    const std::string path = folder.write("a.npz", file);
    EXPECT_EQ(read(path, member).error, path + ": " + text);
  }
  void refused(const ZipPart& part, const std::string& text) const {
    refused(zip_file({part}), part.name + ": " + text);
  }

  const Folder folder;
  const std::string data = of_few_values(5000);
};

TEST_F(ZipMemberTest, StoredAndDeflatedMembersHoweverTheirSizesAreWritten) {
  for (const bool deflated : {true, false})
    for (const ZipSizes sizes : {ZipSizes::plain, ZipSizes::zip64, ZipSizes::descriptor})
      for (const bool zip64 : {false, true}) {
        const std::string path = folder.write(
            "a.npz", zip_file({{.name = "x.npy", .data = "other", .sizes = sizes},
                               {.name = "folder/a.npy", .data = data, .deflated = deflated, .sizes = sizes},
                               {.name = "empty.npy", .data = "", .deflated = deflated, .sizes = sizes}},
                              0, zip64));
        EXPECT_EQ(read(path, "folder/a.npy").bytes, data);
        EXPECT_EQ(read(path, "x.npy").bytes, "other");
        const Outcome empty = read(path, "empty.npy");
        EXPECT_EQ(empty.error, "");
        EXPECT_EQ(empty.chunks, 0u);
      }
}

TEST_F(ZipMemberTest, ChunksAreOfAtMostTheSizeAndTheirMemoryIsUsedAgain) {
  const std::string path = write({{.name = "a.npy", .data = data}});
  ZipMember member{.path = path, .member = "a.npy", .chunk_bytes = 1000};
  EXPECT_EQ(member.payload_bytes(), 1000u);
  for (int run = 0; run < 2; ++run, member.reset()) {
    std::string all;
    const Bytes* memory = nullptr;
    for (Chunk chunk; member(chunk);) {
      EXPECT_LE(chunk.size, 1000u);
      EXPECT_EQ(chunk.owner->capacity, 1000u);
      EXPECT_TRUE(!memory || memory == chunk.owner.get());
      memory = chunk.owner.get();
      all.append(chunk.data, chunk.data + chunk.size);
    }
    EXPECT_EQ(all, data);
  }
}

TEST_F(ZipMemberTest, WholeItIsOneChunkInMemoryOfJustItsSize) {
  for (const bool deflated : {true, false}) {
    if (deflated && libdeflate_version().empty()) continue;
    const std::string path = write({{.name = "a.npy", .data = data, .deflated = deflated}});
    ZipMember member{.path = path, .member = "a.npy", .whole = true, .chunk_bytes = 100};
    EXPECT_EQ(member.payload_bytes(), data.size());
    for (int run = 0; run < 2; ++run, member.reset()) {
      Chunk chunk;
      ASSERT_TRUE(member(chunk));
      EXPECT_EQ(std::string(chunk.data, chunk.data + chunk.size), data);
      EXPECT_EQ(chunk.owner->capacity, data.size());
      EXPECT_FALSE(member(chunk));
      EXPECT_FALSE(member(chunk));
    }
  }
}

TEST_F(ZipMemberTest, TheDirectoryIsListed) {
  const std::string path = write({{.name = "a.npy", .data = data},
                                  {.name = "b", .data = "xyz", .deflated = false, .sizes = ZipSizes::zip64},
                                  {.name = "c.npy", .data = "secret", .deflated = false, .flags = 1},
                                  {.name = "d.npy", .data = "", .method = 12}});
  const std::vector<ZipEntry> entries = zip_entries(path);
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[0].name, "a.npy");
  EXPECT_EQ(entries[0].size, data.size());
  EXPECT_EQ(entries[0].method, 8);
  EXPECT_LT(entries[0].stored, data.size());
  EXPECT_FALSE(entries[0].encrypted);
  EXPECT_EQ(entries[1].name, "b");
  EXPECT_EQ(entries[1].size, 3u);
  EXPECT_EQ(entries[1].stored, 3u);
  EXPECT_EQ(entries[1].method, 0);
  EXPECT_EQ(entries[1].crc, crc32(0, reinterpret_cast<const Bytef*>("xyz"), 3));
  EXPECT_TRUE(entries[2].encrypted);
  EXPECT_EQ(entries[3].method, 12);
  EXPECT_EQ(zip_member_name("a.npz", "x\n.npy"), "a.npz: x?.npy");
  EXPECT_TRUE(is_zip(reinterpret_cast<const std::uint8_t*>(zip_file({{.name = "a", .data = ""}}).data())));
  EXPECT_FALSE(is_zip(reinterpret_cast<const std::uint8_t*>(zip_file({}).data())));
}

TEST_F(ZipMemberTest, WhatIsNoZipFileOrNotAllOfOneIsRefused) {
  const std::string file = zip_file({{.name = "a.npy", .data = data}});
  const std::string none = "is no zip file, or one without its end: was the download interrupted?";
  for (const std::string& other : {std::string(), std::string("PK\3\4"), std::string(1000, 'x'), images_file(4, 3, 5)})
    refused(other, none);
  for (const std::size_t size : Sizes{10, file.size() / 2, file.size() - 30, file.size() - 1})
    refused(file.substr(0, size), none);
  refused(zip_file({{.name = "a.npy", .data = data}}, 1),
          "is a part of a split zip file, expected all of it in one: join the parts first");
  const std::string nowhere = folder.path("nowhere"), pipe = folder.path("pipe");
  EXPECT_EQ(read(nowhere, "a").error, nowhere + ": cannot be opened: No such file or directory: is the path right?");
  EXPECT_EQ(read(folder.path(), "a").error, folder.path() + ": is a folder, expected a file");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(read(pipe, "a").error,
            pipe +
                ": is no regular file, expected one: the directory of a zip file is at its end, so "
                "save it as a file first");
  expect_error<DataError>([&] { zip_entries(pipe); }, {pipe + ": is no regular file"});
  EXPECT_EQ((ZipMember{.path = pipe, .member = "a", .whole = true}.payload_bytes()), std::nullopt);
}

TEST_F(ZipMemberTest, AMemberThatIsNotThereOrTwiceIsRefusedWithThoseThatAre) {
  refused(zip_file({}), "has no member 'a.npy', but none at all");
  refused(zip_file({{.name = "b.npy", .data = ""}, {.name = "a\n.npy", .data = ""}}),
          "has no member 'a.npy', but b.npy, a?.npy");
  std::vector<ZipPart> many;
  for (int i = 0; i < 12; ++i) many.push_back({.name = std::to_string(i), .data = ""});
  refused(zip_file(many), "has no member 'a.npy', but 0, 1, 2, 3, 4, 5, 6, 7 and 4 more");
  refused(zip_file({{.name = "a.npy", .data = "1"}, {.name = "b", .data = ""}, {.name = "a.npy", .data = "2"}}),
          "has 2 members 'a.npy', expected one: was it written to twice?");
}

TEST_F(ZipMemberTest, WhatIsEncryptedOrCompressedInAnotherWayIsRefused) {
  refused({.name = "a.npy", .data = data, .flags = 1},
          "is encrypted, expected a member without a password: unpack it, and save it without");
  const auto method = [&](std::uint16_t number, const std::string& name) {
    refused({.name = "a.npy", .data = data, .method = number},
            "is compressed by " + name + " (" + std::to_string(number) +
                "), expected deflate (8) or none (0): numpy.savez_compressed uses deflate");
  };
  method(9, "deflate64");
  method(12, "bzip2");
  method(14, "LZMA");
  method(93, "zstd");
  method(95, "xz");
  method(77, "an unknown method");
}

TEST_F(ZipMemberTest, ADirectoryThatLiesIsFoundOut) {
  const std::string bytes = sluice::test::deflate_blocks(data, true), size = std::to_string(data.size()),
                    stored = std::to_string(bytes.size());
  const auto lies = [&](const ZipPart& part, const std::string& text) {
    const std::string path = write({part, {.name = "b", .data = std::string(3000, 'b'), .deflated = false}});
    const std::string error = read(path, "a.npy").error;
    EXPECT_TRUE(error.starts_with(path + ": a.npy: " + text)) << error << "\nexpected: " << text;
  };
  // Sizes
  lies({.name = "a.npy", .data = data, .size = data.size() - 1},
       "goes on after the 4999 bytes that the directory promises: is it damaged?");
  lies({.name = "a.npy", .data = data, .size = data.size() + 1},
       "decodes to 5000 bytes, expected 5001 as the directory promises: is it damaged?");
  lies({.name = "a.npy", .data = data, .size = 0}, "goes on after the 0 bytes that the directory promises");
  lies({.name = "a.npy", .data = data, .stored = bytes.size() - 1},
       "ends at byte " + std::to_string(bytes.size() - 1) + " in the file, in the middle of its data, of which ");
  lies({.name = "a.npy", .data = data, .stored = bytes.size() + 7}, "has 7 bytes behind its data: is it damaged?");
  lies({.name = "a.npy", .data = data, .stored = 3},
       "has 3 bytes in the file, and cannot be the 5000 that the directory "
       "promises: is it damaged?");
  lies({.name = "a.npy", .data = data, .size = 0xfffffff0}, "has " + stored + " bytes in the file, and cannot be the");
  lies({.name = "a.npy", .data = data, .stored = 100'000}, "");
  lies({.name = "a.npy", .data = data, .deflated = false, .size = data.size() - 1},
       "has 5000 bytes in the file, and cannot be the 4999 that the directory promises");
  lies({.name = "a.npy", .data = data, .deflated = false, .size = 4000, .stored = 4000},
       "is damaged: its checksum is ");
  lies({.name = "a.npy", .data = data, .deflated = false, .size = 100'000, .stored = 100'000},
       "cannot be read behind byte ");
  // Offsets
  lies({.name = "a.npy", .data = data, .offset = 1}, "");
  lies({.name = "a.npy", .data = data, .offset = 100}, "");
  lies({.name = "a.npy", .data = data, .offset = 1'000'000},
       "cannot be read behind byte 0 of " + stored + " in the file: ");
  // The checksum, and the method
  lies({.name = "a.npy", .data = "abc", .crc = 1},
       "is damaged: its checksum is 352441c2, expected 00000001: copy or download it again");
  lies({.name = "a.npy", .data = data, .bytes = std::string(1000, '\xff')}, "is damaged at byte ");
}

TEST_F(ZipMemberTest, EveryChangeOfABitAndEveryCutIsRefusedOrMeansNothing) {
  std::size_t taken = 0;
  for (const bool deflated : {true, false}) {
    const std::string bytes = data.substr(0, 60),
                      file = zip_file(
                          {{.name = "b", .data = "other"}, {.name = "a.npy", .data = bytes, .deflated = deflated}});
    const std::string path = folder.write("a.npz", file);
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    const auto put = [&](std::size_t at, char byte) {
      ASSERT_EQ(::pwrite(descriptor, &byte, 1, static_cast<off_t>(at)), 1);
    };
    const auto judge = [&] {
      const Outcome usual = outcome({.path = path, .member = "a.npy", .chunk_bytes = 25, .read_bytes = 10}),
                    whole =
                        outcome({.path = path, .member = "a.npy", .whole = true, .chunk_bytes = 25, .read_bytes = 10});
      EXPECT_EQ(usual.error, whole.error);
      EXPECT_TRUE(usual.bytes == whole.bytes);
      if (usual.error.empty()) {
        EXPECT_EQ(usual.bytes, bytes);
        ++taken;
      } else {
        EXPECT_TRUE(usual.error.starts_with(path + ": ")) << usual.error;
        EXPECT_EQ(usual.error.find_first_of("\n\r\x1b"), std::string::npos) << usual.error;
        EXPECT_LT(usual.error.size(), path.size() + 300) << usual.error;
      }
      return usual.error.empty();
    };
    for (std::size_t at = 0; at < file.size(); ++at)
      for (int bit = 0; bit < 8; ++bit) {
        put(at, static_cast<char>(file[at] ^ 1 << bit));
        judge();
        put(at, file[at]);
        ASSERT_FALSE(HasFailure()) << at << ", " << bit;
      }
    for (std::size_t size = file.size(); size-- > 0;) {
      ASSERT_EQ(::ftruncate(descriptor, static_cast<off_t>(size)), 0);
      EXPECT_FALSE(judge()) << size;
    }
    ::close(descriptor);
  }
  EXPECT_GT(taken, 100u) << "times, versions, attributes";
}

TEST_F(ZipMemberTest, MemoryFollowsTheBytesAndNotThePromise) {
  // A gibibyte of zeros behind a promise of 100 bytes, and a promise of as much where there is little.
  std::string zeros;
  const std::string mebibyte = sluice::test::deflate_blocks(std::string(1 << 20, '\0'), false);
  for (int i = 0; i < 1024; ++i) zeros += mebibyte;
  for (const bool whole : {false, true}) {
    const std::string bomb = write({{.name = "a.npy", .data = std::string(100, '\0'), .bytes = zeros}});
    Allocations::begin();
    EXPECT_EQ(outcome({.path = bomb, .member = "a.npy", .whole = whole}).error,
              bomb + ": a.npy: goes on after the 100 bytes that the directory promises: is it damaged?");
    EXPECT_LT(Allocations::largest(), 2 * zeros.size() + (1 << 20));
    const std::string lie = write({{.name = "a.npy", .data = data, .size = 0x3fffffff}});
    Allocations::begin();
    EXPECT_TRUE(outcome({.path = lie, .member = "a.npy", .whole = whole}).error.find("cannot be the 1073741823") !=
                std::string::npos);
    EXPECT_LT(Allocations::largest(), std::size_t{1} << 20);
  }
}

TEST_F(ZipMemberTest, AHoleIsNotReadIntoMemory) {
  // A stored member of 256 MiB that takes no room on the disk.
  const std::size_t size = 1 << 28;
  const std::string path = folder.path("a.npz"),
                    file = zip_file({{.name = "a.npy", .data = "", .deflated = false, .size = size, .stored = size}});
  const std::string local = file.substr(0, 35), directory = file.substr(35);
  std::ofstream(path, std::ios::binary) << local;
  ASSERT_EQ(::truncate(path.c_str(), static_cast<off_t>(35 + size)), 0);
  std::string behind = directory;
  const std::size_t end = directory.size() - 22;
  for (std::size_t i = 0; i < 4; ++i) behind[end + 16 + i] = static_cast<char>((35 + size) >> 8 * i & 0xff);
  std::ofstream(path, std::ios::binary | std::ios::app) << behind;
  ZipMember member{.path = path, .member = "a.npy", .whole = true};
  Chunk chunk;
  ASSERT_TRUE(member(chunk));
  EXPECT_EQ(chunk.size, member.chunk_bytes);
}

TEST_F(ZipMemberTest, OptionsOutOfRangeAreRefused) {
  const std::string path = write({{.name = "a.npy", .data = data}});
  Chunk chunk;
  EXPECT_THROW((ZipMember{.path = path, .member = "a.npy", .chunk_bytes = 0}(chunk)), std::invalid_argument);
  EXPECT_THROW((ZipMember{.path = path, .member = "a.npy", .read_bytes = 0}(chunk)), std::invalid_argument);
}

TEST(ZipWithoutLibzip, EveryFileIsRefused) {
  if (!libzip_version().empty()) GTEST_SKIP() << "built with libzip";
  const Folder folder;
  const std::string path = folder.write("a.npz", zip_file({{.name = "a.npy", .data = ""}}));
  const std::string error =
      path + ": is a zip file, and this was built without libzip, which reads them: unpack it first";
  expect_error<DataError>([&] { zip_entries(path); }, {error});
  EXPECT_EQ(outcome({.path = path, .member = "a.npy"}).error, error);
}

}  // namespace
}  // namespace sluice::stages::testing
