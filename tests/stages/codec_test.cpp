// That every compression is read as gzip is: by content, whole, member after member, with errors in the same words.
#include <sluice/stages/codec.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cctype>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <sluice/stages/decoder_bytes.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/zstd_frame.hpp>
#include "tests/stages/idx_example.hpp"
#include "tests/support/compressed.hpp"
#include "tests/support/pipe.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::compressed;
using sluice::test::noise;
using sluice::test::Pipe;
using sluice::test::raw_zstd;
using sluice::test::skippable_zstd;

constexpr Compression every[] = {Compression::gzip, Compression::bzip2, Compression::xz, Compression::zstd};

std::optional<Compression> told(const std::string& start) {
  return told_by({reinterpret_cast<const std::uint8_t*>(start.data()), start.size()});
}

TEST(Compression, IsToldByTheFirstBytesAsSoonAsTheyTell) {
  const std::pair<Compression, std::string> magics[] = {{Compression::gzip, "\x1f\x8b"},
                                                        {Compression::bzip2, "BZh1"},
                                                        {Compression::bzip2, "BZh9"},
                                                        {Compression::xz, std::string("\xfd\x37zXZ\0", 6)},
                                                        {Compression::zstd, "\x28\xb5\x2f\xfd"},
                                                        {Compression::zstd, "\x50\x2a\x4d\x18"},
                                                        {Compression::zstd, "\x5f\x2a\x4d\x18"}};
  for (const auto& [compression, magic] : magics) {
    for (std::size_t n = 0; n < magic.size(); ++n) EXPECT_EQ(told(magic.substr(0, n)), std::nullopt) << n;
    EXPECT_EQ(told(magic), compression);
    EXPECT_EQ(told(magic + "more"), compression);
    for (std::size_t n = 1; n < magic.size(); ++n)
      EXPECT_EQ(told(magic.substr(0, n) + "#"), Compression::none) << compression_name(compression) << n;
  }
  for (const char* other : {"BZh0", "BZhx", "\x4f\x2a\x4d\x18", "\x60\x2a\x4d\x18", "PK\x03\x04", "{"})
    EXPECT_EQ(told(other), Compression::none) << other;
}

TEST(Compression, HasNames) {
  EXPECT_EQ(compression_name(Compression::none), "none");
  for (const Compression one : every) {
    const CompressionFacts& facts = facts_of(one);
    EXPECT_EQ(compression_name(one), facts.name);
    EXPECT_TRUE(facts.member.starts_with(facts.name)) << facts.member;
    EXPECT_EQ(named_compression("a.b" + std::string(facts.extension)), one);
  }
  for (const char* name : {"", "a", "gz", "a.gz.b", "a.idx"}) EXPECT_EQ(named_compression(name), Compression::none);
}

TEST(Compression, ThatWasBuiltInHasAVersionAndACodec) {
  for (const Compression one : every) {
    EXPECT_EQ(make_codec(one) != nullptr, !codec_version(one).empty());
    for (const char c : codec_version(one)) EXPECT_TRUE(std::isdigit(c) || c == '.') << codec_version(one);
  }
  EXPECT_EQ(make_codec(Compression::none), nullptr);
  EXPECT_EQ(codec_version(Compression::none), "");
  EXPECT_NE(codec_version(Compression::gzip), "");
}

TEST(Compression, ThatWasNotBuiltInIsRefusedWithWhatToDo) {
  const Folder folder;
  const std::string without = ", which this program was built without: decompress it (";
  for (const auto& [compression, words] :
       {std::pair{Compression::bzip2, "is compressed by bzip2" + without + "bzip2 -d), or build with libbz2"},
        {Compression::xz, "is compressed by xz" + without + "xz -d), or build with liblzma"},
        {Compression::zstd, "is compressed by zstd" + without + "zstd -d), or build with libzstd"}}) {
    if (!codec_version(compression).empty()) continue;
    const std::string path = folder.write("a", std::string(facts_of(compression).magic) + "1 more");
    EXPECT_EQ(expect_error<DataError>([&] { decoded(path); }, {}), path + ": " + words);
  }
}

class EveryCompression : public ::testing::TestWithParam<Compression> {
 protected:
  Compression compression() const { return GetParam(); }
  const CompressionFacts& facts() const { return facts_of(compression()); }
  std::string made(const std::string& bytes) const { return compressed(compression(), bytes); }
  std::string name() const { return "a" + std::string(facts().extension); }
  std::string write(const std::string& contents) const { return folder_.write(name(), contents); }
  std::string member(int number) const { return std::string(facts().member) + " " + std::to_string(number); }
  const Folder folder_;
};

INSTANTIATE_TEST_SUITE_P(All, EveryCompression, ::testing::ValuesIn(sluice::test::compressions()),
                         [](const auto& one) { return std::string(compression_name(one.param)); });

TEST_P(EveryCompression, GivesTheBytesWhateverTheSizesOfChunksAndReadsAndTheName) {
  const std::string bytes = of_few_values(3000) + std::string(2000, 'x');
  for (const std::string& path : {write(made(bytes)), folder_.write("plain-name", made(bytes)),
                                  folder_.write(compression() == Compression::gzip ? "b.xz" : "b.gz", made(bytes))})
    for (const std::size_t chunk : Sizes{1, 17, 100, 4999, 5000, 5001, 1 << 20})
      for (const std::size_t read : Sizes{1, 2, 17, 100, 1 << 20})
        EXPECT_EQ(decoded(path, {chunk, read}), bytes) << chunk << " " << read;
}

TEST_P(EveryCompression, AFileOfSeveralBlocksOfItsLibraryIsWhole) {
  const std::string bytes = of_few_values(700'000) + noise(300'000);
  const std::string path = write(made(bytes));
  EXPECT_EQ(decoded(path), bytes);
  EXPECT_EQ(decoded(path, {3001, 777}), bytes);
}

TEST_P(EveryCompression, ChunksAreFullExceptTheLastAndSayWhereTheyAre) {
  Inflate inflate{.path = write(made(pixels(100)) + made(pixels(150))), .chunk_bytes = 64};
  std::vector<std::size_t> sizes;
  std::uint64_t offset = 0;
  drive(inflate, [&](const Chunk& chunk) {
    EXPECT_EQ(chunk.offset, offset);
    offset += chunk.size;
    sizes.push_back(chunk.size);
  });
  EXPECT_EQ(sizes, (std::vector<std::size_t>{64, 64, 64, 58}));
}

TEST_P(EveryCompression, SeveralMembersAreOneStreamAndMembersMayBeEmpty) {
  const std::string path = write(made("") + made("one") + made("") + made("two") + made(""));
  for (const std::size_t chunk : Sizes{1, 2, 3, 100})
    for (const std::size_t read : Sizes{1, 2, 7, 1000}) EXPECT_EQ(decoded(path, {chunk, read}), "onetwo");
  EXPECT_EQ(decoded(write(made(""))), "");
  std::string many, bytes;
  for (int i = 0; i < 200; ++i) {
    const std::string part = i % 7 == 0 ? "" : "member " + std::to_string(i) + "\n";
    many += made(part), bytes += part;
  }
  EXPECT_EQ(decoded(write(many), {10, 11}), bytes);
}

TEST_P(EveryCompression, EveryTruncationIsAnErrorThatSaysWhereTheFileEnds) {
  const std::string bytes = of_few_values(300), whole = made(bytes), later = made(pixels(20));
  for (std::size_t size = 1; size < whole.size(); ++size)
    for (const std::size_t read : Sizes{1, 7, 1000}) {
      const auto run = [&] { decoded(write(whole.substr(0, size)), {64, read}); };
      if (size < facts().magic_bytes)
        expect_error<DataError>(run, {"begins with bytes ", " of ", " file: is it compressed in another way"});
      else
        EXPECT_EQ(expect_error<DataError>(run, {}), folder_.path(name()) + ": ends at byte " + std::to_string(size) +
                                                        ", in the middle of " + member(1) +
                                                        ", expected the rest of it: was the download interrupted?");
    }
  for (std::size_t size = 1; size < later.size(); ++size)
    expect_error<DataError>([&] { decoded(write(whole + later.substr(0, size))); },
                            {size < facts().magic_bytes ? "after " + member(1) : "in the middle of " + member(2)});
}

TEST_P(EveryCompression, AFlippedBitIsDetectedOrHarmless) {
  const std::string bytes = of_few_values(150) + std::string(100, 'y'), whole = made(bytes) + made(bytes);
  std::size_t detected = 0;
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      try {
        ASSERT_EQ(decoded(write(damaged)), bytes + bytes) << at << " " << bit;
      } catch (const DataError& error) {
        EXPECT_NE(std::string(error.what()).find("byte"), std::string::npos) << error.what();
        ++detected;
      }
    }
  // Harmless: of gzip time, flags and system in the headers; of bzip2 a larger block that is not used.
  EXPECT_GT(detected, 8 * (whole.size() - 20));
}

TEST_P(EveryCompression, DamageIsSaidWithItsMemberAndAgainWheneverItIsAskedFor) {
  const std::string first = made(of_few_values(5000)), second = made(noise(5000));
  std::string damaged = first + second;
  for (std::size_t at = first.size() + second.size() / 2; at < first.size() + second.size() / 2 + 5; ++at)
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
  Inflate inflate{.path = write(damaged), .chunk_bytes = 100};
  Chunk chunk;
  const auto to_the_end = [&] {
    while (inflate(chunk)) continue;
  };
  const std::string said =
      expect_error<DataError>(to_the_end, {"is damaged at byte ", ", in " + member(2) + ": ", ": copy or download it"});
  EXPECT_EQ(expect_error<DataError>(to_the_end, {}), said);
  inflate.reset();
  EXPECT_EQ(expect_error<DataError>(to_the_end, {}), said);
}

TEST_P(EveryCompression, BytesAfterTheLastMemberAreAnErrorThatSaysWhere) {
  const std::string whole = made("hello"), end = std::to_string(whole.size());
  const std::string noun(facts().member.substr(facts().name.size() + 1));
  for (const std::string& extra :
       {std::string("x"), std::string("PK\x03\x04 and more"), std::string(511, '\1'),
        compressed(compression() == Compression::gzip ? Compression::none : Compression::gzip, "another compression")})
    for (const std::size_t read : Sizes{1, 1000})
      expect_error<DataError>(
          [&] {
            decoded(write(whole + extra), {1000, read});
          },
          {name() + ": has bytes ", " at byte " + end + ", after " + member(1) + ", expected the end of the file or ",
           " of another " + noun + ": was something appended, or is it damaged?"});
}

// As the tools of the formats have it (xz 5.4.1, bzip2 1.0.8, zstd 1.5.4): bzip2 ignores whatever it is, zstd nothing.
TEST_P(EveryCompression, ZerosBehindTheLastMemberAreNoErrorWhereTheFormatHasThem) {
  const std::string whole = made("hello") + made(", you");
  for (const std::size_t zeros : Sizes{1, 2, 3, 4, 8, 511, 512, 100'000})
    for (const std::size_t read : Sizes{1, 3, 1000}) {
      if (zeros > 1000 && read == 1) continue;
      const auto run = [&] { return decoded(write(whole + std::string(zeros, '\0')), {3, read}); };
      const std::string place = std::to_string(whole.size());
      if (facts().padding == Padding::nothing)
        expect_error<DataError>(run, {"has bytes 00", " at byte " + place + ", after " + member(2)});
      else if (facts().padding == Padding::fours_of_zeros && zeros % 4 != 0)
        expect_error<DataError>(
            run, {"has " + std::to_string(zeros) + " bytes of zeros before byte " +
                  std::to_string(whole.size() + zeros) + ", after " + member(2) + ", expected a multiple of 4"});
      else
        EXPECT_EQ(run(), "hello, you");
    }
  for (const std::size_t zeros : Sizes{1, 4, 512}) {
    const auto run = [&] { return decoded(write(whole + std::string(zeros, '\0') + made("again")), {100, 5}); };
    if (facts().padding == Padding::fours_of_zeros && zeros % 4 == 0)
      EXPECT_EQ(run(), "hello, youagain") << "padding may stand between streams";
    else
      expect_error<DataError>(run, {"after " + member(2)});
  }
  expect_error<DataError>([&] { decoded(write(whole + std::string(4, '\0') + "x")); }, {"after " + member(2)});
  expect_error<DataError>([&] { decoded(write(std::string(12, '\0') + whole)); }, {"begins with bytes 00 00"});
}

TEST_P(EveryCompression, WhatIsNamedSoAndIsNotCompressedIsAnErrorThatSaysWhatItIs) {
  const std::string of(facts().article), extension(facts().extension);
  const std::string expected = " of " + of + " " + std::string(facts().name) + " file: ";
  const auto said = [&](const std::string& contents) {
    return expect_error<DataError>([&] { decoded(write(contents)); }, {name() + ": begins with bytes ", expected});
  };
  for (const char* page : {"<!DOCTYPE html><html>", "\n <html><body>404", "<HTML>"})
    EXPECT_TRUE(said(page).ends_with("an HTML page saved as " + extension +
                                     "? That is a download that was interrupted or redirected: download it again"));
  EXPECT_TRUE(
      said(images_file(1, 2, 2))
          .ends_with("it looks like an IDX file that is not compressed: take " + extension + " out of its name"));
  EXPECT_TRUE(said("PK\x03\x04")
                  .ends_with("is it compressed in another way, or damaged? A file that is not compressed "
                             "has no " +
                             extension + " in its name"));
  expect_error<DataError>([&] { decoded(write("")); }, {"is empty, expected data"});
}

TEST_P(EveryCompression, ComesThroughAPipe) {
  const std::string bytes = pixels(5000);
  Pipe pipe;
  pipe.write(made(bytes) + made(bytes));
  pipe.end();
  std::string read;
  drive(Inflate{.path = "standard input", .chunk_bytes = 700, .input = pipe.out},
        [&](const Chunk& chunk) { read.append(chunk.data, chunk.data + chunk.size); });
  EXPECT_EQ(read, bytes + bytes);
}

// What a decoder holds back needs no more bytes of the pipe: to wait for some would be to wait for ever.
TEST_P(EveryCompression, AtOnceAllThatHasComeIsHandedOnHoweverSmallTheChunks) {
  const std::string first = of_few_values(100'000), second = pixels(300);
  for (const std::size_t chunk_bytes : Sizes{999, 100'000, 1 << 20}) {
    Pipe pipe;
    Inflate inflate{.path = "pipe", .chunk_bytes = chunk_bytes, .input = pipe.out, .at_once = true};
    Chunk chunk;
    std::string read;
    const auto read_up_to = [&](std::size_t size) {
      while (read.size() < size) {
        ASSERT_TRUE(inflate(chunk));  // would wait for ever
        read.append(chunk.data, chunk.data + chunk.size);
      }
    };
    const std::string whole = made(first);
    ASSERT_LT(whole.size(), 64 * 1024u) << "what a pipe holds";
    pipe.write(whole);
    read_up_to(first.size());
    pipe.write(made(second));
    read_up_to(first.size() + second.size());
    EXPECT_EQ(read, first + second);
    pipe.end();
    EXPECT_FALSE(inflate(chunk));
  }
}

TEST_P(EveryCompression, APlainPipeIsNotWaitedForToBeToldFromIt) {
  Pipe pipe;
  Inflate inflate{.path = "pipe", .input = pipe.out, .at_once = true};
  Chunk chunk;
  std::string start(facts().magic);
  start[1] = static_cast<char>(start[1] ^ 1);
  pipe.write(start.substr(0, 2));
  ASSERT_TRUE(inflate(chunk));  // would wait for ever
  EXPECT_EQ(std::string(chunk.data, chunk.data + chunk.size), start.substr(0, 2));
}

TEST_P(EveryCompression, ABombTakesNoMoreMemoryThanItsChunks) {
  std::string bomb;
  for (int i = 0; i < 8; ++i) bomb += made(std::string(1 << 20, '\0'));
  Inflate inflate{.path = write(bomb), .chunk_bytes = 10'000};
  std::set<const std::uint8_t*> places;
  std::uint64_t bytes = 0;
  drive(inflate, [&](const Chunk& chunk) {
    places.insert(chunk.data);
    bytes += chunk.size;
    EXPECT_LE(chunk.owner->capacity, 10'000u);
  });
  EXPECT_EQ(bytes, 8u << 20);
  EXPECT_EQ(places.size(), 1u);
}

#ifdef SLUICE_LZMA
TEST(InflateXz, VerifiesEveryCheckThatLiblzmaKnowsAndAllowsNone) {
  const Folder folder;
  const std::string bytes = noise(2000);
  for (const int check : {LZMA_CHECK_NONE, LZMA_CHECK_CRC32, LZMA_CHECK_CRC64, LZMA_CHECK_SHA256}) {
    std::string file = sluice::test::xz(bytes, {.check = check});
    EXPECT_EQ(decoded(folder.write("a.xz", file)), bytes);
    const std::size_t at = file.find(bytes.substr(1000, 20));
    ASSERT_NE(at, std::string::npos) << "noise is stored";
    file[at] = static_cast<char>(file[at] ^ 1);
    if (check == LZMA_CHECK_NONE)
      EXPECT_NE(decoded(folder.write("a.xz", file)), bytes) << "nothing could tell";
    else
      expect_error<DataError>([&] { decoded(folder.write("a.xz", file)); },
                              {"is damaged at byte ", ", in xz stream 1: invalid data: copy or download it again"});
  }
}

TEST(InflateXz, RefusesAnUnknownCheckByItsName) {
  const Folder folder;
  const std::string path =
      folder.write("a.xz", sluice::test::with_unknown_check(sluice::test::xz("text", {.check = LZMA_CHECK_CRC32})));
  EXPECT_EQ(expect_error<DataError>([&] { decoded(path); }, {}),
            path + ": xz stream 1, which begins at byte 0, has integrity checks of type 2 (reserved), which liblzma " +
                codec_version(Compression::xz) + " cannot verify: compress it with xz --check=crc64");
}

TEST(InflateXz, RefusesADictionaryAboveWhatItMayTakeAndSaysTheFigure) {
  const Folder folder;
  const std::string path = folder.write("a.xz", sluice::test::with_huge_dictionary(sluice::test::xz("text")));
  EXPECT_EQ(expect_error<DataError>([&] { decoded(path); }, {}),
            path +
                ": xz stream 1, which begins at byte 0, needs a dictionary of 256 MiB, more than the 128 that it may "
                "take: --decoder-memory "
                "256 allows it");
  const auto bytes = [&](std::size_t memory) {
    std::string all;
    drive(Inflate{.path = path, .decoder_memory = memory},
          [&](const Chunk& chunk) { all.append(chunk.data, chunk.data + chunk.size); });
    return all;
  };
  EXPECT_EQ(bytes(std::size_t{256} << 20), "text");
  expect_error<DataError>([&] { bytes(std::size_t{254} << 20); }, {"a dictionary of 256 MiB, more than the 254 "});
  const std::string first = sluice::test::xz("x");
  expect_error<DataError>(
      [&] { decoded(folder.write("b.xz", first + contents_of(path))); },
      {"xz stream 2, which begins at byte " + std::to_string(first.size()) + ", needs a dictionary"});
}
#endif

#ifdef SLUICE_ZSTD
TEST(InflateZstd, RefusesAWindowAboveWhatItMayTakeAndSaysTheFigure) {
  const Folder folder;
  constexpr std::uint8_t of_mib_128 = 17 << 3, of_mib_144 = 17 << 3 | 1, of_tib_2 = 31 << 3;
  EXPECT_EQ(decoded(folder.write("a.zst", raw_zstd("text", of_mib_128))), "text");
  const std::string path = folder.write("b.zst", raw_zstd("text", of_mib_144));
  EXPECT_EQ(expect_error<DataError>([&] { decoded(path); }, {}),
            path +
                ": zstd frame 1, which begins at byte 0, needs a window of 144 MiB, more than the 128 that it may "
                "take: --decoder-memory 144 "
                "allows it");
  std::string bytes;
  drive(Inflate{.path = path, .decoder_memory = std::size_t{144} << 20},
        [&](const Chunk& chunk) { bytes.append(chunk.data, chunk.data + chunk.size); });
  EXPECT_EQ(bytes, "text");
  expect_error<DataError>([&] { decoded(folder.write("c.zst", raw_zstd("a", 0) + raw_zstd("b", of_tib_2))); },
                          {"zstd frame 2, which begins at byte 10, needs a window of 2097152 MiB, more than the 2048 "
                           "that are ever taken: is it damaged?"});
}

TEST(InflateZstd, SaysTheSameOfAFrameThatItRefusesWheneverItIsAsked) {
  const Folder folder;
  constexpr std::uint8_t of_mib_144 = 17 << 3 | 1;
  Inflate inflate{.path = folder.write("a.zst", raw_zstd("text", of_mib_144) + raw_zstd("more", 0))};
  Chunk chunk;
  const std::string said = expect_error<DataError>([&] { inflate(chunk); }, {"zstd frame 1, which begins at byte 0,"});
  EXPECT_EQ(expect_error<DataError>([&] { inflate(chunk); }, {}), said);
}

// libzstd 1.5.4 looks at the size where the last block has bytes, and where it is given all of the frame at once.
TEST(InflateZstd, RefusesAFrameThatHasNotTheSizeThatItSays) {
  const Folder folder;
  const auto frame = [](char size, const std::string& blocks) {
    return std::string("\x28\xb5\x2f\xfd\x20", 5) + size + blocks;
  };
  const std::string text("\x20\0\0text", 7), last("\x21\0\0text", 7), end("\x01\0\0", 3);
  EXPECT_EQ(decoded(folder.write("a.zst", frame(4, last))), "text");
  EXPECT_EQ(decoded(folder.write("a.zst", frame(4, text + end))), "text");
  EXPECT_EQ(decoded(folder.write("a.zst", frame(0, end))), "");
  for (const std::string& wrong :
       {frame(5, last), frame(5, text + end), frame(3, last), frame(3, text + end), frame(0, last), frame(1, end)})
    for (const std::size_t chunk : Sizes{1, 4, 5, 1000})
      for (const std::size_t read : Sizes{1, 1000})
        expect_error<DataError>(
            [&] {
              decoded(folder.write("a.zst", wrong), {chunk, read});
            },
            {"is damaged at byte ", ", in zstd frame 1: invalid data"});
}

TEST(InflateZstd, PassesSkippableFramesOver) {
  const Folder folder;
  const std::string frame = sluice::test::zstd("text");
  for (const std::size_t read : Sizes{1, 3, 1000}) {
    const auto bytes = [&](const std::string& file) { return decoded(folder.write("a.zst", file), {100, read}); };
    EXPECT_EQ(bytes(skippable_zstd("not this") + frame + skippable_zstd("", 15) + frame + skippable_zstd("nor this")),
              "texttext");
    EXPECT_EQ(bytes(skippable_zstd(noise(5000))), "");
    const std::string skipped = skippable_zstd("not this");
    for (std::size_t size = 4; size < skipped.size(); ++size)
      expect_error<DataError>([&] { bytes(frame + skipped.substr(0, size)); },
                              {"ends at byte " + std::to_string(frame.size() + size), "in the middle of zstd frame 2"});
  }
}

TEST(InflateZstd, RefusesADictionaryByItsNumber) {
  const Folder folder;
  const std::string path = folder.write("a.zst", raw_zstd("text", 0, 77));
  EXPECT_EQ(
      expect_error<DataError>([&] { decoded(path); }, {}),
      path + ": zstd frame 1, which begins at byte 0, needs dictionary 77, which is not there: compress it without -D");
}

TEST(InflateZstd, VerifiesChecksumAndSizeWhereAFrameHasThem) {
  const Folder folder;
  const std::string bytes = noise(2000);
  for (const bool checksum : {false, true})
    for (const bool size : {false, true}) {
      std::string file = sluice::test::zstd(bytes, {.checksum = checksum, .size = size});
      EXPECT_EQ(decoded(folder.write("a.zst", file)), bytes);
      file[file.size() / 2] = static_cast<char>(file[file.size() / 2] ^ 1);
      if (checksum)
        expect_error<DataError>([&] { decoded(folder.write("a.zst", file)); },
                                {"is damaged at byte ", ", in zstd frame 1: invalid data: copy or download it again"});
      else
        EXPECT_NE(decoded(folder.write("a.zst", file)), bytes) << "nothing could tell";
    }
}
#endif

std::optional<ZstdHeader> header_of(const std::string& frame) {
  return parse_zstd_header({reinterpret_cast<const std::uint8_t*>(frame.data()), frame.size()});
}

// RFC 8878, 3.1.1.1
TEST(ZstdHeader, HasTheFieldsThatItsDescriptorSays) {
  const std::string magic = "\x28\xb5\x2f\xfd";
  const auto with = [&](std::initializer_list<int> bytes) {
    std::string frame = magic;
    for (const int byte : bytes) frame += static_cast<char>(byte);
    return frame;
  };
  const auto small = header_of(with({0x20, 5}));  // a single segment
  ASSERT_TRUE(small);
  EXPECT_EQ(small->bytes, 6u);
  EXPECT_EQ(small->window, 5u);
  EXPECT_EQ(small->content, 5u);
  EXPECT_EQ(small->dictionary, 0u);
  EXPECT_FALSE(small->checksum || small->skippable);
  const auto unknown = header_of(with({0x04, 0x0b}));
  ASSERT_TRUE(unknown);
  EXPECT_EQ(unknown->window, 2048u + 3 * 256);
  EXPECT_EQ(unknown->content, std::nullopt);
  EXPECT_TRUE(unknown->checksum);
  EXPECT_EQ(header_of(with({0x40, 0, 1, 2}))->content, 256u + 0x201) << "of two bytes 256 is taken off";
  EXPECT_EQ(header_of(with({0x80, 0, 1, 2, 3, 4}))->content, 0x04030201u);
  EXPECT_EQ(header_of(with({0xc0, 0, 1, 0, 0, 0, 0, 0, 0, 1}))->content, 0x0100000000000001u);
  EXPECT_EQ(header_of(with({0x02, 0, 0x34, 0x12}))->dictionary, 0x1234u);
  EXPECT_EQ(header_of(with({0x03, 0, 4, 3, 2, 1}))->dictionary, 0x01020304u);
  EXPECT_EQ(header_of(with({0xe3, 4, 3, 2, 1, 9, 0, 0, 0, 0, 0, 0, 0}))->bytes, 17u);
  EXPECT_EQ(header_of(with({0x00, 0xff}))->window, (std::uint64_t{1} << 41) / 8 * 15);
  EXPECT_FALSE(header_of(with({0x08, 0}))) << "a bit that is reserved";
  for (const std::string& whole : {with({0x20, 5}), with({0x04, 0x0b}), with({0xc0, 0, 1, 0, 0, 0, 0, 0, 0, 1})})
    for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(header_of(whole.substr(0, size))) << size;
  const auto skippable = header_of(skippable_zstd("12345", 3));
  ASSERT_TRUE(skippable && skippable->skippable);
  EXPECT_EQ(skippable->skipped, 5u);
  EXPECT_FALSE(header_of("BZh9....") || header_of(""));
}

// 3.1.1.2
TEST(ZstdBlock, IsAsLongAsItsTypeSays) {
  const auto block = [](int bits, std::uint64_t window) {
    const std::uint8_t header[3] = {static_cast<std::uint8_t>(bits), static_cast<std::uint8_t>(bits >> 8),
                                    static_cast<std::uint8_t>(bits >> 16)};
    return parse_zstd_block(header, window);
  };
  const auto raw = block(1000 << 3, 1024), run = block(1000 << 3 | 2 | 1, 1024), packed = block(1000 << 3 | 4, 1024);
  ASSERT_TRUE(raw && run && packed);
  EXPECT_EQ(raw->bytes, 1000u);
  EXPECT_EQ(raw->decoded, 1000u);
  EXPECT_FALSE(raw->last);
  EXPECT_EQ(run->bytes, 1u);
  EXPECT_EQ(run->decoded, 1000u);
  EXPECT_TRUE(run->last);
  EXPECT_EQ(packed->bytes, 1000u);
  EXPECT_EQ(packed->decoded, 1024u);
  EXPECT_EQ(block(1000 << 3 | 4, 1 << 20)->decoded, 128u * 1024);
  EXPECT_FALSE(block(6, 1024)) << "a type that is reserved";
}

class DecoderBytes : public ::testing::Test {
 protected:
  std::size_t of(const std::string& contents, std::size_t memory = usual_decoder_memory) const {
    return decoder_bytes(folder_.write("a", contents), -1, memory);
  }
  static constexpr std::size_t zlibs = 48 * 1024, mebibyte = 1 << 20, most = usual_decoder_memory + mebibyte;
  const Folder folder_;
};

TEST_F(DecoderBytes, AreZlibsWhereNothingElseIsKnown) {
  EXPECT_EQ(of(gzip("text")), zlibs);
  EXPECT_EQ(of("text"), zlibs);
  EXPECT_EQ(of(""), zlibs);
  EXPECT_EQ(decoder_bytes(folder_.path("missing"), -1, usual_decoder_memory), zlibs);
  EXPECT_EQ(decoder_bytes(folder_.path(), -1, usual_decoder_memory), zlibs);
}

TEST_F(DecoderBytes, OfWhatMayBeAnythingAreAllThatItMayTake) {
  const std::string pipe = folder_.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(decoder_bytes(pipe, -1, usual_decoder_memory), most);
  EXPECT_EQ(decoder_bytes("standard input", 0, mebibyte * 3), 4 * mebibyte);
  EXPECT_EQ(decoder_bytes("standard input", 0, 1), 3'700'000u) << "bzip2 takes that";
}

TEST_F(DecoderBytes, AreStatedByInflate) {
  const Inflate inflate{.path = folder_.write("a", gzip("text")), .read_bytes = 1000};
  EXPECT_EQ(inflate.state_bytes(), 1000 + zlibs);
}

#ifdef SLUICE_BZIP2
TEST_F(DecoderBytes, OfBzip2AreThoseOfItsLargestBlock) {
  EXPECT_EQ(of(sluice::test::bzip2("text")), 3'700'000u);
}
#endif

#ifdef SLUICE_LZMA
TEST_F(DecoderBytes, OfXzFollowFromItsDictionaryAsFarAsThereAreBytes) {
  using sluice::test::xz;
  const std::string bytes(3 * mebibyte, 'x');
  const auto near = [](std::size_t stated, std::size_t window) {
    return stated >= window && stated <= window + mebibyte;
  };
  EXPECT_TRUE(near(of(xz(bytes, {.dictionary = 2 << 20})), 2 * mebibyte));
  EXPECT_TRUE(near(of(xz("text")), 0));
  EXPECT_TRUE(near(of(xz("text") + xz(bytes, {.dictionary = 1 << 20}) + xz("more")), mebibyte)) << "the largest of all";
  EXPECT_TRUE(near(of(sluice::test::with_huge_dictionary(xz(bytes))), 3 * mebibyte)) << "more is not touched";
  EXPECT_EQ(of(xz(bytes) + "x"), most) << "no index tells";
  EXPECT_EQ(of(xz(bytes, {.dictionary = 2 << 20}), mebibyte), 2 * mebibyte) << "it will be refused";
}
#endif

#ifdef SLUICE_ZSTD
TEST_F(DecoderBytes, OfZstdFollowFromItsWindowAsFarAsThereAreBytes) {
  using sluice::test::zstd;
  const std::string bytes(3 * mebibyte, 'x');
  EXPECT_EQ(of(zstd(bytes, {.size = false, .window_log = 21})), 3 * mebibyte);
  EXPECT_EQ(of(zstd("text")), 4 + mebibyte);
  EXPECT_EQ(of(zstd("text") + skippable_zstd(noise(10'000)) + zstd(bytes, {.size = false, .window_log = 20})),
            2 * mebibyte)
      << "the largest of all";
  EXPECT_EQ(of(raw_zstd("text", 17 << 3)), 4 + mebibyte) << "more is not touched";
  EXPECT_EQ(of(zstd(bytes) + "x"), most) << "no frame tells";
  std::string many;
  for (int i = 0; i < 4097; ++i) many += raw_zstd("", 0);
  EXPECT_EQ(of(many), most) << "not all of it was looked at";
}
#endif

}  // namespace
}  // namespace sluice::stages::testing
