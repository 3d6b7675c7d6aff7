#include <sluice/stages/inflate_whole.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <sluice/stages/errors.hpp>
#include "tests/stages/idx_example.hpp"
#include "tests/support/npy.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::npy;

// What came of a file: its bytes, or the error; and whether it was decoded in one go.
struct Outcome {
  std::string bytes, error;
  bool whole = false;
};

template <class Source>
Outcome outcome(Source source) {
  Outcome o;
  try {
    for (Chunk chunk; source(chunk);) o.bytes.append(chunk.data, chunk.data + chunk.size);
  } catch (const DataError& error) {
    o.error = error.what();
    o.bytes.clear();  // how many come before an error depends on the sizes of chunks
  }
  if constexpr (std::is_same_v<Source, InflateWhole>) o.whole = source.state_.progress == InflateWhole::State::whole;
  return o;
}

// The same bytes or the same words from both decoders; whether libdeflate gave them.
bool agree(const std::string& path, ItemKind kind = ItemKind::images) {
  const Outcome by_zlib = outcome(Inflate{.path = path}), by_both = outcome(InflateWhole{.path = path, .kind = kind});
  EXPECT_EQ(by_zlib.error, by_both.error);
  EXPECT_EQ(by_zlib.bytes == by_both.bytes, true) << path;
  return by_both.whole;
}

class InflateWholeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (libdeflate_version().empty()) GTEST_SKIP() << "built without libdeflate";
  }
  bool same(const std::string& file, ItemKind kind = ItemKind::images) {
    return agree(folder.write("a.gz", file), kind);
  }
  const Folder folder;
  const std::string images = images_file(20, 5, 7);
};

TEST_F(InflateWholeTest, AFileIsOneChunkInMemoryOfJustItsSize) {
  InflateWhole inflate{.path = folder.write("a.gz", gzip(images))};
  EXPECT_EQ(inflate.payload_bytes(), images.size());
  Chunk chunk;
  ASSERT_TRUE(inflate(chunk));
  EXPECT_EQ(std::string(chunk.data, chunk.data + chunk.size), images);
  EXPECT_EQ(chunk.offset, 0u);
  EXPECT_EQ(chunk.owner->capacity, images.size());
  EXPECT_FALSE(inflate(chunk));
  EXPECT_FALSE(inflate(chunk));
  inflate.reset();
  EXPECT_TRUE(inflate(chunk));
}

TEST_F(InflateWholeTest, SeveralMembersEmptyOnesAmongThemAreOneFile) {
  for (std::size_t cut = 16; cut <= images.size(); cut += 13)
    EXPECT_TRUE(same(gzip(images.substr(0, cut)) + gzip("") + gzip(images.substr(cut))));
  EXPECT_FALSE(same(gzip(images.substr(0, 15)) + gzip(images.substr(15)))) << "no header in the first member";
  EXPECT_TRUE(same(gzip(images) + gzip("")));
  std::string members = gzip(images.substr(0, 16));
  for (std::size_t i = 16; i < images.size(); ++i) members += gzip(images.substr(i, 1));
  EXPECT_TRUE(same(members));
}

TEST_F(InflateWholeTest, LabelsToo) {
  EXPECT_TRUE(same(gzip(labels_file(1000, 10)), ItemKind::labels));
}

TEST_F(InflateWholeTest, WhatIsNoGzipUnderItsNameOrNotOfTheKindIsLeftToInflate) {
  EXPECT_FALSE(same(images));
  EXPECT_FALSE(agree(folder.write("plain", images), ItemKind::labels));
  EXPECT_FALSE(agree(folder.write("plain", "hello")));
  EXPECT_FALSE(same(gzip(images), ItemKind::labels));
  EXPECT_FALSE(same(gzip("hello")));
  EXPECT_FALSE(same(gzip("")));
  EXPECT_FALSE(same(""));
  EXPECT_FALSE(same("<html>"));
  for (const char* name : {"a.gz", "a.xz", "a.zst", "a.bz2"}) EXPECT_FALSE(agree(folder.write(name, images))) << name;
  EXPECT_FALSE(agree(folder.path("nowhere.gz")));
  EXPECT_FALSE(agree(folder.path()));
}

TEST_F(InflateWholeTest, AFileThatIsNotAsLongAsItsHeaderPromisesIsLeftToInflate) {
  EXPECT_FALSE(same(gzip(images + "x")));
  EXPECT_FALSE(same(gzip(images) + gzip("x")));
  EXPECT_FALSE(same(gzip(images.substr(0, images.size() - 1))));
  // More than deflate can make of so few bytes: nothing of the kind is ever asked for.
  EXPECT_FALSE(same(gzip(header({0x00000803, 0xffffffff, 0x2000, 0x2000}) + "abc")));
  EXPECT_EQ(InflateWhole{.path = folder.path("a.gz")}.payload_bytes(), std::nullopt);
}

TEST_F(InflateWholeTest, EveryTruncationHasTheSameVerdict) {
  const std::string file = gzip(images) + gzip("");
  for (std::size_t size = 0; size < file.size(); ++size) same(file.substr(0, size));
}

TEST_F(InflateWholeTest, EveryFlippedBitHasTheSameVerdict) {
  for (const std::string& file : {gzip(images), gzip(images.substr(0, 300)) + gzip(images.substr(300))}) {
    std::size_t whole = 0;
    for (std::size_t at = 0; at < file.size(); ++at)
      for (const int mask : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
        std::string damaged = file;
        damaged[at] = static_cast<char>(damaged[at] ^ mask);
        whole += same(damaged);
      }
    EXPECT_GT(whole, 40u) << "the time and the system in a header mean nothing";
    EXPECT_LT(whole, 300u);
  }
}

TEST_F(InflateWholeTest, EveryFlippedBitInAFileOfOneBlockOfEachKindHasTheSameVerdict) {
  for (const int level : {0, 1, 9})
    for (const std::string& bytes : {images_file(1, 4, 4), images_file(3, 30, 30)}) {
      const std::string file = gzip(bytes, level);
      for (std::size_t at = 0; at < std::min<std::size_t>(file.size(), 600); ++at)
        for (int bit = 0; bit < 8; ++bit) {
          std::string damaged = file;
          damaged[at] = static_cast<char>(damaged[at] ^ 1 << bit);
          same(damaged);
        }
    }
}

TEST_F(InflateWholeTest, TheOptionalFieldsOfAHeaderHaveTheSameVerdict) {
  const std::string member = gzip(images);
  const auto with = [&](int flags, const std::string& fields) {
    std::string file = member.substr(0, 10) + fields + member.substr(10);
    file[3] = static_cast<char>(flags);
    return file;
  };
  EXPECT_TRUE(same(with(0x08 | 0x10, std::string("name\0comment\0", 13))));
  EXPECT_TRUE(same(with(0x04, std::string("\x03\0abc", 5))));
  EXPECT_TRUE(same(with(0x01, "")));
  EXPECT_FALSE(same(with(0x02, "xy"))) << "a header's own checksum is not right";
  for (const int reserved : {0x20, 0x40, 0x80}) EXPECT_FALSE(same(with(reserved, "")));
  EXPECT_FALSE(same(with(0x04, std::string("\xff\xff", 2) + std::string(65535, 'x')))) << "longer than is looked at";
}

TEST_F(InflateWholeTest, RandomBytesHaveTheSameVerdict) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed)
    same(gzip(images).substr(0, 10) + sluice::test::noise(50 + seed, seed));
}

TEST_F(InflateWholeTest, WhatComesThroughAPipeIsLeftToInflate) {
  const std::string path = folder.path("pipe"), file = gzip(images);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_EQ(InflateWhole{.path = path}.payload_bytes(), std::nullopt);
  std::thread writer([&] { std::ofstream(path, std::ios::binary) << file; });
  const Outcome o = outcome(InflateWhole{.path = path});
  writer.join();
  EXPECT_EQ(o.error, "");
  EXPECT_EQ(o.bytes, images);
  EXPECT_FALSE(o.whole);
}

TEST_F(InflateWholeTest, WhatWasLeftToInflateIsReadAgainFromTheBeginning) {
  InflateWhole inflate{.path = folder.write("plain", images)};
  for (int pass = 0; pass < 2; ++pass, inflate.reset()) {
    std::string bytes;
    for (Chunk chunk; inflate(chunk);) bytes.append(chunk.data, chunk.data + chunk.size);
    EXPECT_EQ(bytes, images) << pass;
  }
}

TEST_F(InflateWholeTest, ZerosBehindTheLastMemberAreNoError) {
  for (const std::size_t zeros : {1u, 2u, 512u, 10'000u}) {
    const Outcome o = outcome(InflateWhole{.path = folder.write("a.gz", gzip(images) + std::string(zeros, '\0'))});
    EXPECT_EQ(o.error, "");
    EXPECT_EQ(o.bytes, images);
    EXPECT_TRUE(o.whole) << zeros;
  }
  same(gzip(images) + std::string(3, '\0') + gzip(""));
}

// However much of the file it is.
TEST_F(InflateWholeTest, AFileWithAHoleIsLeftToInflate) {
  const std::string bytes = header({0x803, 1, 1200, 1200}) + sluice::test::noise(1200 * 1200);
  const std::string path = folder.write("a.gz", gzip(bytes));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_TRUE(outcome(InflateWhole{.path = path}).whole);
  ASSERT_EQ(::truncate(path.c_str(), status.st_size * 3 / 2), 0);
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  if (status.st_blocks >= status.st_size / 512) GTEST_SKIP() << "this file system has no holes";
  const Outcome o = outcome(InflateWhole{.path = path});
  EXPECT_EQ(o.error, "");
  EXPECT_TRUE(o.bytes == bytes);
  EXPECT_FALSE(o.whole);
}

TEST_F(InflateWholeTest, TheMemoryOfAnEarlierFileIsUsedAgain) {
  InflateWhole inflate{.path = folder.write("a.gz", gzip(images))};
  Chunk chunk;
  ASSERT_TRUE(inflate(chunk));
  const auto* const place = chunk.data;
  inflate.reset();
  ASSERT_TRUE(inflate(chunk));
  EXPECT_EQ(chunk.data, place);
}

TEST_F(InflateWholeTest, ArraysOfNumPyToo) {
  const std::string array = npy("<f4", "(20, 5, 7)", pixels(20 * 5 * 7 * 4), false, 3),
                    labels = npy("|u1", "(3, 1)", "abc");
  EXPECT_TRUE(same(gzip(array)));
  EXPECT_TRUE(same(gzip(labels), ItemKind::labels));
  EXPECT_FALSE(same(gzip(array), ItemKind::labels));
  EXPECT_FALSE(same(gzip(array + "x")));
  EXPECT_FALSE(same(gzip(array.substr(0, array.size() - 1))));
  const std::string numpy = folder.write("a.npy", array);
  EXPECT_TRUE(agree(numpy));
  EXPECT_EQ(InflateWhole{.path = numpy}.payload_bytes(), array.size());
}

TEST(InflateWholePlain, AFileOfJustTheSizeThatItPromisesIsOneChunk) {
  const Folder folder;
  const std::string images = images_file(20, 5, 7);
  const std::string path = folder.write("plain", images);
  EXPECT_TRUE(agree(path));
  EXPECT_EQ(InflateWhole{.path = path}.payload_bytes(), images.size());
  EXPECT_TRUE(agree(folder.write("labels", labels_file(9, 3)), ItemKind::labels));
  EXPECT_TRUE(agree(folder.write("large", images_file(2000, 5, 7)))) << "longer than what is looked at first";
  for (std::size_t size = 0; size < images.size(); ++size)
    EXPECT_FALSE(agree(folder.write("cut", images.substr(0, size))));
  EXPECT_FALSE(agree(folder.write("appended", images + "x")));
}

TEST(InflateWithoutLibdeflate, GzipIsLeftToInflate) {
  if (!libdeflate_version().empty()) GTEST_SKIP() << "built with libdeflate";
  const Folder folder;
  EXPECT_FALSE(agree(folder.write("a.gz", gzip(images_file(20, 5, 7)))));
}

}  // namespace
}  // namespace sluice::stages::testing
