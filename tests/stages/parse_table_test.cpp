#include <sluice/stages/parse_table.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/stages/table_example.hpp"
#include "tests/support/allocations.hpp"
#include "tests/support/obvious_table.hpp"
#include "tests/support/random.hpp"
#include "tests/support/sanitized.hpp"

namespace sluice::stages::testing {
namespace {

using Words = std::vector<std::string>;

// --- numbers

TEST(ParseTable, WholeNumbersUpTo255AreBytes) {
  const CollectTable table = read_table("a,b\n0,255\n007,3.0\n1e2,+5\n 12 ,\"13\"\n");
  EXPECT_EQ(table.type(), Pixel::uint8);
  EXPECT_EQ(values_of(table), (Values{{0, 255}, {7, 3}, {100, 5}, {12, 13}}));
}

TEST(ParseTable, AnyOtherNumberMakesFloatsOfThePiece) {
  for (const char* other : {"256", "0.5", "-1", "1e-3", "-0", "1000"}) {
    const CollectTable table = read_table("a,b\n1,2\n3," + std::string(other) + "\n5,6\n");
    EXPECT_EQ(table.type(), Pixel::float32) << other;
    EXPECT_EQ(values_of(table), (Values{{1, 2}, {3, std::strtof(other, nullptr)}, {5, 6}})) << other;
  }
  EXPECT_TRUE(std::signbit(values_of(read_table("a\n-0\n"))[0][0]));
}

TEST(ParseTable, NumbersAreThoseOfTheirTexts) {
  EXPECT_EQ(values_of(read_table("a,b,c\n0.1,1.17549435e-38,16777217\n\" -2.5 \",\t.5 ,+3e2\n")),
            (Values{{0.1f, 1.17549435e-38f, 16777216}, {-2.5f, .5f, 300}}));
  EXPECT_EQ(values_of(read_table("a\tb\n 1 \t2\n", {})), (Values{{1, 2}}));
}

TEST(ParseTable, LinesEndInEveryWay) {
  const Values expected{{1, 2}, {3, 4}};
  for (const char* text :
       {"a,b\r\n1,2\r\n3,4\r\n", "a,b\n1,2\n3,4", "a,b\r\n1,2\n3,4\r", "\n\na,b\n\n1,2\n \t\n\r\n3,4\n\n\n",
        "a,b\n\"1\",\"2\"\r\n\"3\",\"4\"\r\n", "a,b\n1,2 \r\n3,4 \r\n"})
    for (const std::size_t chunk : {1u, 2u, 5u, 100u})
      EXPECT_EQ(values_of(read_table(text, {.chunk = chunk})), expected) << text;
}

TEST(ParseTable, ARowOfOneColumn) {
  EXPECT_EQ(values_of(read_table("a\n1\n\n2\n")), (Values{{1}, {2}}));  // an empty line is none
  EXPECT_EQ(
      table_error("a\n1\n\"\"\n2\n"),
      "t.csv: line 3, column 1 (a): is empty, expected a number: what is missing may be counted as something (see "
      "--missing)");
}

TEST(ParseTable, OnlyTheFeaturesAreRead) {
  const CollectTable table = read_table("name,a,b,c,kind\n\"x, y\",1,2,z,cat\n5\" pipe,3,4,,dog\n",
                                        {.wanted = {.label_column = "kind", .ignored = {"name", "c"}}});
  EXPECT_EQ(values_of(table), (Values{{1, 2}, {3, 4}}));
  EXPECT_EQ(labels_of(table), (Words{"cat", "dog"}));
}

TEST(ParseTable, FeaturesComeInTheOrderThatIsWanted) {
  EXPECT_EQ(
      values_of(read_table("a,b,c,y,d\n1,2,3,4,5\n6,7,8,9,1000\n", {.wanted = {.features = {"d", "b", "c", "a"}}})),
      (Values{{5, 2, 3, 1}, {1000, 7, 8, 6}}));
}

// --- what is missing

TEST(ParseTable, WhatIsMissingIsAnErrorUnlessSomebodySaysWhatItIs) {
  EXPECT_EQ(
      table_error("a,b\n1,2\n3,\n"),
      "t.csv: line 3, column 2 (b): is empty, expected a number: what is missing may be counted as something (see "
      "--missing)");
  for (const char* word : {"NA", "N/A", "NaN", "nan", "-nan", "null", "NULL", "None", "?", "\"NA\"", " ? "})
    EXPECT_TRUE(contains(table_error("a,b\n1,2\n" + std::string(word) + ",4\n"), "t.csv: line 3, column 1 (a): '"))
        << word;
}

TEST(ParseTable, WhatIsMissingMayBeZero) {
  const CollectTable table = read_table("a,b\n1,?\n,4\n \"\" ,\n", {.missing = Missing::zero});
  EXPECT_EQ(values_of(table), (Values{{1, 0}, {0, 4}, {0, 0}}));
  EXPECT_EQ(table.type(), Pixel::uint8);
  EXPECT_EQ(table.totals.missing, (std::vector<std::uint64_t>{2, 2}));
  EXPECT_EQ(table.totals.all_missing(), 4u);
}

TEST(ParseTable, RowsInWhichSomethingIsMissingMayBeLeftOut) {
  const std::string text = "a,b,y\n1,?,0\n3,4,\n5,6,1\n,,\n7,8,1\n";
  for (const std::size_t piece : {1u, 100u}) {
    const CollectTable table = read_table(text, {.missing = Missing::skip, .piece = piece});
    EXPECT_EQ(values_of(table), (Values{{5, 6}, {7, 8}}));
    EXPECT_EQ(labels_of(table), (Words{"1", "1"}));
    EXPECT_EQ(table.totals.missing, (std::vector<std::uint64_t>{1, 2}));
    EXPECT_EQ(table.totals.missing_labels, 2u);
    EXPECT_EQ(table.totals.skipped, 3u);
    EXPECT_EQ(table.totals.rows, 2u);
  }
  // A cell that is wrong is wrong in these, too.
  EXPECT_TRUE(contains(table_error("a,b\n?,x\n", {.missing = Missing::skip}), "t.csv: line 2, column 2 (b): 'x'"));
}

TEST(ParseTable, OfWhatIsMissingTheMeanComesLater) {
  const CollectTable table = read_table("a,b\n1,?\n3,4\n", {.missing = Missing::mean});
  const Values values = values_of(table);
  EXPECT_EQ(values[0][0], 1);
  EXPECT_TRUE(std::isnan(values[0][1]));
  EXPECT_EQ(values[1], (std::vector<float>{3, 4}));
}

TEST(ParseTable, ALabelThatIsMissingIsAnErrorOrLeavesItsRowOut) {
  EXPECT_EQ(
      table_error("a,y\n1,\n"),
      "t.csv: line 2, column 2 (y): is empty, expected a label: rows without one may be left out (--missing skip)");
  EXPECT_EQ(table_error("a,y\n1,NA\n", {.missing = Missing::zero}),
            "t.csv: line 2, column 2 (y): 'NA', expected a label: rows without one may be left out (--missing skip)");
  EXPECT_EQ(labels_of(read_table("a,y\n1,\"NA\"\n2,None \n3,x\n", {.missing = Missing::skip})), (Words{"NA", "x"}));
}

// --- labels

TEST(ParseTable, LabelsAreNumbersIfAllAre) {
  const CollectTable table = read_table("y,a\n3,1\n0,2\n\"2.0\",3\n 03 ,4\n65535,5\n");
  EXPECT_EQ(labels_of(table), (Words{"3", "0", "2", "3", "65535"}));
  EXPECT_EQ(table.totals.labels.classes(*table.totals.layout).count, 65536u);
}

TEST(ParseTable, LabelsAreWordsIfOneIs) {
  EXPECT_EQ(labels_of(read_table("y,a\n3,1\n10,2\n-1,3\n")), (Words{"3", "10", "-1"}));
  EXPECT_EQ(labels_of(read_table("y,a\n3.0,1\n\"say \"\"x\"\"\",2\n3,3\n")), (Words{"3.0", "say \"x\"", "3"}));
  // Also where they come in pieces of which some have numbers alone.
  EXPECT_EQ(labels_of(read_table("y,a\n3,1\n03,2\ncat,3\n3,4\n", {.piece = 1})), (Words{"3", "03", "cat", "3"}));
}

TEST(ParseTable, AWordIsShortTextInUtf8) {
  EXPECT_EQ(labels_of(read_table("y,a\n\xc3\xa4,1\nb c,2\n")), (Words{"\xc3\xa4", "b c"}));
  EXPECT_EQ(table_error("y,a\nb,1\n\xe4,1\n"),
            "t.csv: line 3, column 1 (y): label '?' is no UTF-8: save the file as UTF-8");
  EXPECT_EQ(table_error("y,a\nb,1\nx\xe2\x82,1\n"),
            "t.csv: line 3, column 1 (y): label 'x?\?' is no UTF-8: save the file as UTF-8");
  EXPECT_EQ(table_error("y,a\nb,1\n\"x\ny\",1\n"),
            "t.csv: line 3, column 1 (y): label 'x?y' has a control character, expected a word or a number");
  std::string far = "y,a\n";
  for (int i = 0; i < 100; ++i) far += "b,1\n";
  EXPECT_EQ(table_error(far + std::string("x\0y,1\n", 6)),
            "t.csv: line 102, column 1 (y): label 'x?y' has a control character, expected a word or a number");
  EXPECT_EQ(labels_of(read_table("y,a\nb,1\n" + std::string(256, 'x') + ",1\n"))[1].size(), 256u);
  EXPECT_EQ(table_error("y,a\nb,1\n" + std::string(257, 'x') + ",1\n"),
            "t.csv: line 3, column 1 (y): label '" + std::string(60, 'x') +
                "...' has 257 bytes, expected a word of at most 256");
  EXPECT_TRUE(contains(table_error("y,a\nb,1\n" + std::string(300, '0') + ",1\n"), "has 300 bytes"));
}

// What parsing makes of a text, with classes.
std::string with_classes(const std::string& text, const TableClasses& classes) {
  const ParseTable parse{.missing = Missing::skip, .classes = std::make_shared<const TableClasses>(classes)};
  TableRows rows;
  std::string said;
  pieces_of({text}, {}, [&](const TableText& piece) {
    parse(piece, rows);
    EXPECT_TRUE(rows.label_lines.empty());
    for (const std::uint32_t label : rows.labels) said += std::to_string(label) + " ";
    if (rows.problem) said += rows.problem->text;
  });
  return said;
}

TEST(ParseTable, LabelsAreClassesWhereTheseAreKnown) {
  EXPECT_EQ(with_classes("y,a\ncat,1\n\"dog\",2\n7,3\n,4\n", {.words = {"7", "cat", "dog"}, .count = 3}), "1 2 0 ");
  EXPECT_EQ(with_classes("y,a\n3,1\n2.0,2\n", {.words = {}, .count = 4}), "3 2 ");
  EXPECT_EQ(with_classes("y,a\neel,1\n", {.words = {"cat", "dog"}, .count = 2}),
            ", column 1 (y): label 'eel', expected one of 'cat', 'dog'");
  EXPECT_EQ(with_classes("y,a\n4,1\n", {.words = {}, .count = 4}),
            ", column 1 (y): label '4', expected a whole number from 0 to 3");
}

// --- what is wrong

TEST(ParseTable, ACellThatIsNoNumberIsAnErrorThatSaysWhereAndWhat) {
  EXPECT_EQ(table_error("a,b\n1,2\n3,abc\n"),
            "t.csv: line 3, column 2 (b): 'abc', expected a finite number: a column of something else can be left out "
            "(--ignore-columns)");
  EXPECT_EQ(table_error("1,2\n3,abc\n"),
            "t.csv: line 2, column 2: 'abc', expected a finite number: a column of something else can be left out "
            "(--ignore-columns)");
  for (const char* none : {"inf", "-inf", "infinity", "0x10", "1_000", "1 000", "--1", "1e", "5\" pipe"})
    EXPECT_TRUE(contains(table_error("a,b\n1,2\n3," + std::string(none) + "\n"), "expected a finite number")) << none;
  EXPECT_EQ(table_error("a,b\n1,1e40\n"),
            "t.csv: line 2, column 2 (b): '1e40', expected a number that float32 can hold, up to 3.4e38");
  EXPECT_TRUE(contains(table_error("a,b\n1,2\n3," + std::string(100, 'x') + "\n"),
                       "'" + std::string(60, 'x') + "...', expected"));
  std::string far = "a,b\n";
  for (int row = 0; row < 100; ++row) far += "1,2\n\n";
  EXPECT_TRUE(contains(table_error(far + std::string("3,4\0\x1b\n", 6)),
                       "t.csv: line 202, column 2 (b): '4?\?', expected a finite number"));
  EXPECT_TRUE(contains(table_error("a,b\n1,2\r3,4\n5,6\n"), "line 2: 3 cells"));  // a CR alone ends no line
}

TEST(ParseTable, ADecimalCommaIsToldAsOne) {
  const char* const comma =
      ", expected a finite number: is that a decimal comma, or one of thousands? A number has a point alone";
  EXPECT_EQ(table_error("a;b\n1;2\n3;4,5\n"), "t.csv: line 3, column 2 (b): '4,5'" + std::string(comma));
  EXPECT_EQ(table_error("a,b\n1,2\n3,\"1,234\"\n"), "t.csv: line 3, column 2 (b): '1,234'" + std::string(comma));
  EXPECT_FALSE(contains(table_error("a;b\n1;2\n3;a,b\n"), "decimal comma"));
}

TEST(ParseTable, ARowOfAnotherLengthIsAnErrorThatSaysHowLongItIs) {
  EXPECT_EQ(table_error("a,b\n1,2\n3\n"),
            "t.csv: line 3: 1 cell, expected 2 as in the first row of t.csv: was it cut short?");
  EXPECT_EQ(
      table_error("a,b\n1,2\n3,4,5\n"),
      "t.csv: line 3: 3 cells, expected 2 as in the first row of t.csv: does a text with separators lack its quotes?");
  EXPECT_EQ(table_error(Words{"1,2\n3,4\n", "5,6\n7\n"}),
            "u.csv: line 2: 1 cell, expected 2 as in the first row of t.csv: was it cut short?");
  for (const std::size_t more : {60u, 63u, 64u, 65u, 200u, 100'000u})
    EXPECT_TRUE(contains(table_error("a,b\n1,2\n3" + std::string(more, ',') + "\n4,5\n"),
                         "t.csv: line 3: " + std::to_string(more + 1) + " cells, expected 2"))
        << more;
}

TEST(ParseTable, QuotesThatAreWrongAreAnErrorWhereTheyAre) {
  EXPECT_EQ(table_error("a,b\n1,2\n\"3\"x,4\n"),
            "t.csv: line 3, column 1 (a): goes on behind its closing quote, '\"3\"x', expected a separator: quotes "
            "within are "
            "doubled");
  EXPECT_EQ(table_error("a,b\n1,2\n3,\"4\n5,6\n"),
            "t.csv: line 3, column 2 (b): opens a quote, '\"4?5,6?', that is not closed within 1 MiB or the file: is "
            "one missing?");
  // Also in a column that is left out, and where the cells are too few for it.
  EXPECT_TRUE(
      contains(table_error("a,b\n1,2\n\"3\"x,4\n", {.wanted = {.label = TableLabel::optional, .ignored = {"a"}}}),
               "line 3, column 1 (a): goes on"));
  EXPECT_TRUE(contains(table_error("a,b,c\n1,2,3\n\"4,5,6\n"), "line 3, column 1 (a): opens a quote"));
  const std::string rest(most_quoted_bytes, 'x');
  for (const std::size_t chunk : {std::size_t{100'000}, std::size_t{10'000'000}})
    EXPECT_TRUE(contains(table_error("a,b\n1,2\n3,\"" + rest + "\n4,5\n6," + rest, {.chunk = chunk}),
                         "t.csv: line 3, column 2 (b): opens a quote, '\"xxx"));
}

TEST(ParseTable, ARowThatIsTooLongIsAnErrorThatSaysWhere) {
  EXPECT_EQ(table_error("a,b\n1,2\n3," + std::string(most_row_bytes, '4')),
            "t.csv: line 3: goes on for more than 67108864 bytes, expected the end of the row: is a line end, or a "
            "quote, missing?");
}

TEST(ParseTable, TheFirstOfARowThatIsWrongIsSaid) {
  EXPECT_TRUE(contains(table_error("y,a,b\n1,2,3\n,x,z\n"), "line 3, column 1 (y): is empty, expected a label"));
  EXPECT_TRUE(contains(table_error("a,y,b\n1,2,3\nx,,z\n"), "line 3, column 1 (a): 'x'"));
  EXPECT_TRUE(
      contains(table_error("a,b\n1,2\n,z\n", {.wanted = {.label = TableLabel::optional, .features = {"b", "a"}}}),
               "line 3, column 1 (a): is empty"));
  EXPECT_TRUE(contains(table_error("a,b\n1,2\n,z\n", {.missing = Missing::skip}), "line 3, column 2 (b): 'z'"));
}

TEST(ParseTable, LinesAreThoseOfTheFile) {
  const std::string text = "\n\"a\nx\",b\r\n1,2\r\n\r\n\"3\n\",\"\n4\"\n5,bad\n";
  for (const std::size_t chunk : {1u, 7u, 100u})
    for (const std::size_t piece : {1u, 10u, 100u})
      EXPECT_TRUE(contains(table_error(text, {.chunk = chunk, .piece = piece}), "t.csv: line 6, column 1 (a?x): '3?'"))
          << table_error(text, {.chunk = chunk, .piece = piece});
  const std::string later = "a,b\n1,2\n\n\"3\",\" 4 \"\n\"5\",\"\n6x\"\n";
  EXPECT_TRUE(contains(table_error(later, {.chunk = 3, .piece = 1}), "t.csv: line 5, column 2 (b): '?6x'"));
  EXPECT_TRUE(
      contains(table_error("a,n,b\n1,\"x\ny\",z\n", {.wanted = {.label = TableLabel::optional, .ignored = {"n"}}}),
               "t.csv: line 3, column 3 (b): 'z'"));
}

TEST(ParseTable, AFirstLineThatIsNoRowMayBeAHeader) {
  EXPECT_EQ(table_error("1,x\n2,y\n"),
            "t.csv: line 1, column 2: 'x', expected a finite number: a column of something else can be left out "
            "(--ignore-columns): or is the line a header (--header yes)?");
}

TEST(ParseTable, RowsOfAGivenTypeAreOfThatType) {
  const auto read = [](const std::string& text, Pixel type) {
    const ParseTable parse{.type = type};
    TableRows rows;
    std::string said;
    pieces_of({text}, {}, [&](const TableText& piece) {
      parse(piece, rows);
      EXPECT_EQ(rows.type, type);
      said = rows.problem ? rows.problem->text : std::to_string(rows.count);
    });
    return said;
  };
  EXPECT_EQ(read("a,b\n1,2\n3,255\n", Pixel::float32), "2");
  EXPECT_EQ(read("a,b\n1,2\n3,255\n", Pixel::uint8), "2");
  EXPECT_EQ(read("a,b\n1,2\n3,256\n", Pixel::uint8),
            ", column 2 (b): '256', expected a whole number from 0 to 255, as all pixels of the training set are");
  const ParseTable wrong{.missing = Missing::mean, .type = Pixel::uint8};
  TableRows rows;
  EXPECT_THROW(wrong({}, rows), std::invalid_argument);
}

// --- against the obvious way

// A cell of any kind: those that are usual are likelier.
std::string random_cell(sluice::test::Random& random, unsigned odd) {
  if (random.chance(odd))
    return random.of<const char*>(
        {"",      " ",  "?",   "NA",  "\"NA\"", "x",   "\"a,b\"", "\"1\n\"", "\"\"\"\"", "\"1", "\"1\"2", "5\"", "1e40",
         "1e-50", "-0", "inf", "256", "\r",     "1\r", "\"1\"\r", "\"1\" ",  "0x1",      "1,2", "\xe4",   "1e5", ".5"});
  switch (random.below(6)) {
    case 0:
      return std::to_string(random.below(1000));
    case 1:
      return " " + std::to_string(random.below(300)) + random.of<const char*>({"", " ", "\t"});
    case 2:
      return "\"" + std::to_string(random.below(300)) + "\"";
    case 3:
      return std::to_string(static_cast<double>(random.below(100'000)) / 997 - 50);
    default:
      return std::to_string(random.below(256));
  }
}

// What a table comes to: all values and labels, or the place that is wrong.
struct Outcome {
  Values rows;
  Words labels;
  std::size_t missing = 0, skipped = 0, line = 0, column = 0;
  bool no_word = false;  // a label is none that can be one, which has a test of its own
};

bool same(const Values& a, const Values& b) {
  const auto equal = [](float x, float y) {
    return x == y ? std::signbit(x) == std::signbit(y) : std::isnan(x) && std::isnan(y);
  };
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!std::equal(a[i].begin(), a[i].end(), b[i].begin(), b[i].end(), equal)) return false;
  return true;
}

std::size_t number_behind(const std::string& text, const std::string& word) {
  const std::size_t at = text.find(word);
  return at == std::string::npos ? 0 : std::stoul(text.substr(at + word.size()));
}

Outcome outcome(const std::string& text, const ReadTable& how, const std::string& expected_error) {
  Outcome all;
  try {
    const CollectTable table = read_table(text, how);
    all.rows = values_of(table);
    all.labels = labels_of(table);
    all.missing = table.totals.all_missing(), all.skipped = table.totals.skipped;
  } catch (const DataError& error) {
    const std::string said = error.what();
    EXPECT_TRUE(said.starts_with("t.csv: ") && said.size() < 400 && !contains(said, "\n")) << said;
    all.line = number_behind(said, "t.csv: line "),
    all.column = number_behind(said.substr(0, said.find(':', 8)), ", column ");
    all.no_word = contains(said, ": label '");
    EXPECT_TRUE(all.line > 0 || expected_error == said) << said << "\nexpected " << expected_error;
  }
  return all;
}

TEST(ParseTable, RandomTablesAreWhatTheObviousWayReads) {
  sluice::test::Random random(6);
  std::size_t sound = 0, wrong = 0;
  for (int round = 0; round < 4000; ++round) {
    const std::size_t columns = random.between(1, 5);
    const char separator = random.of({',', ',', ';', '\t'});
    const unsigned odd = random.of({0u, 0u, 1u, 10u});
    std::string text;
    for (std::size_t rows = random.between(1, 12); rows > 0; --rows) {
      if (random.chance(odd)) text += random.of<const char*>({"\n", "\r\n", " \n"});
      for (std::size_t c = 0; c < columns; ++c) text += (c ? std::string(1, separator) : "") + random_cell(random, odd);
      if (random.chance(odd)) text += separator;
      text += random.of<const char*>({"\n", "\n", "\n", "\r\n"});
    }
    if (random.chance(20)) text.pop_back();
    if (random.chance(30))
      for (std::size_t i = random.below(6); i > 0; --i)
        text[random.below(text.size())] = random.of({'"', '"', separator, '\n', ' ', '\r', '1'});
    ReadTable how{.wanted = {.separator = separator, .header = TableHeader::no, .label = TableLabel::optional}};
    if (columns > 1 && random.chance(50)) how.wanted.label_column = std::to_string(random.between(1, columns));
    how.missing = random.of({Missing::error, Missing::zero, Missing::mean, Missing::skip});
    how.chunk = random.of<std::size_t>({1, 3, 17, 64, 1000}),
    how.piece = random.of<std::size_t>({1, 10, 70, 300, 1000});
    how.kept = random.chance(50), how.first_rows = random.of<std::size_t>({2, 2, 5, 100});

    std::optional<TableLayout> layout;
    try {
      layout = find_layout(text, true, how.wanted, "t.csv", how.first_rows);
    } catch (const DataError& error) {
      outcome(text, how, error.what());
      continue;
    }
    sluice::test::ObviousTable expected =
        sluice::test::obvious_table(text, {.separator = separator,
                                           .columns = layout->columns,
                                           .features = layout->features,
                                           .label = layout->label,
                                           .missing_is_wrong = how.missing == Missing::error,
                                           .missing_is_skipped = how.missing == Missing::skip});
    if (how.missing == Missing::zero)
      for (auto& row : expected.rows)
        for (float& value : row)
          if (std::isnan(value)) value = 0;
    const std::set<std::string> different(expected.labels.begin(), expected.labels.end());
    if (different.size() == 1 || (expected.rows.empty() && expected.wrong_line == 0)) continue;
    const Outcome found = outcome(text, how, "");
    if (found.no_word) continue;
    EXPECT_EQ(found.line, expected.wrong_line) << text;
    EXPECT_EQ(found.column, expected.wrong_column) << text;
    (expected.wrong_line ? wrong : sound) += 1;
    if (expected.wrong_line) continue;
    EXPECT_TRUE(same(found.rows, expected.rows)) << text;
    EXPECT_EQ(found.missing, expected.missing) << text;
    EXPECT_EQ(found.skipped, expected.skipped) << text;
    const bool numbers = std::all_of(expected.labels.begin(), expected.labels.end(),
                                     [](const std::string& label) { return whole_label(label).has_value(); });
    if (numbers)
      for (std::string& label : expected.labels) label = std::to_string(*whole_label(label));
    EXPECT_EQ(found.labels, expected.labels) << text;
  }
  EXPECT_GT(sound, 1000u);
  EXPECT_GT(wrong, 400u);
}

// Rows much longer than a block, of every length, whose ends lie in every place of one.
TEST(ParseTable, WideRowsAreReadWhereverTheirBlocksEnd) {
  sluice::test::Random random(7);
  for (const std::size_t columns : {1u, 2u, 3u, 31u, 32u, 33u, 63u, 64u, 65u, 127u, 128u, 200u, 785u}) {
    std::string text;
    Values expected;
    for (std::size_t row = 0; row < 2000 / columns + 3; ++row) {
      auto& values = expected.emplace_back();
      for (std::size_t c = 0; c < columns; ++c) {
        values.push_back(static_cast<float>(random.chance(50) ? 0 : random.below(256)));
        text += (c ? "," : "") + std::to_string(static_cast<int>(values.back()));
      }
      text += random.chance(10) ? "\r\n" : "\n";
    }
    const TableWanted wanted{.separator = ',', .header = TableHeader::no, .label = TableLabel::optional};
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1000}, std::size_t{100'000}}) {
      EXPECT_EQ(values_of(read_table(text, {.wanted = wanted, .piece = piece})), expected) << columns;
      EXPECT_EQ(values_of(read_table(text.substr(0, text.size() - 1), {.wanted = wanted, .piece = piece})), expected)
          << columns;
    }
  }
}

// What is within quotes, and what is wrong with them, may lie in any place of a block, beside other rows.
TEST(ParseTable, QuotesAreSeenWhereverTheirBlocksEnd) {
  const ReadTable how{.wanted = {.separator = ',', .label = TableLabel::optional, .ignored = {"n"}}, .piece = 1000};
  for (std::size_t before = 0; before < 140; ++before) {
    const std::string start = "a,n\n" + std::string(before, '0') + "1,x\n2,\"y\"\n";
    for (const auto& [rest, said] : std::vector<std::pair<std::string, std::string>>{
             {"3,\"y\nz\"\nbad,\"\"\n", "line 6, column 1 (a): 'bad'"},
             {"3,\"y\"\r,\n", "line 4, column 2 (n): goes on behind its closing quote"},
             {"3,\"y\"x\n", "line 4, column 2 (n): goes on behind its closing quote"},
             {"3, \"y,\n,\"\nbad,\n", "line 6, column 1 (a): 'bad'"},
             {"3,5\" pipe\n\"bad\",x\"\n", "line 5, column 1 (a): 'bad'"},
             {"3,\"\"\"\"\nbad,\"\"\"\n\"\n", "line 5, column 1 (a): 'bad'"},
             {"3,\"y\n", "line 4, column 2 (n): opens a quote"},
             {"3,\"y\"\r\n\"4\",\"z\"\r\nbad,\r\n", "line 6, column 1 (a): 'bad'"}})
      EXPECT_TRUE(contains(table_error(start + rest, how), "t.csv: " + said))
          << before << rest << table_error(start + rest, how);
  }
}

// --- damage

const std::string small_table =
    "\xef\xbb\xbf"
    "label,a,\"b\",c\r\ncat,1,-2.5e1,\"3\"\r\ndog,255,0,?\r\n\r\n\"cat\",16,0.125,9\r\n";

TEST(ParseTable, EveryPrefixOfATableIsItsRowsOrAnError) {
  const ReadTable how{.missing = Missing::zero};
  const Values whole = values_of(read_table(small_table, how));
  ASSERT_EQ(whole.size(), 3u);
  std::size_t refused = 0;
  for (std::size_t size = 0; size < small_table.size(); ++size) {
    const std::string text = small_table.substr(0, size);
    Values first;
    std::string error;
    for (const std::size_t chunk : {std::size_t{1}, std::size_t{1000}}) {
      ReadTable cut = how;
      cut.chunk = chunk, cut.first_rows = 2;
      Values values;
      std::string said;
      try {
        values = values_of(read_table(text, cut));
      } catch (const DataError& e) {
        said = e.what();
        EXPECT_TRUE(said.starts_with("t.csv: ")) << said;
      }
      if (chunk == 1) first = values, error = said;
      EXPECT_TRUE(same(values, first)) << size;
      EXPECT_EQ(said, error);
    }
    refused += !error.empty();
    if (!error.empty()) continue;
    // A number may have lost its last digits: that no format without a length can tell.
    for (std::size_t row = 0; row + 1 < first.size(); ++row) EXPECT_EQ(first[row], whole[row]) << size;
  }
  EXPECT_GT(refused, 30u);
}

TEST(ParseTable, EveryBitThatFlipsIsReadAsTheObviousWayReadsIt) {
  for (std::size_t bit = 0; bit < 8 * small_table.size(); ++bit) {
    std::string text = small_table;
    text[bit / 8] = static_cast<char>(text[bit / 8] ^ 1 << bit % 8);
    ReadTable how{.missing = Missing::mean};
    std::optional<TableLayout> layout;
    std::string error;
    try {
      layout = find_layout(text, true, how.wanted, "t.csv");
    } catch (const DataError& e) {
      error = e.what();
      EXPECT_TRUE(error.starts_with("t.csv: ")) << error;
      continue;
    }
    const auto expected = sluice::test::obvious_table(text, {.separator = layout->separator,
                                                             .header = layout->has_header(),
                                                             .columns = layout->columns,
                                                             .features = layout->features,
                                                             .label = layout->label,
                                                             .missing_is_wrong = false});
    Outcome found;
    try {
      found.rows = values_of(read_table(text, how));
    } catch (const DataError& e) {
      error = e.what();
      EXPECT_TRUE(error.starts_with("t.csv: ")) << error;
      found.line = number_behind(error, "t.csv: line ");
    }
    if (contains(error, ": label '")) continue;  // its text has a test of its own
    EXPECT_EQ(found.line, expected.wrong_line) << text << error;
    EXPECT_TRUE(!error.empty() || same(found.rows, expected.rows)) << text;
  }
}

// --- memory

TEST(ParseTable, RowsThatStayLieSideBySide) {
  std::string text = "a,b\n";
  for (int row = 0; row < 1000; ++row) text += "12,34\n";
  const CollectTable table = read_table(text, {.piece = 100, .kept = true});
  EXPECT_EQ(table.owners().size(), 1u);
  for (std::size_t row = 1; row < table.size(); ++row) EXPECT_LE(table.rows()[row] - table.rows()[row - 1], 64);
}

TEST(ParseTable, NothingIsAllocatedForAPieceOnceThereWasOne) {
  if (sluice::test::sanitized) GTEST_SKIP();
  std::string text = "a,b,y\n";
  for (int row = 0; row < 1000; ++row) text += "12,3.5,cat\n13,2.5,7\n";
  const ParseTable parse;
  TableRows rows;
  std::vector<std::size_t> allocated;
  pieces_of({text}, {.piece = 1000}, [&](const TableText& piece) {
    sluice::test::Allocations::begin();
    parse(piece, rows);
    allocated.push_back(sluice::test::Allocations::total());
  });
  ASSERT_GT(allocated.size(), 10u);
  for (std::size_t i = 2; i + 1 < allocated.size(); ++i) EXPECT_EQ(allocated[i], 0u) << i;
}

TEST(ParseTable, StatesTheMemoryOfItsRows) {
  EXPECT_EQ(ParseTable{}.payload_bytes(), std::nullopt);
  EXPECT_EQ((ParseTable{.text_bytes = 1000}.payload_bytes()), 1001u * (4 + 16) + 12) << "a column of one character";
  EXPECT_EQ((ParseTable{.text_bytes = 1000, .columns = 100}.payload_bytes()), 11u * (400 + 16) + 1200);
  EXPECT_EQ((ParseTable{.type = Pixel::uint8, .text_bytes = 1000, .columns = 100}.payload_bytes()),
            11u * (100 + 16) + 1200);
}

}  // namespace
}  // namespace sluice::stages::testing
