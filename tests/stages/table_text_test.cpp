#include <sluice/stages/table_text.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/random.hpp"

namespace sluice::stages {
namespace {

TEST(TableText, FindsWhereCellsEnd) {
  const auto end = [](std::string_view row) { return row.substr(0, cell_end(row, ',')); };
  EXPECT_EQ(end("a,b"), "a");
  EXPECT_EQ(end(",b"), "");
  EXPECT_EQ(end("a\nb"), "a");
  EXPECT_EQ(end("a"), "a");
  EXPECT_EQ(end(""), "");
  EXPECT_EQ(end("\"a,\nb\",c"), "\"a,\nb\"");
  EXPECT_EQ(end(" \t\"a,b\" ,c"), " \t\"a,b\" ");
  EXPECT_EQ(end("\"a\"\"b,c\",d"), "\"a\"\"b,c\"");
  EXPECT_EQ(end("\"\",d"), "\"\"");
  EXPECT_EQ(end("\"\"\"\",d"), "\"\"\"\"");
  EXPECT_EQ(end("\"a\"b,c"), "\"a\"b");
  EXPECT_EQ(end("\"a,b\nc"), "\"a,b\nc");
  EXPECT_EQ(end("\"a,b\"\"\nc"), "\"a,b\"\"\nc");
  EXPECT_EQ(end("5\" pipe,c"), "5\" pipe");
  EXPECT_EQ(end("5 \"a,b\""), "5 \"a");
}

TEST(TableText, ACellIsWithoutBlanksAndQuotesAround) {
  const auto text = [](std::string_view cell, char separator = ',') {
    return std::string(cell_in(cell, separator).text);
  };
  EXPECT_EQ(text(" \t a b \t"), "a b");
  EXPECT_EQ(text(" \t a b \t", '\t'), "\t a b \t");
  EXPECT_EQ(text(" \" a, b \" "), "a, b");
  EXPECT_EQ(text(""), "");
  EXPECT_EQ(text("   "), "");
  EXPECT_EQ(text("\"\""), "");
  EXPECT_EQ(text("\"a\"\"b\""), "a\"\"b");
  EXPECT_EQ(text("5\""), "5\"");
  EXPECT_EQ(text("a\r"), "a\r");
  EXPECT_FALSE(cell_in("a", ',').quoted);
  EXPECT_TRUE(cell_in(" \"\"", ',').quoted);
}

TEST(TableText, WhatIsWrongWithACellIsSaid) {
  EXPECT_EQ(cell_in("\"a", ',').fault, Cell::open);
  EXPECT_EQ(cell_in("\"", ',').fault, Cell::open);
  EXPECT_EQ(cell_in("\"a\"\"", ',').fault, Cell::open);
  EXPECT_EQ(cell_in("\"a\"b", ',').fault, Cell::behind_quote);
  EXPECT_EQ(cell_in("\"a\" \"b\"", ',').fault, Cell::behind_quote);
  EXPECT_EQ(cell_in("\"a\" ", ',').fault, Cell::none);
  EXPECT_EQ(said(cell_in("\"a\nb", ',')),
            "opens a quote, '\"a?b', that is not closed within 1 MiB or the file: is one missing?");
  EXPECT_EQ(said(cell_in("\"a\"b", ',')),
            "goes on behind its closing quote, '\"a\"b', expected a separator: quotes within are doubled");
}

TEST(TableText, TheContentHasSingleQuotes) {
  EXPECT_EQ(content(cell_in("\"say \"\"a\"\"\"", ',')), "say \"a\"");
  EXPECT_EQ(content(cell_in("5\"\"", ',')), "5\"\"");  // not quoted: as it is
  EXPECT_EQ(content(cell_in("\"\"\"\"\"\"", ',')), "\"\"");
}

TEST(TableText, BlankRowsAndLineEnds) {
  for (const char* blank : {"", "\n", "\r\n", " \t \r\n", "  ", "\r"}) EXPECT_TRUE(is_blank_row(blank, ',')) << blank;
  for (const char* row : {",\n", "\"\"\n", "0\n", "\r\r\n"}) EXPECT_FALSE(is_blank_row(row, ',')) << row;
  EXPECT_FALSE(is_blank_row("\t\n", '\t'));
  EXPECT_EQ(without_line_end("a\r\n"), "a");
  EXPECT_EQ(without_line_end("a\r\r\n"), "a\r");
  EXPECT_EQ(without_line_end("a"), "a");
  EXPECT_EQ(behind_last_line_end("a\nb\nc"), 4u);
  EXPECT_EQ(behind_last_line_end("abc"), 0u);
  EXPECT_EQ(behind_last_line_end(""), 0u);
}

TEST(TableText, MissingIsAShortListOfWords) {
  for (const char* missing : {"", "NA", "N/A", "NaN", "nan", "-nan", "null", "NULL", "None", "?"})
    EXPECT_TRUE(is_missing(missing)) << missing;
  for (const char* other : {"na", "0", "-", "none", "Null", "n/a", "NAN", "??", " "})
    EXPECT_FALSE(is_missing(other)) << other;
}

// Rows as they end by the first rule that comes to mind: cell after cell.
std::vector<std::size_t> ends_of_rows(const std::string& text) {
  std::vector<std::size_t> ends;
  for (std::size_t at = 0; at < text.size();) {
    at += cell_end(std::string_view(text).substr(at), ',');
    if (at < text.size() && text[at] == '\n') ends.push_back(at + 1);
    ++at;
  }
  return ends;
}

TEST(TableText, ARowEndsWhereALineDoesThatIsNotQuoted) {
  RowScan scan{","};
  EXPECT_FALSE(scan("a,\"b\n"));
  EXPECT_TRUE(scan.quoted);
  EXPECT_EQ(scan.opened, 2u);
  EXPECT_EQ(scan.row_end, 0u);
  EXPECT_TRUE(scan("a,\"b\nc\"\n"));
  EXPECT_EQ(scan.row_end, 8u);
  EXPECT_FALSE(scan("a,\"b\nc\"\nd\n\"\n"));
  EXPECT_EQ(scan.row_end, 10u);
  RowScan several{";,"};
  EXPECT_FALSE(several("1;\"a\n"));
}

// However much comes at a time.
TEST(TableText, RowsOfRandomTextsEndWhereTheirLastCellsDo) {
  sluice::test::Random random(3);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (std::size_t i = random.below(40); i > 0; --i) text += random.of({'a', ',', '"', '"', '\n', ' ', '\r'});
    text += '\n';
    const std::vector<std::size_t> expected = ends_of_rows(text);
    RowScan whole{","}, pieces{","};
    const bool ends = whole(text);
    EXPECT_EQ(whole.row_end, expected.empty() ? 0 : expected.back()) << text;
    EXPECT_EQ(ends, !expected.empty() && expected.back() == text.size()) << text;
    for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1))
      if (random.chance(50)) pieces(std::string_view(text).substr(0, at + 1));
    pieces(text);
    EXPECT_EQ(pieces.row_end, whole.row_end) << text;
    EXPECT_EQ(pieces.quoted, whole.quoted) << text;
  }
}

}  // namespace
}  // namespace sluice::stages
