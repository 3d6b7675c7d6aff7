// That of a range of a gzip file just the pieces are decoded that have some of it, where it is known where they lie,
// and that its bytes are the file's whatever an index says.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/gzip_index.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include "tests/stages/idx_example.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::gzip_in_blocks;

constexpr std::size_t span = 60'000;

// What comes of one run.
struct Part {
  std::uint64_t begin = ~std::uint64_t{0}, end = 0;
  std::uint64_t decoded = 0;
};

class GzipRange : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!decodes_pieces()) GTEST_SKIP() << "built without libdeflate: everything is Inflate's";
    write(bytes_);
  }
  void write(const std::string& bytes, std::size_t members = 2) {
    std::string all;
    for (std::size_t m = 0; m < members; ++m) {
      const std::size_t first = bytes.size() * m / members, last = bytes.size() * (m + 1) / members;
      all += gzip_in_blocks(bytes.substr(first, last - first), 7000);
    }
    path_ = folder_.write("a.gz", all);
  }
  GzipPieces source(ByteRange wanted, std::shared_ptr<KnownPieces> known = {}) const {
    return {.path = path_,
            .span = span,
            .index_bytes = std::size_t{64} << 20,
            .wanted = wanted,
            .learns = false,
            .known = std::move(known)};
  }
  // Of what an index file has.
  GzipIndex index() const {
    GzipPieces all{.path = path_, .span = span, .index_bytes = std::size_t{64} << 20};
    for (Piece piece; all(piece);) {
    }
    return all.found().value();
  }
  void write_index(const GzipIndex& index) const { folder_.write("a.gz.gzi", gzip_index_bytes(index)); }
  GzipPieces indexed(ByteRange wanted) const {
    GzipPieces one = source(wanted);
    one.index = path_ + ".gzi";
    return one;
  }

  // Chunks follow one another, have the bytes of the file, and all that is wanted.
  Part run(GzipPieces& from, bool sound = true) const {
    from.decoded = std::make_shared<DecodedBytes>();
    VerifyPieces verify{.span = span, .decoded = from.decoded};
    Part part;
    Piece piece;
    CheckedPiece checked;
    Chunk chunk;
    while (from(piece)) {
      DecodePiece{}(piece, checked);
      for (verify.push(checked); verify.pull(chunk);) {
        if (part.begin > chunk.offset) part.begin = part.end = chunk.offset;
        EXPECT_EQ(chunk.offset, part.end);
        EXPECT_TRUE(!sound || bytes_.compare(chunk.offset, chunk.size, reinterpret_cast<const char*>(chunk.data),
                                             chunk.size) == 0)
            << chunk.offset;
        part.end = chunk.offset + chunk.size;
      }
    }
    const ByteRange wanted = from.wanted;
    EXPECT_LE(part.begin, wanted.begin);
    EXPECT_GE(part.end, std::min<std::uint64_t>(wanted.end, bytes_.size()));
    part.decoded = from.decoded->all;
    return part;
  }

  const Folder folder_;
  const std::string bytes_ = of_few_values(2'000'000);
  std::string path_;
  const std::vector<ByteRange> ranges_{{0, 1},
                                       {0, 500'000},
                                       {500'000, 900'000},
                                       {999'999, 1'000'001},
                                       {1'000'000, 1'200'000},
                                       {1'010'000, 1'200'000},
                                       {1'500'000, 2'000'000},
                                       {1'500'000, ~std::uint64_t{0}},
                                       {0, ~std::uint64_t{0}}};
};

TEST_F(GzipRange, OfAFileOfWhichNothingIsKnownAllIsDecodedUpToItsEnd) {
  for (const bool guess : {false, true})
    for (const ByteRange& wanted : ranges_) {
      GzipPieces from = source(wanted);
      from.guess = guess;
      const Part part = run(from);
      EXPECT_EQ(part.begin, 0u);
      EXPECT_LE(part.end, std::max<std::uint64_t>(wanted.end, wanted.end + 3 * span)) << wanted.begin;
    }
}

TEST_F(GzipRange, WhereARunHasFoundThePiecesNoOthersAreDecoded) {
  for (const bool guess : {false, true}) {
    const auto known = std::make_shared<KnownPieces>();
    GzipPieces first = source({500'000, 900'000}, known);
    first.guess = guess, first.learns = true;
    VerifyPieces verify{.span = span, .index_bytes = first.index_bytes};
    CheckedPiece checked;
    Chunk chunk;
    for (Piece piece; first(piece);) {
      DecodePiece{}(piece, checked);
      for (verify.push(checked); verify.pull(chunk);) {
      }
    }
    first.reset();
    run(first);  // it has learnt, and says so
    ASSERT_TRUE(known->index());
    for (const ByteRange& wanted : ranges_) {
      GzipPieces from = source(wanted, std::make_shared<KnownPieces>(known));
      for (int pass = 0; pass < 2; ++pass, from.reset()) {
        const Part part = run(from);
        EXPECT_LE(part.decoded, std::min<std::uint64_t>(bytes_.size(), wanted.end) - wanted.begin + 3 * span);
      }
    }
  }
}

TEST_F(GzipRange, ByAnIndexReadingBeginsSomePiecesBefore) {
  write_index(index());
  for (const ByteRange& wanted : ranges_) {
    GzipPieces from = indexed(wanted);
    for (int pass = 0; pass < 2; ++pass, from.reset()) {
      const Part part = run(from);
      EXPECT_LE(part.decoded, std::min<std::uint64_t>(bytes_.size(), wanted.end) - wanted.begin + 4 * span);
      EXPECT_EQ(from.decoded->passed_over, 0u);
    }
  }
}

TEST_F(GzipRange, AnIndexThatLiesChangesNoByte) {
  const GzipIndex sound = index();
  const std::size_t points = sound.points.size();
  ASSERT_GE(points, 20u);
  const auto other_window = [](std::string& window) {
    std::uint8_t bytes[deflate_window];
    const std::size_t size = unpack_window(window, bytes).value_or(0);
    for (std::size_t i = 0; i < size; ++i) bytes[i] ^= 1;
    if (size > 0) window = packed_window({bytes, size});
  };
  for (std::size_t wrong = 0; wrong < points; ++wrong) {
    GzipIndex lies = sound;
    other_window(lies.points[wrong].window);
    write_index(lies);
    for (const ByteRange& wanted : ranges_) {
      GzipPieces from = indexed(wanted);
      run(from);
    }
  }
}

TEST_F(GzipRange, AnIndexOfAnotherFileChangesNoByte) {
  const std::string other = of_few_values(2'000'000, 9);
  write(other);
  write_index(index());
  write(bytes_);
  for (const ByteRange& wanted : ranges_) {
    GzipPieces from = indexed(wanted);
    run(from);
  }
}

// Behind an error, what is handed on is what Inflate hands on.
TEST_F(GzipRange, DamageWithinItIsFound) {
  write_index(index());
  std::string damaged = test::contents_of(path_);
  damaged[damaged.size() / 3] = static_cast<char>(damaged[damaged.size() / 3] ^ 0x55);
  folder_.write("a.gz", damaged);
  GzipPieces from = indexed({500'000, 900'000});
  try {
    run(from, false);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("a.gz"), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice::stages::testing
