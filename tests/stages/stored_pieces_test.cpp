// That where pieces lie is the same in another process, and that what was not written so is nothing.
#include <sluice/stages/stored_pieces.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/pieced_file.hpp>
#include "tests/stages/idx_example.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::gzip_in_blocks;

constexpr std::size_t most = std::size_t{8} << 20;

class StoredPieces : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!decodes_pieces()) GTEST_SKIP() << "built without libdeflate";
    read(known);
  }
  // The decoded bytes; and how many pieces were where somebody said.
  std::string read(const std::shared_ptr<KnownPieces>& with, std::size_t* by_index = nullptr) const {
    GzipPieces source{.path = path, .span = 4000, .index_bytes = most, .known = with};
    std::string all;
    Piece piece;
    Chunk chunk;
    while (source(piece)) {
      if (by_index) *by_index += piece.from != nullptr;
      InflatePiece{}(piece, chunk);
      all.append(chunk.data, chunk.data + chunk.size);
    }
    return all;
  }
  const Folder folder;
  const std::string bytes = of_few_values(60'000) + of_few_values(30'000, 7);
  const std::string path = folder.write(
      "a.gz", gzip_in_blocks(bytes.substr(0, 60'000), 1000) + gzip_in_blocks(bytes.substr(60'000), 900) + gzip(""));
  const std::shared_ptr<KnownPieces> known = std::make_shared<KnownPieces>();
};

TEST_F(StoredPieces, AreReadBackAndUsedFromTheBeginning) {
  ASSERT_TRUE(known->index());
  const std::string stored = stored_pieces(*known->index());
  const auto back = std::make_shared<KnownPieces>();
  back->set(pieces_stored(stored, path, most));
  ASSERT_TRUE(back->index());
  EXPECT_TRUE(stored_pieces(*back->index()) == stored);
  std::size_t by_index = 0;
  EXPECT_TRUE(read(back, &by_index) == bytes);
  EXPECT_EQ(by_index, known->index()->entries.size());
}

TEST_F(StoredPieces, ThatAreDamagedOrTakeTooMuchAreNothing) {
  const std::string stored = stored_pieces(*known->index());
  for (std::size_t at = 0; at < stored.size(); at += at < 300 ? 1 : 997) {
    std::string damaged = stored;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    EXPECT_FALSE(pieces_stored(damaged, path, most)) << at;
    EXPECT_FALSE(pieces_stored(stored.substr(0, at), path, most)) << at;
  }
  EXPECT_FALSE(pieces_stored(stored + '\0', path, most));
  EXPECT_FALSE(pieces_stored(stored, path, 100'000));
  EXPECT_FALSE(pieces_stored(stored, folder.path(), most));
  EXPECT_FALSE(pieces_stored(stored, folder.path("missing"), most));
}

// Sound by its checksum, and of no file that this one can be.
TEST_F(StoredPieces, ThatCannotBeAreNothing) {
  const PieceIndex sound = *known->index();
  const auto refused = [&](const auto& change) {
    PieceIndex index = sound;
    change(index);
    return pieces_stored(stored_pieces(index), path, most) == nullptr;
  };
  EXPECT_FALSE(refused([](PieceIndex&) {}));
  EXPECT_TRUE(refused([](PieceIndex& i) { i.entries[3].begin = i.entries[2].end - 1; })) << "not in order";
  EXPECT_TRUE(refused([](PieceIndex& i) { i.entries[3].end = i.entries[3].begin - 1; }));
  EXPECT_TRUE(refused([](PieceIndex& i) { i.entries.back().end += 8 << 20; })) << "behind the file";
  EXPECT_TRUE(refused([](PieceIndex& i) { i.entries[3].offset += 1; }));
  EXPECT_TRUE(refused([](PieceIndex& i) { i.entries.back().size = most_of_read_piece + 1; }));
  EXPECT_TRUE(refused([](PieceIndex& i) { i.entries[3].size = std::size_t{0} - 1; }));
  EXPECT_TRUE(refused([](PieceIndex& i) { i.entries[3].window.resize(deflate_window + 1); }));
  EXPECT_TRUE(refused([](PieceIndex& i) { i.entries.back().end |= 1; })) << "a member ends with a byte";
}

TEST_F(StoredPieces, OfAFileThatIsAnotherOneEndWithAnError) {
  const std::string stored = stored_pieces(*known->index());
  const std::string other = of_few_values(90'000, 3);
  folder.write("a.gz", gzip_in_blocks(other, 1000) + std::string(100'000, '\0'));
  const auto back = std::make_shared<KnownPieces>();
  back->set(pieces_stored(stored, path, most));
  test::expect_error<DataError>([&] { read(back); }, {path, "no longer decodes to the"});
}

TEST_F(StoredPieces, ThoseThatNobodyNeedsAreNotDecoded) {
  const std::uint64_t from = 20'000, to = 30'000;
  known->need([&](std::uint64_t offset, std::size_t size) { return offset < to && offset + size > from; });
  const std::string some = read(known);
  ASSERT_EQ(some.size(), bytes.size());
  EXPECT_EQ(some.substr(from, to - from), bytes.substr(from, to - from));
  EXPECT_EQ(some.substr(0, 10'000), std::string(10'000, '\0'));
  EXPECT_EQ(some.substr(50'000), std::string(40'000, '\0'));
  EXPECT_GT(known->skipped(), known->index()->entries.size() / 2);
  known->need({});
  EXPECT_TRUE(read(known) == bytes);
  EXPECT_EQ(known->skipped(), 0u);
}

}  // namespace
}  // namespace sluice::stages::testing
