// Pieces that are decoded before it is known where they begin: that most are what comes next, whatever the file, and
// that what is none changes no byte.
#include <sluice/stages/guessed_piece.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/pieced_file.hpp>
#include "tests/stages/idx_example.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::gzip_in_blocks;
using sluice::test::noise;

struct Pass {
  std::string bytes;
  std::size_t guessed = 0, nothing = 0, twice = 0, taken = 0;  // pieces
};

Pass run(const std::string& path, std::size_t span) {
  Pass pass;
  GzipPieces source{.path = path, .span = span, .guess = true};
  VerifyPieces verify{.span = span};
  Piece piece;
  CheckedPiece checked;
  for (Chunk chunk; source(piece);) {
    DecodePiece{}(piece, checked);
    ++pass.guessed;
    pass.nothing += !checked.piece.decoded;
    pass.twice += checked.piece.decoded && checked.piece.twice;
    verify.push(checked);
    while (verify.pull(chunk)) {
      pass.taken += checked.piece.decoded && chunk.data == checked.piece.first;
      pass.bytes.append(chunk.data, chunk.data + chunk.size);
    }
  }
  return pass;
}

// Pieces that know nothing of those before: as pigz -i makes them.
std::string independent(const std::string& bytes, std::size_t block) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&z, bytes.size()) + bytes.size() / block * 64 + 64, '\0'), in = bytes;
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<unsigned>(out.size());
  for (std::size_t at = 0; at < bytes.size(); at += block) {
    z.avail_in = static_cast<unsigned>(std::min(block, bytes.size() - at));
    deflate(&z, at + block >= bytes.size() ? Z_FINISH : Z_FULL_FLUSH);
  }
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

// As bgzip: small members, and an empty one at the end.
std::string in_members(const std::string& bytes, std::size_t size) {
  std::string all;
  for (std::size_t at = 0; at < bytes.size(); at += size) all += gzip(bytes.substr(at, size));
  return all + gzip("");
}

class GuessedPieces : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!decodes_pieces()) GTEST_SKIP() << "built without libdeflate";
  }
  const Folder folder;
  const std::string bytes = of_few_values(600'000);
};

TEST_F(GuessedPieces, OfOneStreamAreDecodedTwiceAndNearlyAllOfThemAreTaken) {
  for (const std::size_t block : {700u, 3000u}) {
    const std::string path = folder.write("a.gz", gzip_in_blocks(bytes, block));
    const Pass p = run(path, 10'000);
    EXPECT_TRUE(p.bytes == bytes) << block;
    EXPECT_GT(p.guessed, 40u);
    EXPECT_GE(p.taken, p.guessed - p.guessed / 10 - 1) << block;
    EXPECT_GE(p.twice, p.taken - 2) << block;
    EXPECT_FALSE(pieces_are_independent(path, 10'000)) << block;
  }
}

TEST_F(GuessedPieces, ThatReachBackToNothingAreDecodedOnce) {
  for (const std::string& file : {independent(bytes, 3000), in_members(bytes, 2500)}) {
    const std::string path = folder.write("a.gz", file);
    const Pass p = run(path, 10'000);
    EXPECT_TRUE(p.bytes == bytes);
    EXPECT_GT(p.guessed, 40u);
    EXPECT_GE(p.taken, p.guessed - 2);
    EXPECT_EQ(p.twice, 0u);
    EXPECT_TRUE(pieces_are_independent(path, 10'000));
  }
}

TEST_F(GuessedPieces, OfLargeMembersGoOnAcrossTheirEnds) {
  std::string file, all;
  for (std::size_t i = 0; i < 8; ++i) {
    const std::string part = of_few_values(37'000 + 1000 * i, i);
    file += gzip_in_blocks(part, 900), all += part;
  }
  const Pass p = run(folder.write("a.gz", file), 9000);
  EXPECT_TRUE(p.bytes == all);
  EXPECT_GE(p.taken + 4, p.guessed);
}

// What looks like blocks, in the data of a stored one, or like members.
TEST_F(GuessedPieces, WithinWhatOnlyLooksLikeGzipNoByteChanges) {
  const std::string inner = gzip_in_blocks(bytes, 800), members = in_members(bytes, 300);
  for (const std::string& all : {inner, members, noise(200'000), std::string(500'000, 'x')})
    for (const int level : {0, 6}) {
      const Pass p = run(folder.write("a.gz", gzip_in_blocks(all, 60'000, level)), 5000);
      EXPECT_TRUE(p.bytes == all) << level;
    }
}

TEST_F(GuessedPieces, BetweenStretchesWithoutBlocksAreTakenAgain) {
  const std::string stored = gzip_in_blocks(noise(150'000), 1000, 0);
  std::string file, all;
  for (int i = 0; i < 3; ++i) {
    file += stored + gzip_in_blocks(bytes.substr(0, 200'000), 900);
    all += noise(150'000) + bytes.substr(0, 200'000);
  }
  const Pass p = run(folder.write("a.gz", file), 8000);
  EXPECT_TRUE(p.bytes == all);
  EXPECT_GT(p.taken, 30u);
  EXPECT_GT(p.nothing, 10u);
}

TEST_F(GuessedPieces, ThatAreLargerThanTheRoomAreLeftAndThoseBehindAreSmaller) {
  const std::string zeros(3'000'000, '\0');
  const Pass p = run(folder.write("a.gz", gzip_in_blocks(zeros + bytes, 900)), 5000);
  EXPECT_TRUE(p.bytes == zeros + bytes);
  EXPECT_GT(p.taken, 50u);
}

TEST_F(GuessedPieces, ASmallFileOrNoneHasNoIndependentPieces) {
  const std::string small = folder.write("small.gz", in_members(bytes.substr(0, 40'000), 2500));
  EXPECT_FALSE(pieces_are_independent(small, 10'000));
  EXPECT_FALSE(pieces_are_independent(folder.write("plain", bytes), 10'000));
  EXPECT_FALSE(pieces_are_independent(folder.write("noise.gz", noise(300'000)), 10'000));
  EXPECT_FALSE(pieces_are_independent(folder.path("missing"), 10'000));
  EXPECT_FALSE(pieces_are_independent(folder.path(), 10'000));
}

TEST_F(GuessedPieces, ABoundaryIsTheSameForAllWhoLookForIt) {
  const std::string file = gzip_in_blocks(bytes, 900), path = folder.write("a.gz", file);
  const PiecedFile pieced(path, 5000);
  std::vector<std::uint8_t> data(file.size() + 16);
  std::memcpy(data.data(), file.data(), file.size());
  std::uint64_t before = 0;
  for (std::uint64_t from = 100; from + 12'000 < file.size(); from += 500) {
    const auto near = pieced.boundaries.first(from, data.data() + from, from, from + 5000);
    const auto whole = pieced.boundaries.first(from, data.data(), 0, file.size());
    ASSERT_TRUE(near && whole) << from;
    EXPECT_EQ(near->bit, whole->bit) << from;
    EXPECT_GE(near->bit, std::max(before, from * 8));
    before = near->bit;
  }
}

// Those that are to stay lie one behind the other, where nobody uses their memory again.
TEST_F(GuessedPieces, ThatAreKeptLieTogetherAndStay) {
  GzipPieces source{.path = folder.write("a.gz", gzip_in_blocks(bytes, 900)), .span = 10'000, .guess = true};
  VerifyPieces verify{.span = 10'000, .kept = true};
  Piece piece;
  CheckedPiece checked;
  std::vector<Chunk> kept;
  for (Chunk chunk; source(piece);) {
    DecodePiece{}(piece, checked);
    verify.push(checked);
    while (verify.pull(chunk)) kept.push_back(chunk);
  }
  std::size_t at = 0;
  for (const Chunk& chunk : kept) {
    EXPECT_EQ(chunk.owner.get(), kept.front().owner.get()) << "600 KB fit into one place";
    EXPECT_EQ(chunk.data, kept.front().data + at);
    EXPECT_EQ(bytes.compare(at, chunk.size, std::string(chunk.data, chunk.data + chunk.size)), 0);
    at += chunk.size;
  }
  EXPECT_EQ(at, bytes.size());
}

}  // namespace
}  // namespace sluice::stages::testing
