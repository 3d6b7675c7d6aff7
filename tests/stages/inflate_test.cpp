#include <sluice/stages/inflate.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <iterator>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include <sluice/stages/errors.hpp>
#include "tests/stages/idx_example.hpp"
#include "tests/support/pipe.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::Pipe;

TEST(Inflate, GivesTheBytesOfAGzipFileWhateverTheSizesOfChunksAndReads) {
  const Folder folder;
  const std::string bytes = pixels(3000) + std::string(2000, 'x');
  const std::string path = folder.write("a.gz", gzip(bytes));
  for (const std::size_t chunk : Sizes{1, 2, 15, 16, 17, 100, 4999, 5000, 5001, 1 << 20})
    for (const std::size_t read : Sizes{1, 2, 3, 17, 100, 1 << 20})
      EXPECT_EQ(decoded(path, {chunk, read}), bytes) << chunk << " " << read;
}

TEST(Inflate, GivesTheBytesOfAPlainFileWhateverTheSizesOfChunksAndReads) {
  const Folder folder;
  const std::string bytes = pixels(1000);
  const std::string path = folder.write("a", bytes);
  for (const std::size_t chunk : Sizes{1, 2, 15, 16, 17, 100, 1 << 20})
    for (const std::size_t read : Sizes{1, 2, 3, 100, 1 << 20}) EXPECT_EQ(decoded(path, {chunk, read}), bytes);
}

TEST(Inflate, TellsGzipByItsContentAndNotByItsName) {
  const Folder folder;
  EXPECT_EQ(decoded(folder.write("plain-name", gzip("hello"))), "hello");
}

TEST(Inflate, AFileOfOneByteIsPlain) {
  const Folder folder;
  EXPECT_EQ(decoded(folder.write("a", "\x1f")), "\x1f");
}

TEST(Inflate, ChunksAreFullExceptTheLastAndSayWhereTheyAre) {
  const Folder folder;
  Inflate inflate{.path = folder.write("a.gz", gzip(pixels(100)) + gzip(pixels(150))), .chunk_bytes = 64};
  std::vector<std::size_t> sizes;
  std::uint64_t offset = 0;
  drive(inflate, [&](const Chunk& chunk) {
    EXPECT_EQ(chunk.offset, offset);
    offset += chunk.size;
    sizes.push_back(chunk.size);
  });
  EXPECT_EQ(sizes, (std::vector<std::size_t>{64, 64, 64, 58}));
}

TEST(Inflate, SeveralMembersAreOneStreamAndMembersMayBeEmpty) {
  const Folder folder;
  const std::string path = folder.write("a.gz", gzip("") + gzip("one") + gzip("") + gzip("two") + gzip(""));
  for (const std::size_t chunk : Sizes{1, 2, 3, 100})
    for (const std::size_t read : Sizes{1, 2, 7, 1000}) EXPECT_EQ(decoded(path, {chunk, read}), "onetwo");
}

TEST(Inflate, AThousandMembersAreOneStream) {
  const Folder folder;
  std::string file, bytes;
  for (int i = 0; i < 1000; ++i) {
    const std::string part = i % 7 == 0 ? "" : "member " + std::to_string(i) + "\n";
    file += gzip(part), bytes += part;
  }
  const std::string path = folder.write("a.gz", file);
  EXPECT_EQ(decoded(path), bytes);
  EXPECT_EQ(decoded(path, {10, 11}), bytes);
}

TEST(Inflate, ReadsTheOptionalFieldsOfAHeader) {
  const Folder folder;
  const std::string member = gzip("text");
  std::string named = member.substr(0, 10) + "name" + '\0' + "comment" + '\0' + member.substr(10);
  named[3] = 0x08 | 0x10;  // FNAME, FCOMMENT
  std::string extra = member.substr(0, 10) + std::string("\x03\0abc", 5) + member.substr(10);
  extra[3] = 0x04;  // FEXTRA
  EXPECT_EQ(decoded(folder.write("named.gz", named), {100, 1}), "text");
  EXPECT_EQ(decoded(folder.write("extra.gz", extra), {100, 1}), "text");
}

TEST(Inflate, ClosesItsFileHoweverItEnds) {
  const Folder folder;
  const std::string good = folder.write("a.gz", gzip("abc")), bad = folder.write("b.gz", gzip("abc") + "x");
  const auto open_files = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  const auto before = open_files();
  EXPECT_EQ(decoded(good), "abc");
  EXPECT_THROW(decoded(bad), DataError);
  EXPECT_THROW(decoded(folder.path()), DataError);
  {
    Inflate unread{.path = good, .chunk_bytes = 1};
    Chunk chunk;
    EXPECT_TRUE(unread(chunk));
  }
  EXPECT_EQ(open_files(), before);
}

TEST(Inflate, EveryWayToSplitAStreamIntoTwoMembersGivesTheSame) {
  const Folder folder;
  const std::string bytes = pixels(60);
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
    EXPECT_EQ(decoded(folder.write("a.gz", gzip(bytes.substr(0, cut)) + gzip(bytes.substr(cut))), {16, 5}), bytes);
}

TEST(Inflate, EveryWayToSplitTheFileIntoTwoReadsGivesTheSame) {
  const Folder folder;
  const std::string bytes = pixels(100), file = gzip(bytes) + gzip(bytes);
  const std::string path = folder.write("a.gz", file);
  for (std::size_t read = 1; read <= file.size(); ++read) EXPECT_EQ(decoded(path, {32, read}), bytes + bytes) << read;
}

TEST(Inflate, AnEmptyMemberAloneIsAnEmptyStream) {
  const Folder folder;
  EXPECT_EQ(decoded(folder.write("a.gz", gzip(""))), "");
}

TEST(Inflate, EveryTruncationIsAnErrorThatSaysWhereTheFileEnds) {
  const Folder folder;
  const std::string whole = gzip(pixels(200));
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const std::string path = folder.write("a.gz", whole.substr(0, size));
    for (const std::size_t read : Sizes{1, 7, 1000})
      for (const std::size_t chunk : Sizes{1, 64, 200, 1000}) {
        const auto run = [&] { decoded(path, {chunk, read}); };
        if (size == 1)
          expect_error<DataError>(run, {path, "expected 1f 8b"});
        else
          expect_error<DataError>(run, {path, "ends at byte " + std::to_string(size), "gzip member 1", "interrupted?"});
      }
  }
}

TEST(Inflate, EveryTruncationOfALaterMemberIsAnError) {
  const Folder folder;
  const std::string first = gzip(pixels(100)), second = gzip(pixels(50));
  for (std::size_t size = 1; size < second.size(); ++size)
    expect_error<DataError>([&] { decoded(folder.write("a.gz", first + second.substr(0, size))); },
                            {folder.path("a.gz"), size == 1 ? "after gzip member 1" : "gzip member 2"});
}

TEST(Inflate, AFlippedBitIsDetectedOrHarmless) {
  const Folder folder;
  const std::string bytes = pixels(40) + std::string(100, 'y'), whole = gzip(bytes) + gzip(bytes);
  std::size_t detected = 0;
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const int mask : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ mask);
      try {
        ASSERT_EQ(decoded(folder.write("a.gz", damaged)), bytes + bytes) << at << " " << mask;
      } catch (const DataError& error) {
        EXPECT_NE(std::string(error.what()).find("byte"), std::string::npos) << error.what();
        ++detected;
      }
    }
  EXPECT_GT(detected, 9 * (whole.size() - 20));  // harmless: time, flags and system in the two headers
}

TEST(Inflate, BytesAfterTheLastMemberAreAnErrorThatSaysWhere) {
  const Folder folder;
  const std::string member = gzip("hello");
  for (const std::string& extra : {std::string("x"), std::string(512, '\0') + "x", std::string(1, '\0') + member,
                                   std::string("\x1f"), std::string("PK34")})
    for (const std::size_t read : Sizes{1, 1000})
      expect_error<DataError>(
          [&] {
            decoded(folder.write("a.gz", member + extra), {1000, read});
          },
          {folder.path("a.gz"), "at byte " + std::to_string(member.size()), "after gzip member 1", "expected the end"});
}

// gzip, pigz, 7z, Python and Node take them so; what makes them are tapes, copies of blocks and stores of objects.
TEST(Inflate, ZerosBehindTheLastMemberAreNoError) {
  const Folder folder;
  for (const std::size_t zeros : Sizes{1, 2, 3, 512, 100'000})
    for (const std::size_t read : Sizes{1, 3, 1000}) {
      if (zeros > 1000 && read == 1) continue;
      const std::string path = folder.write("a.gz", gzip("hello") + gzip(", you") + std::string(zeros, '\0'));
      EXPECT_EQ(decoded(path, {1000, read}), "hello, you") << zeros << " " << read;
      EXPECT_EQ(decoded(path, {3, read}), "hello, you") << zeros << " " << read;
    }
  expect_error<DataError>([&] { decoded(folder.write("a.gz", std::string(10, '\0') + gzip("hello"))); },
                          {"begins with bytes 00 00"});
}

TEST(Inflate, AMissingFileIsAnError) {
  expect_error<DataError>([] { decoded("/nowhere/images.gz"); },
                          {"/nowhere/images.gz: cannot be opened: No such file", "is the path right?"});
}

TEST(Inflate, AFolderIsAnError) {
  const Folder folder;
  expect_error<DataError>([&] { decoded(folder.path()); }, {folder.path(), "is a folder, expected a file"});
}

TEST(Inflate, AnEmptyFileIsAnError) {
  const Folder folder;
  for (const char* name : {"a.gz", "a"})
    expect_error<DataError>([&] { decoded(folder.write(name, "")); }, {folder.path(name), "is empty", "interrupted?"});
}

TEST(Inflate, AnHtmlPageNamedGzSaysToDownloadAgain) {
  const Folder folder;
  for (const char* page : {"<!DOCTYPE html><html>", "\n <html><body>404", "<HTML>"})
    expect_error<DataError>([&] { decoded(folder.write("a.gz", page)); },
                            {folder.path("a.gz"), "at byte 0", "expected 1f 8b", "an HTML page", "download it again"});
}

TEST(Inflate, APlainIdxFileNamedGzSaysToRenameIt) {
  const Folder folder;
  expect_error<DataError>([&] { decoded(folder.write("a.gz", images_file(1, 2, 2))); },
                          {folder.path("a.gz"), "begins with bytes 00 00 08 03", "take .gz out of its name"});
}

TEST(Inflate, AReadErrorIsReported) {
  // A process's own memory can be opened, and its first page not be read.
  expect_error<DataError>([] { decoded("/proc/self/mem"); },
                          {"/proc/self/mem: cannot be read at byte 0: Input/output error"});
}

TEST(Inflate, UsesAChunksMemoryAgainWhenNobodyHoldsIt) {
  const Folder folder;
  const std::string path = folder.write("a.gz", gzip(pixels(1000)));
  std::set<const std::uint8_t*> places;
  drive(Inflate{.path = path, .chunk_bytes = 100}, [&](const Chunk& chunk) { places.insert(chunk.data); });
  EXPECT_EQ(places.size(), 1u);
}

TEST(Inflate, LeavesAChunksMemoryAloneWhileSomebodyHoldsIt) {
  const Folder folder;
  const std::string bytes = pixels(1000), path = folder.write("a.gz", gzip(bytes));
  std::vector<Chunk> kept;
  drive(Inflate{.path = path, .chunk_bytes = 100}, [&](const Chunk& chunk) { kept.push_back(chunk); });
  std::string all;
  for (const Chunk& chunk : kept) all.append(chunk.data, chunk.data + chunk.size);
  EXPECT_EQ(all, bytes);
}

TEST(Inflate, NoChunkOwnsMoreThanItStates) {
  const Folder folder;
  Inflate inflate{.path = folder.write("a.gz", gzip(pixels(1000))), .chunk_bytes = 100};
  EXPECT_EQ(inflate.payload_bytes(), 100u);
  drive(inflate, [&](const Chunk& chunk) { EXPECT_LE(chunk.owner->capacity, inflate.payload_bytes()); });
}

TEST(Inflate, StaysEndedUntilItIsReset) {
  const Folder folder;
  Inflate inflate{.path = folder.write("a.gz", gzip("abc"))};
  Chunk chunk;
  EXPECT_TRUE(inflate(chunk));
  EXPECT_FALSE(inflate(chunk));
  EXPECT_FALSE(inflate(chunk));
  inflate.reset();
  EXPECT_TRUE(inflate(chunk));
  EXPECT_EQ(std::string(chunk.data, chunk.data + chunk.size), "abc");
}

TEST(Inflate, StartsAgainAfterAnErrorOrInTheMiddle) {
  const Folder folder;
  Inflate inflate{.path = folder.write("a.gz", "damaged"), .chunk_bytes = 2};
  Chunk chunk;
  EXPECT_THROW(inflate(chunk), DataError);
  folder.write("a.gz", gzip("abcd"));
  inflate.reset();
  EXPECT_TRUE(inflate(chunk));
  inflate.reset();
  EXPECT_TRUE(inflate(chunk));
  EXPECT_EQ(std::string(chunk.data, chunk.data + chunk.size), "ab");
}

TEST(Inflate, AnErrorIsNotFollowedByAQuietEnd) {
  const Folder folder;
  Inflate inflate{.path = folder.write("a.gz", gzip("abc") + "rest")};
  Chunk chunk;
  EXPECT_THROW(inflate(chunk), DataError);
  EXPECT_THROW(inflate(chunk), DataError);
}

TEST(Inflate, SizesOfZeroAreRefused) {
  const Folder folder;
  const std::string path = folder.write("a.gz", gzip("abc"));
  EXPECT_THROW(decoded(path, {0, 1}), std::invalid_argument);
  EXPECT_THROW(decoded(path, {1, 0}), std::invalid_argument);
}

TEST(InflateWake, EndsAWaitForAPipe) {
  const Folder folder;
  const std::string path = folder.path("pipe"), file = gzip(sluice::test::noise(100000));
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int wake = ::eventfd(0, EFD_CLOEXEC);
  for (const std::size_t sent : {std::size_t{0}, std::size_t{1}, file.size() / 2}) {
    // Somebody who has the pipe open and has no more to say.
    const int writer = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_EQ(::write(writer, file.data(), sent), static_cast<ssize_t>(sent));
    const std::uint64_t one = 1;
    std::thread waker([&] { ASSERT_EQ(::write(wake, &one, sizeof one), static_cast<ssize_t>(sizeof one)); });
    Inflate inflate{.path = path, .wake = wake};
    expect_error<DataError>(
        [&] {
          for (Chunk chunk; inflate(chunk);) {
          }
        },
        {path + ": was being waited for at byte "});
    waker.join();
    std::uint64_t woken = 0;
    ASSERT_EQ(::read(wake, &woken, sizeof woken), static_cast<ssize_t>(sizeof woken));
    ::close(writer);
  }
  ::close(wake);
}

TEST(Inflate, ReadsADescriptorThatStaysOpen) {
  for (const bool compressed : {false, true}) {
    const std::string bytes = pixels(5000);
    Pipe pipe;
    pipe.write(compressed ? gzip(bytes) : bytes);
    pipe.end();
    std::string read;
    drive(Inflate{.path = "standard input", .chunk_bytes = 700, .input = pipe.out},
          [&](const Chunk& chunk) { read.append(chunk.data, chunk.data + chunk.size); });
    EXPECT_EQ(read, bytes);
    EXPECT_GE(::fcntl(pipe.out, F_GETFD), 0);
  }
  expect_error<DataError>([] { drive(Inflate{.path = "standard input", .input = 999}, [](const Chunk&) {}); },
                          {"standard input: cannot be read"});
}

TEST(Inflate, AtOnceAChunkEndsWhereAPipeWouldHaveToBeWaitedFor) {
  for (const bool compressed : {false, true}) {
    const std::string first = pixels(5000), second = pixels(300);
    const auto file = [&](const std::string& bytes) { return compressed ? gzip(bytes) : bytes; };
    Pipe pipe;
    Inflate inflate{.path = "pipe", .input = pipe.out, .at_once = true};
    Chunk chunk;
    pipe.write(file(first));
    ASSERT_TRUE(inflate(chunk));  // would wait for ever
    EXPECT_EQ(std::string(chunk.data, chunk.data + chunk.size), first);
    pipe.write(file(second));
    ASSERT_TRUE(inflate(chunk));
    EXPECT_EQ(std::string(chunk.data, chunk.data + chunk.size), second);
    EXPECT_EQ(chunk.offset, first.size());
    pipe.end();
    EXPECT_FALSE(inflate(chunk));
  }
}

TEST(Inflate, OfAPlainFileWhatIsNotWantedIsNotRead) {
  const Folder folder;
  const std::string bytes = pixels(5000), plain = folder.write("plain", bytes),
                    packed = folder.write("a.gz", gzip(bytes));
  for (const std::uint64_t begin : {0u, 1u, 63u, 64u, 65u, 1000u, 4999u, 5000u, 6000u}) {
    for (const std::size_t chunk : Sizes{1, 100, 10'000}) {
      std::string read;
      std::uint64_t first = bytes.size();
      drive(Inflate{.path = plain, .chunk_bytes = chunk, .read_bytes = 64, .begin = begin}, [&](const Chunk& c) {
        if (read.empty()) first = c.offset;
        EXPECT_EQ(c.offset, first + read.size());
        read.append(c.data, c.data + c.size);
      });
      EXPECT_LE(first, begin);
      EXPECT_GE(first, std::min<std::uint64_t>(begin > 64 ? begin : 0, bytes.size()));
      EXPECT_EQ(read, bytes.substr(first));
    }
    std::string all;
    drive(Inflate{.path = packed, .begin = begin}, [&](const Chunk& c) { all.append(c.data, c.data + c.size); });
    EXPECT_EQ(all, bytes) << "of a compressed one all comes";
  }
}

}  // namespace
}  // namespace sluice::stages::testing
