// That blocks and frames decode to what Inflate decodes the file to, whatever the file is.
#include <sluice/stages/block_pieces.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <sluice/stages/each_file.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/inflate.hpp>
#include "tests/stages/idx_example.hpp"
#include "tests/support/compressed.hpp"
#include "tests/support/pipe.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::noise;
using sluice::test::Pipe;
using sluice::test::raw_zstd;
using sluice::test::skippable_zstd;

struct Pass {
  std::string bytes, error;
  std::size_t pieces = 0, at_once = 0;  // at_once: of those the ones that any thread could decode
};

// meanwhile: behind the first chunk.
template <class Source>
Pass run(Source& source, VerifyBlocks verify = {}, const std::function<void()>& meanwhile = {}) {
  Pass pass;
  BlockPiece piece;
  bool first = true;
  try {
    for (; source(piece); ++pass.pieces) {
      pass.at_once += piece.from && !piece.unusual;
      verify.push(DecodeBlock{}(std::move(piece)));
      while (auto chunk = verify.pull()) {
        EXPECT_EQ(chunk->offset, pass.bytes.size());
        EXPECT_GT(chunk->size, 0u);
        pass.bytes.append(chunk->data, chunk->data + chunk->size);
        if (meanwhile && std::exchange(first, false)) meanwhile();
      }
    }
  } catch (const DataError& error) {
    pass.error = error.what();
  }
  return pass;
}

Pass by_inflate(const std::string& path) {
  Pass pass;
  try {
    drive(Inflate{.path = path}, [&](const Chunk& c) { pass.bytes.append(c.data, c.data + c.size); });
  } catch (const DataError& error) {
    pass.error = error.what();
  }
  return pass;
}

// The same verdict and, as far as they go, the same bytes.
void expect_same(const Pass& pass, const Pass& expected, const std::string& what = {}) {
  EXPECT_EQ(without_numbers(pass.error), without_numbers(expected.error)) << what;
  if (expected.error.empty())
    EXPECT_EQ(pass.bytes, expected.bytes) << what;
  else
    EXPECT_EQ(pass.bytes.substr(0, expected.bytes.size()), expected.bytes.substr(0, pass.bytes.size())) << what;
}

class Blocks : public ::testing::Test {
 protected:
  Pass pass_of(const std::string& contents, const BlockLimits& how = {}) const {
    BlockPieces source{.path = folder.write("a", contents),
                       .span = how.span,
                       .most_decoded = how.most_decoded,
                       .decoder_memory = how.decoder_memory};
    return run(source, {.span = how.span, .decoder_memory = how.decoder_memory});
  }
  // Without anything that tells of the compression but the content.
  void expect_verdict_of_inflate(const std::string& contents, const std::string& what = {}) const {
    const Pass pass = pass_of(contents, {.span = 64});
    expect_same(pass, by_inflate(folder.path("a")), what);
  }
  const Folder folder;
  const std::string bytes = of_few_values(5000);
};

TEST_F(Blocks, WhatHasNoneIsInflates) {
  for (const Compression one : sluice::test::compressions()) {
    const Pass pass = pass_of(sluice::test::compressed(one, bytes), {.span = 1000});
    EXPECT_EQ(pass.bytes, bytes) << compression_name(one);
    EXPECT_EQ(pass.pieces, 5u);
    EXPECT_EQ(pass.at_once, 0u);
    EXPECT_FALSE(has_blocks(folder.path("a"), {}));
  }
  EXPECT_EQ(pass_of(bytes).bytes, bytes);
  EXPECT_EQ(pass_of(gzip(bytes) + gzip(bytes)).bytes, bytes + bytes);
  BlockPieces missing{.path = folder.path("missing")};
  EXPECT_EQ(run(missing).error, folder.path("missing") +
                                    ": cannot be opened: No such file or directory: is the path "
                                    "right?");
}

TEST_F(Blocks, WhatComesThroughADescriptorIsInflates) {
  Pipe pipe;
  pipe.write(gzip(bytes));
  pipe.end();
  BlockPieces source{.path = "standard input", .input = pipe.out};
  EXPECT_EQ(run(source).bytes, bytes);
}

TEST_F(Blocks, SizesOfZeroAreRefused) {
  BlockPiece piece;
  EXPECT_THROW((BlockPieces{.path = "a", .span = 0}(piece)), std::invalid_argument);
  EXPECT_THROW((BlockPieces{.path = "a", .read_bytes = 0}(piece)), std::invalid_argument);
}

#ifdef SLUICE_LZMA
using sluice::test::xz;

class XzBlocks : public Blocks {
 protected:
  const std::string small = bytes.substr(0, 300);
};

TEST_F(XzBlocks, AreDecodedEachForItself) {
  for (const bool sizes : {false, true})
    for (const int check : {LZMA_CHECK_NONE, LZMA_CHECK_CRC32, LZMA_CHECK_CRC64, LZMA_CHECK_SHA256}) {
      const Pass pass = pass_of(xz(bytes, {.check = check, .block = 1000, .sizes = sizes}));
      EXPECT_EQ(pass.bytes, bytes);
      EXPECT_EQ(pass.at_once, 5u);
      EXPECT_EQ(pass.pieces, 5u);
      EXPECT_TRUE(has_blocks(folder.path("a"), {}));
    }
}

TEST_F(XzBlocks, OutsideOfWhatIsWantedAreNotDecoded) {
  const std::string path = folder.write("a", xz(bytes, {.check = LZMA_CHECK_CRC32, .block = 1000, .sizes = false}));
  for (const auto& [begin, end, first, last] : {std::tuple{0u, 5000u, 0u, 5000u},
                                                {0u, 1000u, 0u, 1000u},
                                                {1000u, 1001u, 1000u, 2000u},
                                                {1999u, 3500u, 1000u, 4000u},
                                                {4500u, 5000u, 4000u, 5000u}}) {
    BlockPieces source{.path = path, .span = 64, .wanted = {.begin = begin, .end = end}};
    for (int turn = 0; turn < 2; ++turn, source.reset()) {
      VerifyBlocks verify{.span = 64};
      std::uint64_t next = first;
      for (BlockPiece piece; source(piece);) {
        verify.push(DecodeBlock{}(std::move(piece)));
        while (const auto chunk = verify.pull()) {
          EXPECT_EQ(chunk->offset, next);
          EXPECT_EQ(std::string(chunk->data, chunk->data + chunk->size), bytes.substr(next, chunk->size));
          next += chunk->size;
        }
      }
      EXPECT_EQ(next, last) << begin << " to " << end;
    }
  }
}

TEST_F(XzBlocks, OfSeveralStreamsWithPaddingAndWithoutBytesAreOneFile) {
  const std::string zeros(8, '\0');
  const Pass pass =
      pass_of(xz(bytes) + xz("") + zeros + xz(small, {.check = LZMA_CHECK_CRC32, .block = 100}) + zeros + zeros);
  EXPECT_EQ(pass.bytes, bytes + small);
  EXPECT_EQ(pass.at_once, 4u);
}

TEST_F(XzBlocks, OfWhichOneIsTooLargeAreInflates) {
  const std::string file = xz(bytes, {.block = 2000});
  EXPECT_EQ(pass_of(file, {.most_decoded = 2000}).at_once, 3u);
  const Pass pass = pass_of(file, {.most_decoded = 1999});
  EXPECT_EQ(pass.at_once, 0u);
  EXPECT_EQ(pass.bytes, bytes);
}

TEST_F(XzBlocks, EveryCutHasTheVerdictOfInflate) {
  const std::string file = xz(small, {.block = 100}) + std::string(4, '\0') + xz(small, {.block = 200});
  for (std::size_t size = 1; size < file.size(); ++size)
    expect_verdict_of_inflate(file.substr(0, size), std::to_string(size));
  for (const std::string& extra : {std::string("x"), std::string(3, '\0'), std::string(4, '\0'), gzip("more")})
    expect_verdict_of_inflate(file + extra);
}

TEST_F(XzBlocks, EveryFlippedBitHasTheVerdictOfInflate) {
  const std::string file = xz(small, {.block = 100}) + xz("and more", {.check = LZMA_CHECK_NONE});
  for (std::size_t at = 0; at < file.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = file;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      expect_verdict_of_inflate(damaged, std::to_string(at) + " " + std::to_string(bit));
    }
}

// The stream with another index, and a footer that leads to it.
std::string with_index(const std::string& stream, const std::vector<std::pair<lzma_vli, lzma_vli>>& blocks) {
  constexpr std::size_t footer = 12;
  const auto* const end = reinterpret_cast<const std::uint8_t*>(stream.data()) + stream.size() - footer;
  lzma_stream_flags flags{};
  EXPECT_EQ(lzma_stream_footer_decode(&flags, end), LZMA_OK);
  std::string all = stream.substr(0, stream.size() - footer - static_cast<std::size_t>(flags.backward_size));
  lzma_index* const index = lzma_index_init(nullptr);
  for (const auto& [unpadded, decoded] : blocks)
    EXPECT_EQ(lzma_index_append(index, nullptr, unpadded, decoded), LZMA_OK);
  std::string bytes_of(static_cast<std::size_t>(lzma_index_size(index)) + footer, '\0');
  auto* const to = reinterpret_cast<std::uint8_t*>(bytes_of.data());
  std::size_t at = 0;
  EXPECT_EQ(lzma_index_buffer_encode(index, to, &at, bytes_of.size()), LZMA_OK);
  flags.backward_size = lzma_index_size(index);
  EXPECT_EQ(lzma_stream_footer_encode(&flags, to + at), LZMA_OK);
  lzma_index_end(index, nullptr);
  return all + bytes_of;
}

TEST_F(XzBlocks, AnIndexThatLiesHasTheVerdictOfInflate) {
  const std::string file = xz(small, {.block = 100});
  std::vector<std::pair<lzma_vli, lzma_vli>> blocks;
  {
    BlockFile open(folder.write("a", file), {});
    for (BlockPlace place; open.next(place) == BlockReader::Next::block;)
      blocks.emplace_back(place.unpadded, place.decoded);
  }
  ASSERT_EQ(blocks.size(), 3u);
  ASSERT_EQ(with_index(file, blocks), file);
  const auto with = [&](const std::function<void()>& change) {
    const auto right = blocks;
    change();
    std::string lying = with_index(file, blocks);
    blocks = right;
    return lying;
  };
  for (const std::string& lying :
       {with([&] { ++blocks[0].second, --blocks[1].second; }), with([&] { --blocks[2].second; }),
        with([&] { blocks[1].second += 1000; }), with([&] { blocks[0].first += 4, blocks[1].first -= 4; }),
        with([&] { std::swap(blocks[0].first, blocks[1].first); }), with([&] { blocks[0].first -= 1; }),
        with([&] { blocks[1].second = 0; })}) {
    const Pass pass = pass_of(lying);
    EXPECT_NE(by_inflate(folder.path("a")).error, "");
    expect_same(pass, by_inflate(folder.path("a")));
  }
}

TEST_F(XzBlocks, ADictionaryOrACheckThatInflateRefusesIsRefusedInItsWords) {
  using sluice::test::with_huge_dictionary, sluice::test::with_unknown_check;
  const std::string sound = xz(small, {.check = LZMA_CHECK_CRC32}), huge = with_huge_dictionary(xz(small));
  const Pass of_dictionary = pass_of(sound + huge);
  EXPECT_EQ(of_dictionary.at_once, 2u);
  EXPECT_NE(of_dictionary.error.find("xz stream 2"), std::string::npos) << of_dictionary.error;
  expect_same(of_dictionary, by_inflate(folder.path("a")));
  EXPECT_EQ(pass_of(sound + huge, {.decoder_memory = std::size_t{256} << 20}).bytes, small + small);
  const Pass of_check = pass_of(sound + with_unknown_check(sound));
  EXPECT_NE(of_check.error.find("type 2 (reserved)"), std::string::npos) << of_check.error;
  expect_same(of_check, by_inflate(folder.path("a")));
}
#endif

#ifdef SLUICE_ZSTD
using sluice::test::zstd;

class ZstdFrames : public Blocks {
 protected:
  std::string frames(std::size_t size, const sluice::test::Zstd& how = {}) const {
    std::string file;
    for (std::size_t at = 0; at < bytes.size(); at += size) file += zstd(bytes.substr(at, size), how);
    return file;
  }
};

TEST_F(ZstdFrames, AreDecodedEachForItselfWhateverTheySayOfThemselves) {
  for (const bool checksum : {false, true})
    for (const bool size : {false, true}) {
      const Pass pass = pass_of(frames(1000, {.checksum = checksum, .size = size}), {.span = 1000});
      EXPECT_EQ(pass.bytes, bytes);
      EXPECT_EQ(pass.at_once, 5u);
      EXPECT_TRUE(has_blocks(folder.path("a"), {.span = 1000}));
    }
}

TEST_F(ZstdFrames, BehindWhatIsWantedAreNotAskedFor) {
  const std::string path = folder.write("a", frames(1000));
  BlockPieces source{.path = path, .span = 1000, .wanted = {.begin = 1500, .end = 2500}};
  const Pass pass = run(source, {.span = 1000});
  EXPECT_EQ(pass.bytes, bytes.substr(0, 3000));
}

TEST_F(ZstdFrames, ThatAreSmallArePutTogether) {
  EXPECT_EQ(pass_of(frames(100), {.span = 1000}).at_once, 5u);
  EXPECT_EQ(pass_of(frames(100), {.span = 1099}).at_once, 5u);
  EXPECT_EQ(pass_of(frames(100), {.span = 100}).at_once, 50u);
  EXPECT_EQ(pass_of(frames(100), {.span = 1}).at_once, 50u);
  EXPECT_EQ(pass_of(frames(100), {.span = 1000}).bytes, bytes);
  const Pass one = pass_of(frames(100), {.span = 5000});
  EXPECT_EQ(one.at_once, 0u) << "a single piece is Inflate's";
  EXPECT_EQ(one.bytes, bytes);
}

// As pzstd writes them: it says in one how long the next frame is.
TEST_F(ZstdFrames, BetweenThoseThatAreSkippedAreDecoded) {
  const std::string skipped = skippable_zstd("1234"), frame = zstd(bytes, {.size = false});
  EXPECT_EQ(pass_of(skipped + frame + skipped + frame + skipped).at_once, 2u);
  EXPECT_EQ(pass_of(skipped + frame + skipped + frame + skipped).bytes, bytes + bytes);
  const std::string empty = zstd("");
  EXPECT_EQ(pass_of(empty + skipped + empty + frame + skipped + empty, {.span = 100}).bytes, bytes);
  EXPECT_EQ(pass_of(empty + skipped + empty).bytes, "");
}

TEST_F(ZstdFrames, FromOneThatIsTooLargeOnAreInflates) {
  const std::string small = zstd(bytes.substr(0, 500)), large = zstd(bytes);
  const auto pass = [&](const std::string& file) {
    return pass_of(file, {.span = 500, .most_decoded = bytes.size() - 1});
  };
  const Pass behind = pass(small + small + large + small);
  EXPECT_EQ(behind.at_once, 2u);
  EXPECT_EQ(behind.pieces, 3u);
  EXPECT_EQ(behind.bytes, bytes.substr(0, 500) + bytes.substr(0, 500) + bytes + bytes.substr(0, 500));
  EXPECT_EQ(pass(small + large + small).at_once, 0u) << "two are wanted";
  EXPECT_EQ(pass_of(small + small + large, {.span = 500, .most_decoded = bytes.size()}).at_once, 3u);
}

TEST_F(ZstdFrames, EveryCutHasTheVerdictOfInflate) {
  const std::string file =
      zstd(bytes.substr(0, 200)) + skippable_zstd("1234") + zstd(bytes.substr(0, 300)) + raw_zstd("text", 0) + zstd("");
  for (std::size_t size = 1; size < file.size(); ++size)
    expect_verdict_of_inflate(file.substr(0, size), std::to_string(size));
  for (const std::string& extra : {std::string("x"), std::string(4, '\0'), gzip("more")})
    expect_verdict_of_inflate(file + extra);
}

TEST_F(ZstdFrames, EveryFlippedBitHasTheVerdictOfInflate) {
  const std::string file =
      zstd(bytes.substr(0, 150)) + skippable_zstd("1234") + zstd(bytes.substr(0, 200), {.size = false}) + zstd("");
  for (std::size_t at = 0; at < file.size(); ++at)
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = file;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      expect_verdict_of_inflate(damaged, std::to_string(at) + " " + std::to_string(bit));
    }
}

TEST_F(ZstdFrames, AWindowOrADictionaryThatInflateRefusesIsRefusedInItsWords) {
  constexpr std::uint8_t of_mib_256 = 18 << 3;
  const std::string sound = zstd(bytes);
  for (const std::string& other : {raw_zstd("text", of_mib_256), raw_zstd("text", 0, 5)}) {
    const Pass pass = pass_of(sound + sound + other + sound, {.span = 1000});
    EXPECT_EQ(pass.at_once, 2u);
    EXPECT_NE(pass.error.find("zstd frame 3, which begins at byte"), std::string::npos) << pass.error;
    expect_same(pass, by_inflate(folder.path("a")));
  }
  EXPECT_EQ(pass_of(sound + sound + raw_zstd("text", of_mib_256), {.decoder_memory = std::size_t{256} << 20}).bytes,
            bytes + bytes + "text");
}

TEST_F(ZstdFrames, NoChunkThatIsKeptTakesMoreThanTwiceItsBytes) {
  std::string runs;  // of which it is not known how few they are
  for (int i = 0; i < 3; ++i) runs += zstd(std::string(200, 'x'), {.size = false, .window_log = 17});
  BlockPieces source{.path = folder.write("a", runs), .span = 1};
  VerifyBlocks verify{.kept = true};
  BlockPiece piece;
  std::vector<Chunk> kept;
  while (source(piece)) {
    verify.push(DecodeBlock{}(std::move(piece)));
    while (auto chunk = verify.pull()) kept.push_back(std::move(*chunk));
  }
  ASSERT_EQ(kept.size(), 3u);
  for (const Chunk& chunk : kept) {
    EXPECT_LE(chunk.owner->capacity, 2 * chunk.size);
    EXPECT_EQ(std::string(chunk.data, chunk.data + chunk.size), std::string(200, 'x'));
  }
}

TEST_F(ZstdFrames, AreReadAgainFromTheBeginningAlsoInTheMiddle) {
  BlockPieces source{.path = folder.write("a", frames(1000)), .span = 1000};
  for (int i = 0; i < 2; ++i, source.reset()) EXPECT_EQ(run(source).bytes, bytes);
  BlockPiece piece;
  ASSERT_TRUE(source(piece));
  source.reset();
  EXPECT_EQ(run(source).bytes, bytes);
  while (source(piece)) continue;
  EXPECT_FALSE(source(piece)) << "the end stays the end";
}

TEST_F(ZstdFrames, AreDecodedOnAnyNumberOfThreads) {
  BlockPieces source{.path = folder.write("a", frames(100)), .span = 100};
  std::vector<BlockPiece> pieces;
  for (BlockPiece piece; source(piece);) pieces.push_back(std::move(piece));
  std::vector<DecodedBlock> blocks(pieces.size());
  std::vector<std::thread> threads;
  for (std::size_t first = 0; first < 4; ++first)
    threads.emplace_back([&, first] {
      for (std::size_t i = first; i < pieces.size(); i += 4) blocks[i] = DecodeBlock{}(std::move(pieces[i]));
    });
  for (std::thread& thread : threads) thread.join();
  VerifyBlocks verify;
  std::string all;
  for (DecodedBlock& block : blocks) {
    verify.push(std::move(block));
    while (auto chunk = verify.pull()) all.append(chunk->data, chunk->data + chunk->size);
  }
  EXPECT_EQ(all, bytes);
}

TEST_F(ZstdFrames, OfAFileThatWasChangedMeanwhileAreNotPutTogetherWithThoseBefore) {
  const std::string file = frames(1000), path = folder.write("a", file);
  BlockPieces source{.path = path, .span = 1000};
  const Pass pass = run(source, {}, [&] {
    std::filesystem::resize_file(path, file.size() / 2);  // the same file
  });
  EXPECT_EQ(pass.error, path + ": no longer decodes to the 2000 bytes that it had: was it written meanwhile?");
}

TEST_F(ZstdFrames, NoMoreIsAskedForOnceOneWasRefused) {
  std::string damaged = frames(100);
  damaged[30] = static_cast<char>(damaged[30] ^ 1);
  BlockPieces source{.path = folder.write("a", damaged), .span = 100};
  BlockPiece piece;
  ASSERT_TRUE(source(piece));
  const DecodedBlock block = DecodeBlock{}(std::move(piece));
  EXPECT_FALSE(block.decoded);
  EXPECT_FALSE(source(piece));
}

TEST_F(ZstdFrames, AndFilesWithoutThemAreReadOneAfterTheOther) {
  const std::string one = folder.write("one", frames(1000)), two = folder.write("two", gzip(bytes)),
                    three = folder.write("three", frames(500)), empty = folder.write("empty", zstd("") + zstd(""));
  EachFile<BlockPieces> all;
  for (const std::string& path : {one, two, empty, three}) all.files.push_back({.path = path, .span = 500});
  std::vector<std::string> read(4);
  VerifyBlocks verify;
  for (BlockPiece piece; all(piece);) {
    verify.push(DecodeBlock{}(std::move(piece)));
    while (auto chunk = verify.pull()) {
      EXPECT_EQ(chunk->offset, read[chunk->file].size());
      read[chunk->file].append(chunk->data, chunk->data + chunk->size);
    }
  }
  EXPECT_EQ(read, (std::vector<std::string>{bytes, bytes, "", bytes}));
}

TEST_F(ZstdFrames, AFileThatIsRefusedDoesNotStopTheNext) {
  const std::string first = folder.write("first", frames(1000) + zstd(noise(5000))),
                    second = folder.write("second", frames(1000));
  EachFile<BlockPieces> all;
  for (const std::string& path : {first, second})
    all.files.push_back({.path = path, .span = 1000, .most_decoded = 4999});
  std::vector<std::string> read(2);
  VerifyBlocks verify;
  for (BlockPiece piece; all(piece);) {
    verify.push(DecodeBlock{}(std::move(piece)));
    while (auto chunk = verify.pull()) read[chunk->file].append(chunk->data, chunk->data + chunk->size);
  }
  EXPECT_EQ(read, (std::vector<std::string>{bytes + noise(5000), bytes}));
}

TEST_F(ZstdFrames, StateWhatTheyHold) {
  const std::string path = folder.write("a", frames(1000));
  const BlockPieces source{.path = path, .span = 1000, .most_decoded = 3000};
  EXPECT_EQ(source.payload_bytes(), 3000u);
  EXPECT_EQ(source.state_bytes(), most_of_block_index);
  EXPECT_EQ((BlockPieces{.path = folder.write("b", gzip(bytes))}.state_bytes()),
            Inflate{.path = path}.read_bytes + 48 * 1024);
  EXPECT_EQ((DecodeBlock{.most_decoded = 3000, .threads = 3}.state_bytes()),
            3 * (most_compressed(3000) + 3000 + beside_window));
  EXPECT_EQ((VerifyBlocks{.span = 1000, .most_decoded = 3000}.payload_bytes()), 3000u);
  EXPECT_EQ((VerifyBlocks{.span = 1000, .judge_bytes = 5}.state_bytes()), 1000 + Inflate{}.read_bytes + 5);
}
#endif

}  // namespace
}  // namespace sluice::stages::testing
