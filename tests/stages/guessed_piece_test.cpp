// Pieces that are decoded before it is known where they begin: that most are what comes next, whatever the file, and
// that what is none changes no byte.
#include <sluice/stages/guessed_piece.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <sluice/stages/each_file.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/pieced_file.hpp>
#include "tests/stages/idx_example.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::gzip_in_blocks;
using sluice::test::noise;

struct Pass {
  std::string bytes;
  std::size_t guessed = 0, nothing = 0, twice = 0, taken = 0, known = 0;  // pieces
};

// at_once: so many are decoded before the first of them is verified, the last one first.
Pass run(GzipPieces& source, std::size_t at_once = 1) {
  Pass pass;
  VerifyPieces verify{.span = source.span, .index_bytes = source.index_bytes};
  std::vector<Piece> pieces(at_once);
  std::vector<CheckedPiece> checked(at_once);
  for (std::size_t count = at_once; count == at_once;) {
    for (count = 0; count < at_once && source(pieces[count]);) ++count;
    for (std::size_t i = count; i-- > 0;) DecodePiece{}(pieces[i], checked[i]);
    for (std::size_t i = 0; i < count; ++i) {
      const GuessedPiece& piece = checked[i].piece;
      pass.guessed += checked[i].from != nullptr;
      pass.known += pieces[i].from && !checked[i].from;
      pass.nothing += !piece.decoded;
      pass.twice += piece.decoded && piece.twice;
      verify.push(checked[i]);
      for (Chunk chunk; verify.pull(chunk);) {
        pass.taken += piece.decoded && chunk.data == piece.first;
        pass.bytes.append(chunk.data, chunk.data + chunk.size);
      }
    }
  }
  return pass;
}

Pass run(const std::string& path, std::size_t span) {
  GzipPieces source{.path = path, .span = span, .guess = true};
  return run(source);
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

// Who looks for a boundary first has more of the file behind it than who needs it as an end.
TEST_F(GuessedPieces, InAnyOrderHaveTheSameBytes) {
  std::string all;
  for (std::uint64_t i = 0; i < 40; ++i)
    all += bytes.substr(i * 5000, 4000 + 300 * i) + noise(5000 + 1500 * (i % 7), i);
  for (const std::size_t block : {900u, 4000u})
    for (const std::size_t span : {3000u, 5000u, 9000u})
      for (const std::size_t at_once : {2u, 4u, 9u}) {
        GzipPieces source{.path = folder.write("a.gz", gzip_in_blocks(all, block)),
                          .span = span,
                          .index_bytes = 64 << 20,
                          .guess = true};
        for (int pass = 0; pass < 2; ++pass, source.reset()) {
          const Pass p = run(source, at_once);
          ASSERT_TRUE(p.bytes == all) << block << " " << span << " " << at_once << " pass " << pass;
        }
      }
}

// As in a graph: some are verified while the next are given and decoded, and files are over for who gives them before
// they are for the others.
TEST_F(GuessedPieces, OfSeveralFilesMayBeDecodedAndVerifiedWhileOthersAreGiven) {
  EachFile<GzipPieces> source;
  std::string all;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const std::string part = bytes.substr(i * 1000, 200'000);
    const std::string path =
        folder.write(std::to_string(i), i == 2 ? in_members(part, 2000) : gzip_in_blocks(part, 900));
    source.files.push_back({.path = path, .span = 6000, .index_bytes = 64 << 20, .guess = true});
    all += part;
  }
  for (int pass = 0; pass < 3; ++pass, source.reset()) {
    constexpr std::size_t at_once = 8;
    struct Some {
      std::vector<Piece> pieces{at_once};
      std::vector<CheckedPiece> checked{at_once};
      std::size_t count = 0;
    };
    Some some[2];
    VerifyPieces verify{.span = 6000, .index_bytes = 64 << 20};
    std::string made;
    std::size_t known = 0, given = 0;
    std::thread verifying;
    for (std::size_t turn = 0, count = at_once; count == at_once; ++turn) {
      Some& these = some[turn % 2];
      for (count = 0; count < at_once && source(these.pieces[count]);) ++count;
      these.count = count;
      std::atomic<std::size_t> next{0};
      std::vector<std::thread> decoding;
      for (int i = 0; i < 3; ++i)
        decoding.emplace_back([&] {
          for (std::size_t at; (at = next++) < these.count;) DecodePiece{}(these.pieces[at], these.checked[at]);
        });
      for (std::thread& one : decoding) one.join();
      for (std::size_t i = 0; i < count; ++i) known += !these.checked[i].from, ++given;
      if (verifying.joinable()) verifying.join();
      verifying = std::thread([&] {
        for (std::size_t i = 0; i < these.count; ++i) {
          verify.push(these.checked[i]);
          for (Chunk chunk; verify.pull(chunk);) made.append(chunk.data, chunk.data + chunk.size);
        }
      });
    }
    verifying.join();
    EXPECT_TRUE(made == all) << pass;
    EXPECT_EQ(known, pass ? given : 0u) << pass;
  }
}

TEST_F(GuessedPieces, OfManyMembersAreKnownTheSecondTime) {
  std::string file, all;
  std::set<std::size_t> begins;
  for (std::size_t i = 0; i < 8; ++i) {
    const std::string part = of_few_values(37'000 + 1000 * i, i);
    begins.insert(all.size());
    file += gzip_in_blocks(part, 900), all += part;
  }
  const auto found = std::make_shared<KnownPieces>();
  GzipPieces source{
      .path = folder.write("a.gz", file), .span = 9000, .index_bytes = 64 << 20, .guess = true, .known = found};
  EXPECT_TRUE(run(source, 4).bytes == all);
  for (int pass = 0; pass < 2; ++pass) {
    source.reset();
    const Pass p = run(source, 4);
    EXPECT_TRUE(p.bytes == all);
    EXPECT_EQ(p.guessed, 0u);
    EXPECT_GT(p.known, 30u);
  }
  ASSERT_TRUE(found->index());
  for (const PieceIndex::Entry& e : found->index()->entries)
    EXPECT_EQ(e.window.empty(), begins.count(e.offset) > 0) << "a member has nothing before it: " << e.offset;
}

// Pieces that are too large, and then nothing that could be one: what is tried does not become ever smaller.
TEST_F(GuessedPieces, WhereNoneCanBeDecodedFewAreTried) {
  std::string log;
  for (int i = 0; i < 20'000; ++i) log += "2026-11-28 00:00:00 request " + std::to_string(i % 50) + " was answered\n";
  const std::string all = log + log + log + log + noise(400'000);
  const std::string file = gzip_in_blocks(all, 40'000), path = folder.write("a.gz", file);
  const Pass p = run(path, 20'000);
  EXPECT_TRUE(p.bytes == all);
  EXPECT_LT(p.guessed, 64 * file.size() / 20'000 + 10);
  EXPECT_TRUE(run(path, 20'000).bytes == all);
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
