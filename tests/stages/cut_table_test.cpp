#include <sluice/stages/cut_table.hpp>

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/stages/table_example.hpp"
#include "tests/support/obvious_table.hpp"
#include "tests/support/random.hpp"

namespace sluice::stages::testing {
namespace {

using Texts = std::vector<std::string>;

struct Piece {
  std::string text;
  std::size_t file = 0;
  std::uint64_t lines_before = 0;
  std::string error;
};

std::vector<Piece> pieces(const Texts& files, const ReadTable& how) {
  std::vector<Piece> all;
  pieces_of(files, how, [&](const TableText& t) {
    EXPECT_TRUE(t.layout || !t.error.empty());
    EXPECT_TRUE(t.owner || t.text.empty());
    all.push_back({std::string(t.text), t.file, t.lines_before, t.error});
  });
  return all;
}

Texts texts(const std::string& file, const ReadTable& how) {
  Texts all;
  for (const Piece& piece : pieces({file}, how)) all.push_back(piece.text);
  return all;
}

std::string joined(const Texts& all) {
  std::string text;
  for (const std::string& one : all) text += one;
  return text;
}

TEST(CutTable, CutsWholeRowsOfAboutTheSizeThatIsAskedFor) {
  const std::string rows = "1,2\n3,4\n5,6\n7,8\n";
  EXPECT_EQ(texts("a,b\n" + rows, {.piece = 100}), (Texts{rows}));
  EXPECT_EQ(texts("a,b\n" + rows, {.piece = 11}), (Texts{"1,2\n3,4\n", "5,6\n7,8\n"}));
  EXPECT_EQ(texts("a,b\n" + rows, {.piece = 8}), (Texts{"1,2\n3,4\n", "5,6\n7,8\n"}));
  EXPECT_EQ(texts("a,b\n" + rows, {.piece = 1}), (Texts{"1,2\n", "3,4\n", "5,6\n", "7,8\n"}));
  EXPECT_EQ(texts(rows, {.piece = 100}), (Texts{rows}));
  EXPECT_EQ(texts("\xef\xbb\xbf" + rows, {.piece = 100}), (Texts{rows}));
}

TEST(CutTable, ALineEndInQuotesEndsNoRow) {
  const std::string rows = "1,\"a\nb\"\n2,\"c\"\"\n\n\"\n3,d\"\n4,e\n";
  EXPECT_EQ(texts("a,b\n" + rows, {.piece = 1}), (Texts{"1,\"a\nb\"\n", "2,\"c\"\"\n\n\"\n", "3,d\"\n", "4,e\n"}));
  EXPECT_EQ(texts("a,b\n" + rows, {.piece = 14}), (Texts{"1,\"a\nb\"\n", "2,\"c\"\"\n\n\"\n", "3,d\"\n4,e\n"}));
}

TEST(CutTable, TheLastRowNeedsNoLineEnd) {
  EXPECT_EQ(texts("a,b\n1,2\n3,4", {.piece = 100}), (Texts{"1,2\n", "3,4"}));
  EXPECT_EQ(texts("a,b\n1,2\n3,\"4\n\"", {.piece = 100}), (Texts{"1,2\n", "3,\"4\n\""}));
  EXPECT_EQ(texts("a,b\n1,2\n3,\"4\n", {.piece = 100}), (Texts{"1,2\n", "3,\"4\n"}));  // which is wrong, and said later
}

// Rows by the first rule that comes to mind, and every cut of the file in two, and chunks of every size.
TEST(CutTable, EveryWayToCutTheFileGivesTheSameRows) {
  const std::string header = "\xef\xbb\xbf\r\n\"a\n\",b\r\n",
                    rows = "1,\"x\n,\"\"y\"\r\n\r\n2,z\n\"3\",\"\"\n4,5\" \"\n\n6,7";
  const std::string file = header + rows;
  for (const std::size_t piece : {1u, 5u, 12u, 1000u}) {
    for (std::size_t chunk = 1; chunk <= file.size(); ++chunk) {
      const Texts all = texts(file, {.chunk = chunk, .piece = piece, .first_rows = chunk % 3 + 1});
      EXPECT_EQ(joined(all), rows) << chunk;
      for (const std::string& text : all) EXPECT_TRUE(text.ends_with('\n') || &text == &all.back()) << text;
      for (const std::string& text : all)  // each ends with a row
        EXPECT_FALSE(sluice::test::obvious_rows(text, ',').empty() &&
                     text.find_first_not_of("\r\n") != std::string::npos);
    }
  }
}

TEST(CutTable, RandomTextsAreCutIntoTheirRows) {
  sluice::test::Random random(5);
  for (int round = 0; round < 3000; ++round) {
    std::string rows;
    for (std::size_t i = random.below(60); i > 0; --i) rows += random.of({'a', ',', '"', '"', '\n', '\n', ' ', '\r'});
    const ReadTable how{
        .chunk = random.between(1, 30), .piece = random.between(1, 30), .first_rows = random.between(1, 9)};
    const Texts all = texts("a,b\n" + rows, how);
    EXPECT_EQ(joined(all), rows);
    std::size_t count = 0;
    for (const std::string& text : all) count += sluice::test::obvious_rows(text, ',').size();
    EXPECT_EQ(count, sluice::test::obvious_rows(rows, ',').size()) << rows;
  }
}

TEST(CutTable, OnlyTheRowThatStraddlesTwoChunksIsCopied) {
  std::string text = "a,b\n";
  for (int row = 0; row < 200; ++row) text += "12,34\n";
  const std::vector<Chunk> chunks = chunks_of(text, 304);  // 50 rows and the header, and so on
  CutTable cut{.paths = {"t.csv"}, .wanted = {.label = TableLabel::optional}, .first_rows = 2};
  std::vector<std::size_t> copied, viewed;
  TableText piece;
  for (const Chunk& chunk : chunks) {
    cut.push(chunk);
    while (cut.pull(piece)) {
      const bool own = piece.owner.get() != chunk.owner.get();
      (own ? copied : viewed).push_back(piece.text.size());
      if (own) continue;
      EXPECT_GE(piece.text.data(), reinterpret_cast<const char*>(chunk.data));
      EXPECT_LE(piece.text.data() + piece.text.size(), reinterpret_cast<const char*>(chunk.data) + chunk.size);
    }
  }
  EXPECT_EQ(copied, (std::vector<std::size_t>{6, 6}));
  EXPECT_EQ(viewed, (std::vector<std::size_t>{300, 300, 300, 288}));
}

TEST(CutTable, KeepsNoChunkThatItHasUsedUp) {
  std::string text = "a,b\n";
  for (int row = 0; row < 50; ++row) text += "12,34\n";
  for (const std::size_t size : {16u, 17u, 3u}) {
    CutTable cut{.paths = {"t.csv"}, .wanted = {.label = TableLabel::optional}, .first_rows = 2};
    TableText piece;
    for (Chunk& chunk : chunks_of(text, size)) {
      cut.push(chunk);
      while (cut.pull(piece)) continue;
      piece = {};
      EXPECT_TRUE(chunk.owner.unique()) << chunk.offset;
    }
    cut.finish();
    while (cut.pull(piece)) continue;
  }
}

TEST(CutTable, CopiesUseTheirMemoryAgain) {
  std::string text = "a,b\n";
  for (int row = 0; row < 100; ++row) text += "12,34\n";
  CutTable cut{.paths = {"t.csv"}, .wanted = {.label = TableLabel::optional}, .first_rows = 2};
  std::set<const Bytes*> owners;
  TableText piece;
  for (const Chunk& chunk : chunks_of(text, 5)) {
    cut.push(chunk);
    while (cut.pull(piece)) owners.insert(piece.owner.get());
  }
  EXPECT_LE(owners.size(), 2u);
}

TEST(CutTable, RowsOfAPipeAreHandedOnAsTheyCome) {
  CutTable cut{.paths = {"pipe"}, .wanted = {.label = TableLabel::optional}, .first_rows = 2};
  std::vector<std::string> seen;
  TableText piece;
  for (const char* part : {"a,b\n", "1,2\n", "3,", "4\n5,6\n", "7"}) {
    cut.push(chunks_of(part, 100).front());
    std::string given;
    while (cut.pull(piece)) given += std::string(piece.text);
    seen.push_back(given);
  }
  EXPECT_EQ(seen, (Texts{"", "1,2\n", "", "3,4\n5,6\n", ""}));
}

TEST(CutTable, TellsTheLinesThatAreInNoPiece) {
  const std::vector<Piece> all = pieces({"\n\"a\n\",b\n1,2\n3,4\n", "\"a\n\",b\n5,6\n"}, {.piece = 1});
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].lines_before, 3u);
  EXPECT_EQ(all[1].lines_before, 0u);
  EXPECT_EQ(all[2].lines_before, 2u);
  EXPECT_EQ(all[2].file, 1u);
}

TEST(CutTable, SeveralFilesAreOneTable) {
  for (const std::size_t chunk : {1u, 3u, 100u}) {
    Texts all;
    std::vector<std::size_t> files;
    for (const Piece& piece : pieces({"a,b\n1,2", "a,b\n3,4\n", "\xef\xbb\xbf\"a\", b\r\n5,6\n"}, {.chunk = chunk})) {
      all.push_back(piece.text);
      files.push_back(piece.file);
    }
    EXPECT_EQ(all, (Texts{"1,2", "3,4\n", "5,6\n"}));
    EXPECT_EQ(files, (std::vector<std::size_t>{0, 1, 2}));
    EXPECT_EQ(joined([&] {
                Texts rows;
                for (const Piece& piece : pieces({"1,2",
                                                  "\xef\xbb\xbf"
                                                  "3,4\n"},
                                                 {.chunk = chunk}))
                  rows.push_back(piece.text);
                return rows;
              }()),
              "1,23,4\n");
  }
}

// The last piece says what is wrong with a file; before it is all that came before.
TEST(CutTable, AnotherHeaderIsAnErrorBehindAllThatCameBefore) {
  const auto refused = [](const Texts& files, const std::string& text) {
    for (const std::size_t chunk : {1u, 3u, 100u}) {
      const std::vector<Piece> all = pieces(files, {.chunk = chunk});
      ASSERT_FALSE(all.empty());
      EXPECT_EQ(all.back().error, text);
      EXPECT_EQ(all.back().text, "");
      for (const Piece& piece : all) EXPECT_EQ(piece.error.empty(), &piece != &all.back());
    }
  };
  refused({"a,b\n1,2\n", "a,c\n3,4\n", "a,b\n"},
          "u.csv: column 2 of its header is 'c', expected 'b' as in t.csv: do the two belong together?");
  refused({"a,b\n1,2\n", "3,4\n"}, "u.csv: has no header, expected one as in t.csv: its first line is '3,4'");
  refused(
      {"a,b\n1,2\n", "a;b\n3;4\n"},
      "u.csv: its header has 1 column, expected 2 as in t.csv: has it another separator? Files of one list have the "
      "same");
  refused({"a,b\n1,2\n", "a,b,c\n3,4,5\n"},
          "u.csv: its header has 3 columns, expected 2 as in t.csv: do the two belong together?");
  refused({"a,b\n1,2\n", "\n"}, "u.csv: its header has 1 column, expected 2 as in t.csv: do the two belong together?");
  refused({"a,b\n1,2\n", ""}, "u.csv: its header has 1 column, expected 2 as in t.csv: do the two belong together?");
  refused({std::string("a\0b\n", 4)}, "t.csv: has a byte 0 at byte 1, expected text: is it a table, in UTF-8?");
  refused({""}, "t.csv: has no rows, expected at least 1");
}

TEST(CutTable, AFileWithoutRowsIsAPieceWithoutAny) {
  for (const std::size_t chunk : {1u, 100u}) {
    const std::vector<Piece> all = pieces({"a,b\n", "a,b\n1,2\n"}, {.chunk = chunk});
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0].text, "");
    EXPECT_EQ(all[0].error, "");
    EXPECT_EQ(all[0].lines_before, 1u);
    EXPECT_EQ(all[1].text, "1,2\n");
  }
  EXPECT_EQ(pieces({"1,2\n", ""}, {}).size(), 2u);
}

TEST(CutTable, TakesTheLayoutThatIsGiven) {
  CutTable cut{.paths = {"u.csv"}};
  cut.layout.renew() = *find_layout("a;b\n1;2\n", true, {.label = TableLabel::optional}, "t.csv");
  TableText piece;
  cut.push(chunks_of("a;b\n3;4\n", 100).front());
  EXPECT_TRUE(cut.pull(piece));
  EXPECT_EQ(piece.text, "3;4\n");
  EXPECT_EQ(piece.layout.get(), cut.layout.get());
  cut.reset();
  cut.push(chunks_of("a;c\n3;4\n", 100).front());
  EXPECT_TRUE(cut.pull(piece));
  EXPECT_EQ(piece.error, "u.csv: column 2 of its header is 'c', expected 'b' as in t.csv: do the two belong together?");
}

TEST(CutTable, AWrongSeparatorIsTheCallersMistake) {
  expect_error<std::invalid_argument>([&] { texts("a,b\n", {.wanted = {.separator = 'x'}}); }, {"separator 'x'"});
}

// So that a file without line ends, or with one quote too many, does not fill the memory.
TEST(CutTable, ARowHasALimit) {
  const auto cut_up = [](const std::string& text, std::size_t chunk, std::size_t row_bytes) {
    CutTable cut{.paths = {"t.csv"},
                 .wanted = {.label = TableLabel::optional},
                 .first_rows = 2,
                 .piece_bytes = 20,
                 .row_bytes = row_bytes};
    std::size_t too_long = 0, given = 0;
    TableText piece;
    const auto pull_all = [&] {
      while (cut.pull(piece)) {
        EXPECT_EQ(too_long, 0u);
        too_long = piece.too_long;
        given += piece.text.size();
      }
    };
    for (const Chunk& c : chunks_of(text, chunk)) cut.push(c), pull_all();
    cut.finish();
    pull_all();
    return std::pair(too_long, given);
  };
  const std::string start = "a,b\n1,2\n", row = "3," + std::string(97, '4') + "\n";
  for (const std::size_t chunk : {1u, 7u, 30u, 1000u}) {
    EXPECT_EQ(cut_up(start + row + "5,6\n", chunk, 100), std::pair(std::size_t{0}, std::size_t{108})) << chunk;
    EXPECT_EQ(cut_up(start + row + "5,6\n", chunk, 99).first, 99u) << chunk;
    EXPECT_EQ(cut_up(start + row + "5,6\n", chunk, 1).first, 20u) << chunk;
    EXPECT_EQ(cut_up(start + "3,4567890123456789\n", chunk, 1).first, 0u) << chunk;
    EXPECT_EQ(cut_up(start + std::string(99, '4'), chunk, 99).first, 0u) << chunk;
    EXPECT_EQ(cut_up(start + std::string(100, '4'), chunk, 99).first, 99u) << chunk;
  }
  // A quote that is never closed: what is there of it is the last piece, for whoever finds it.
  const std::string open =
      start + "3,\"" + std::string(most_quoted_bytes, 'x') + "\n4,5\n6,7\n" + std::string(1000, 'y');
  for (const std::size_t chunk : {std::size_t{1000}, std::size_t{100'000}, std::size_t{10'000'000}}) {
    const auto [too_long, given] = cut_up(open, chunk, most_row_bytes);
    EXPECT_EQ(too_long, 0u);
    EXPECT_EQ(given, 4 + 3 + most_quoted_bytes + 1) << chunk;
  }
}

TEST(CutTable, StatesTheMemoryOfAPiece) {
  EXPECT_EQ(CutTable{}.payload_bytes(), std::nullopt);
  EXPECT_EQ((CutTable{.row_bytes = 100, .chunk_bytes = 1 << 20}.payload_bytes()), std::size_t{1} << 20);
  EXPECT_EQ((CutTable{.piece_bytes = 1, .row_bytes = 100, .chunk_bytes = 50}.payload_bytes()), 100u);
}

TEST(CutTable, StartsAgainAfterReset) {
  CutTable cut{.paths = {"t.csv"}, .wanted = {.label = TableLabel::optional}};
  for (int run = 0; run < 3; ++run) {
    std::string rows;
    TableText piece;
    for (const Chunk& chunk : chunks_of("a,b\n1,2\n3,4\n", 5)) {
      cut.push(chunk);
      while (cut.pull(piece)) rows += std::string(piece.text);
    }
    if (run != 1) {  // one run is broken off
      cut.finish();
      while (cut.pull(piece)) rows += std::string(piece.text);
      EXPECT_EQ(rows, "1,2\n3,4\n");
    }
    cut.reset();
  }
}

}  // namespace
}  // namespace sluice::stages::testing
