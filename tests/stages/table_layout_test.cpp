#include <sluice/stages/table_layout.hpp>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include <sluice/stages/errors.hpp>
#include "tests/support/files.hpp"
#include "tests/support/random.hpp"

namespace sluice::stages {
namespace {

using sluice::test::expect_error;
using Columns = std::vector<std::uint32_t>;
using Names = std::vector<std::string>;

TableLayout layout_of(const std::string& text, TableWanted wanted = {.label = TableLabel::optional}) {
  const auto layout = find_layout(text, true, wanted, "t.csv");
  EXPECT_TRUE(layout.has_value());
  return layout.value_or(TableLayout{});
}

std::string refused(const std::string& text, const TableWanted& wanted, const std::string& expected) {
  return expect_error<DataError>([&] { layout_of(text, wanted); }, {expected});
}

// --- separator

TEST(TableLayout, FindsTheSeparatorByWhatEveryRowHasAsManyOf) {
  EXPECT_EQ(layout_of("1,2\n3,4\n").separator, ',');
  EXPECT_EQ(layout_of("1;2\n3;4\n").separator, ';');
  EXPECT_EQ(layout_of("1\t2\n3\t4\n").separator, '\t');
  EXPECT_EQ(layout_of("1|2\n3|4\n").separator, '|');
  EXPECT_EQ(layout_of("1,5;2,5\n3,5;4,5\n").separator, ';');         // decimal commas
  EXPECT_EQ(layout_of("a b;c,d,e\n1;2\n").separator, ';');           // a header with commas
  EXPECT_EQ(layout_of("a|b,c\n1,2\n3,4\n").separator, ',');          // a bar in a name
  EXPECT_EQ(layout_of("\"a;b\",c\n\"d;e;f\",4\n").separator, ',');   // others within quotes
  EXPECT_EQ(layout_of("\"a\n;b\",c\n1,4\n").separator, ',');         // and line ends
  EXPECT_EQ(layout_of("a;b,c,d\n1;2,3,4\n5,6,7\n").separator, ',');  // the likeliest, where none fits
  EXPECT_EQ(layout_of("1\n2\n").separator, ',');                     // one column
  EXPECT_EQ(layout_of("1\n2\n").columns, 1u);
}

TEST(TableLayout, TakesTheSeparatorThatIsGiven) {
  EXPECT_EQ(layout_of("1;2,3\n4;5,6\n", {.separator = ',', .label = TableLabel::optional}).columns, 2u);
  EXPECT_EQ(layout_of("1:2\n", {.separator = ':', .label = TableLabel::optional}).columns, 2u);
  for (const char none : {'"', '\n', '\r', ' ', '+', '-', '.', '0', '9', 'a', 'Z', '\xe4'})
    expect_error<std::invalid_argument>([&] { layout_of("1\n", {.separator = none}); },
                                        {"expected one that is in no number"});
}

// --- header

bool has_header(const std::string& text, TableWanted wanted = {.label = TableLabel::optional}) {
  return layout_of(text, wanted).has_header();
}

TEST(TableLayout, AFirstRowWithoutANumberIsAHeader) {
  EXPECT_TRUE(has_header("a,b\n1,2\n"));
  EXPECT_TRUE(has_header("a,\n1,2\n", {.label = TableLabel::optional, .ignored = {"2"}}));
  EXPECT_TRUE(has_header("\"a\",\"b\"\n1,2\n"));
  EXPECT_TRUE(has_header("a,b\n"));
  EXPECT_FALSE(has_header("1,2\n3,4\n"));
  EXPECT_FALSE(has_header("1,2\n"));
  EXPECT_FALSE(has_header("1e3,-2.5\n3,4\n"));
  EXPECT_FALSE(has_header("?,NA\n3,4\n"));                          // what is missing is no name
  EXPECT_FALSE(has_header("5.1,3.5,setosa\n4.9,3.0,virginica\n"));  // a text above texts
}

TEST(TableLayout, ATextAboveNumbersBesideNumbersThatRiseIsAHeader) {
  EXPECT_TRUE(has_header("land,1960,1961,1962\n1,2,3,4\n"));
  EXPECT_TRUE(has_header("label,400.5,401,402\n?,2,3,4\n1,,3,4\n"));
  refused("id,3,2,1\n1,2,3,4\n", {},
          "t.csv: its first line may be a header or a row, 'id,3,2,1': say which, --header yes or no");
  refused("id,1,2\n1,2,3\n", {}, "its first line may be a header or a row");
  refused("5.1,-,0.2,setosa\n5.1,3.5,0.2,setosa\n", {}, "its first line may be a header or a row");
}

TEST(TableLayout, ACellThatIsCalledAsWhatIsAskedForMakesAHeaderOfNumbersThatCount) {
  EXPECT_TRUE(has_header("label,0,1,2\ncat,5,5,6\n"));
  EXPECT_TRUE(has_header("1,2,3,kind\n5,5,6,cat\n", {.label_column = "kind"}));
  EXPECT_TRUE(has_header("1,2,3,kind\n5,5,6,cat\n", {.label = TableLabel::optional, .ignored = {"kind"}}));
  EXPECT_FALSE(has_header("1,2,3,kind\n5,5,6,cat\n"));
  EXPECT_FALSE(has_header("1.5,2.5,7,y\n5,5,6,n\n"));  // a class called y
  EXPECT_FALSE(has_header("0,1,y\n5,5,n\n"));
  EXPECT_FALSE(has_header("2,3,4,y\n5,5,6,n\n"));
}

TEST(TableLayout, NumbersThatCountMayBeEither) {
  for (const char* text : {"0,1,2,3\n5,6,7,8\n", "1,2,3,4\n5,6,7,8\n", ",0,1,2,3\n0,5,6,7,8\n"})
    refused(text, {}, "its first line may be a header or a row");
  EXPECT_FALSE(has_header("0,1,2\n3,4,5\n"));  // too few to say so
  EXPECT_FALSE(has_header("0,1,2,4\n3,4,5,6\n"));
  EXPECT_FALSE(has_header("2,3,4,5\n3,4,5,6\n"));
}

TEST(TableLayout, TakesTheHeaderThatIsGiven) {
  EXPECT_TRUE(has_header("0,1,2,3\n5,6,7,8\n", {.header = TableHeader::yes, .label = TableLabel::optional}));
  EXPECT_FALSE(has_header("a,b\n1,2\n", {.header = TableHeader::no, .label = TableLabel::optional}));
  EXPECT_EQ(layout_of("0,1\n5,6\n", {.header = TableHeader::yes, .label = TableLabel::optional}).names,
            (Names{"0", "1"}));
}

TEST(TableLayout, NamesAreWithoutBlanksAndQuotes) {
  EXPECT_EQ(layout_of("\xef\xbb\xbf a , \"b, c\" ,\"say \"\"d\"\"\"\r\n1,2,3\r\n").names,
            (Names{"a", "b, c", "say \"d\""}));
  EXPECT_EQ(layout_of("\n \r\na,b\n").names, (Names{"a", "b"}));
  EXPECT_EQ(layout_of("\"a\nb\",c\n1,2\n").names, (Names{"a\nb", "c"}));
  refused("a,\xe4\n1,2\n", {}, "t.csv: column 2 has a name that is no UTF-8, '?': save the file as UTF-8");
}

// --- label

TEST(TableLayout, TheLabelIsFoundByItsName) {
  for (const char* name : {"label", "class", "target", "y", "Label", "CLASS", "Target", "Y"}) {
    const TableLayout layout = layout_of("a," + std::string(name) + ",b\n1,2,3\n", {});
    EXPECT_EQ(layout.label, 1u) << name;
    EXPECT_EQ(layout.features, (Columns{0, 2})) << name;
  }
  EXPECT_EQ(layout_of("a,labels,b\n1,2,3\n").label, std::nullopt);
  refused("class,a,y\n1,2,3\n", {},
          "t.csv: column 1 is called 'class' and column 3 'y': say which is the label (see --label-column)");
  refused("class,a,y\n1,2,3\n", {.label = TableLabel::optional}, "say which is the label");
  refused("a,b\n1,2\n", {},
          "t.csv: which column is the label? None is called so, expected one called label, class, target or y, or see "
          "--label-column (no labels? sluice predict needs none): its first line is 'a,b'");
  refused("1,2\n3,4\n", {}, "t.csv: which column is the label? It has no header, expected one called label");
}

TEST(TableLayout, TheLabelIsTheColumnThatIsAskedFor) {
  const auto label = [](const std::string& text, const std::string& column) {
    return layout_of(text, {.label_column = column}).label;
  };
  const std::string named = "a,b,3,label\nx,1,2,3\n", nameless = "1,2,3,4\n5,6,7,9\n5,7,1,1\n";
  EXPECT_EQ(label("a,b,c,label\nx,1,2,3\n", "b"), 1u);
  EXPECT_EQ(layout_of(named, {.header = TableHeader::yes, .label_column = "3"}).label,
            2u);  // a name is more than a number
  EXPECT_EQ(layout_of(named, {.header = TableHeader::yes, .label_column = "2"}).label, 1u);
  EXPECT_EQ(label("5,2,3,4\n5,6,7,9\n", "1"), 0u);
  EXPECT_EQ(label("5,2,3,4\n5,6,7,9\n", "4"), 3u);
  EXPECT_EQ(label("5,2,3,4\n5,6,7,9\n", "-1"), 3u);
  EXPECT_EQ(label("5,2,3,4\n5,6,7,9\n", "-4"), 0u);
  for (const char* none : {"0", "5", "-5", "99999999999"})
    refused("5,2,3,4\n", {.label_column = none},
            "t.csv: has no column " + std::string(none) + ", expected 1 to 4, or -1 for the last (see --label-column)");
  refused("5,2,3,4\n", {.label_column = "kind"},
          "t.csv: has no header and so no column 'kind', expected a position, 1 to 4, or -1 for the last (see "
          "--label-column)");
  refused("5,2\n", {.label_column = "99999999999999999999"}, "has no header and so no column '99999999999999999999'");
  refused("a,b\n1,2\n", {.label_column = "kind"},
          "t.csv: has no column 'kind', expected one of its 2: 'a', 'b' (see --label-column)");
  refused("a,b,c,d,e,f,g\n1,2,3,4,5,6,7\n", {.label_column = "kind"},
          "one of its 7: 'a', 'b', 'c', 'd', 'e' and 2 more");
  refused("a,b,a\n1,2,3\n", {.label_column = "a"},
          "t.csv: columns 1 and 3 are both called 'a', expected one that is: say it by its position");
  EXPECT_EQ(label("a,b,a\n1,2,3\n", "3"), 2u);
}

TEST(TableLayout, ALabelMayBeThereOrNot) {
  EXPECT_EQ(layout_of("a,b\n1,2\n", {.label = TableLabel::optional}).label, std::nullopt);
  EXPECT_EQ(layout_of("a,b\n1,2\n", {.label = TableLabel::optional, .label_column = "kind"}).label, std::nullopt);
  EXPECT_EQ(layout_of("a,kind\n1,2\n", {.label = TableLabel::optional, .label_column = "kind"}).label, 1u);
  refused("a,b\n1,2\n", {.label = TableLabel::optional, .label_column = "9"}, "has no column 9");
}

TEST(TableLayout, WhereNoneIsWantedAColumnThatIsOneIsLeftOut) {
  for (const TableWanted& wanted : {TableWanted{.label = TableLabel::none},
                                    {.label = TableLabel::none, .label_column = "y"},
                                    {.label = TableLabel::none, .label_column = "2"}}) {
    const TableLayout layout = layout_of("a,y,b\n1,2,3\n", wanted);
    EXPECT_EQ(layout.label, std::nullopt);
    EXPECT_EQ(layout.features, (Columns{0, 2}));
  }
  EXPECT_EQ(layout_of("a,y,class\n1,2,3\n", {.label = TableLabel::none}).features, (Columns{0}));
  EXPECT_EQ(layout_of("a,y,class\n1,2,3\n", {.label = TableLabel::none, .label_column = "y"}).features,
            (Columns{0, 2}));
  EXPECT_EQ(layout_of("a,b\n1,2\n", {.label = TableLabel::none, .label_column = "kind"}).features, (Columns{0, 1}));
  EXPECT_EQ(layout_of("1,2\n", {.label = TableLabel::none}).features, (Columns{0, 1}));
}

// --- features

TEST(TableLayout, WhereNothingIsSaidEveryColumnIsAFeature) {
  const TableWanted unsaid{.label = TableLabel::unsaid};
  for (const char* text : {"a,label,y\n1,2,3\n", ",label,\n1,2,3\n", "a,a,y\n1,2,3\n", "1,2,3\n"}) {
    const TableLayout layout = layout_of(text, unsaid);
    EXPECT_EQ(layout.features, (Columns{0, 1, 2})) << text;
    EXPECT_FALSE(layout.label) << text;
  }
  // What may be a header is one where it has a text.
  EXPECT_TRUE(layout_of("a,5,2\n1,2,0\n", unsaid).has_header());
  EXPECT_FALSE(layout_of("0,1,2,3\n5,6,7,8\n", unsaid).has_header());
  refused("sep=,\na,b\n1,2\n", unsaid, "t.csv: begins with a line for spreadsheets alone");
}

TEST(TableLayout, FeaturesAreTheOtherColumns) {
  const TableLayout layout = layout_of("a,b,c,d,label,e\n1,2,3,4,5,6\n", {.ignored = {"b", "-3"}});
  EXPECT_EQ(layout.features, (Columns{0, 2, 5}));
  EXPECT_EQ(layout.feature_names(), (Names{"a", "c", "e"}));
  EXPECT_EQ(layout.runs, (std::vector<TableRun>{{0, 0, 1}, {2, 1, 1}, {5, 2, 1}}));
  EXPECT_EQ(layout_of("label,a,b,c\n1,2,3,4\n").runs, (std::vector<TableRun>{{1, 0, 3}}));
  EXPECT_EQ(layout_of("1,2\n").feature_names(), Names{});
  refused("a,b\n1,2\n", {.label = TableLabel::optional, .ignored = {"c"}},
          "t.csv: has no column 'c', expected one of its 2: 'a', 'b' (see --ignore-columns)");
  refused("a,y\n1,2\n", {.ignored = {"y"}},
          "t.csv: column 2 (y) is the label (see --label-column), and to be ignored (--ignore-columns)");
  refused("y\n1\n", {},
          "t.csv: has 1 column and no feature, expected at least 1: are its cells separated by one of , ; tab and |?");
  refused("a,y\n1,2\n", {.ignored = {"1"}}, "t.csv: has 2 columns and no feature");
}

TEST(TableLayout, FeaturesThatAreGivenArePickedInTheirOrder) {
  const TableWanted wanted{.label = TableLabel::optional, .features = {"c", "a", "d"}};
  const TableLayout layout = layout_of("a,b,c,label,d,a,\n1,2,3,4,5,6,7\n", {.features = {"c", "b", "d"}});
  EXPECT_EQ(layout.features, (Columns{2, 1, 4}));
  EXPECT_EQ(layout.label, 3u);
  EXPECT_EQ(layout.runs, (std::vector<TableRun>{{2, 0, 1}, {1, 1, 1}, {4, 2, 1}}));
  EXPECT_EQ(layout_of("y,a,class\n1,2,3\n", {.features = {"y", "a"}}).label, 2u);  // what is a feature is no label
  refused("a,b\n1,2\n", wanted,
          "t.csv: has no column 'c', 'd', expected all 3 of the model: is it a table of the same kind?");
  refused("1,2\n3,4\n", wanted,
          "t.csv: has no header, expected one that names the columns that were trained on, 'c', 'a', 'd'");
  refused("a,c,d,c\n1,2,3,4\n", wanted, "columns 2 and 4 are both called 'c'");
  refused("a,c,d\n1,2,3\n", {.label_column = "a", .features = wanted.features},
          "t.csv: column 1 (a) is the label, expected one of the features of the model (see --label-column)");
}

TEST(TableLayout, ThereMayHaveToBeSoManyFeatures) {
  EXPECT_EQ(layout_of("1,2,3\n", {.label_column = "1", .feature_count = 2}).features, (Columns{1, 2}));
  refused("1,2,3\n", {.label = TableLabel::none, .feature_count = 2},
          "t.csv: has 3 columns of features, expected 2 as the model has: is one too many, the label or a number of "
          "the row? "
          "(see --label-column, --ignore-columns)");
}

TEST(TableLayout, FeaturesHaveNamesThatDiffer) {
  refused(",a\n0,1\n", {.label = TableLabel::optional},
          "t.csv: column 1 has no name: does it count the rows, as pandas and R write it? Leave it out "
          "(--ignore-columns 1)");
  refused("a,b,\n0,1,\n", {.label = TableLabel::optional},
          "t.csv: column 3 has no name: do all lines end with a separator? Leave it out (--ignore-columns 3)");
  refused("a,b,a\n1,2,3\n", {.label = TableLabel::optional},
          "t.csv: columns 1 and 3 are both called 'a', expected names that differ: leave one out (--ignore-columns 3)");
  EXPECT_EQ(layout_of(",a\n0,1\n", {.label = TableLabel::optional, .ignored = {"1"}}).features, (Columns{1}));
  EXPECT_EQ(layout_of("a,b,a\n1,2,3\n", {.label = TableLabel::optional, .ignored = {"3"}}).features, (Columns{0, 1}));
}

TEST(TableLayout, KnowsTheNamesOfPixels) {
  const auto pixels = [](const std::string& text) { return layout_of(text).pixel_names; };
  EXPECT_TRUE(pixels("label,pixel0,pixel1\n1,2,3\n"));
  EXPECT_TRUE(pixels("Pixel783,pixel001,y\n1,2,3\n"));
  EXPECT_TRUE(pixels("label,1x1,1x2,28x28\n1,2,3,4\n"));
  for (const char* other :
       {"pixel", "pixelx", "pixel1a", "apixel1", "1x", "x1", "1x1x1", "1X1", "11", "px1", "1 x 1", "pixe"})
    EXPECT_FALSE(pixels("label,pixel0," + std::string(other) + "\na,b,c\nd,e,f\n")) << other;
  EXPECT_FALSE(pixels("1,2,3\n"));
}

TEST(TableLayout, NamesAColumnForAnErrorMessage) {
  EXPECT_EQ(layout_of("a,b\n1,2\n").column_name(1), "column 2 (b)");
  EXPECT_EQ(layout_of("a,\"b\nc\"\n1,2\n").column_name(1), "column 2 (b?c)");
  EXPECT_EQ(layout_of("1,2\n").column_name(1), "column 2");
}

// --- what is no table

TEST(TableLayout, SaysWhatIsNoTable) {
  refused("", {}, "t.csv: has no rows, expected at least 1");
  refused("\xef\xbb\xbf\n  \r\n", {}, "t.csv: has no rows");
  refused(
      "\xff\xfe"
      "a",
      {}, "t.csv: is text in UTF-16, expected UTF-8: save it as CSV in UTF-8");
  refused(
      "\xfe\xff"
      "a",
      {}, "is text in UTF-16");
  const auto zip = [](const std::string& member) {
    return "PK\x03\x04" + std::string(22, '\0') + static_cast<char>(member.size()) + std::string(3, '\0') + member +
           "\n";
  };
  refused(zip("[Content_Types].xml"), {},
          "t.csv: is a spreadsheet, expected data to train on or a model: save it as CSV");
  refused(zip("x.npy"), {}, "t.csv: is an .npz file in a pipe, or compressed once more, expected data");
  refused(zip("a.csv"), {}, "t.csv: is a zip archive, expected data to train on or a model: unpack it");
  for (const std::string& array : {std::string("\x93NUMPY\x01\0", 8), std::string("\0\0\x08\x03\0\0\0\1", 8)})
    refused(array + "\n", {},
            "t.csv: is an array, of images or of labels alone, expected a table, which has both: name two files, "
            "--images and --labels");
  refused("<!DOCTYPE html><html>\n", {}, "t.csv: is an HTML page, expected a table: was the download redirected?");
  refused("<HTML>\n", {}, "is an HTML page");
  refused("\xef\xbb\xbfsep=;\na;b\n", {},
          "t.csv: begins with a line for spreadsheets alone, sep=, expected a header or a row: take it out");
  refused(std::string("a,b\n1,\0\n", 8), {}, "t.csv: has a byte 0 at byte 6, expected text: is it a table, in UTF-8?");
  refused("a,b\r1,2\r", {}, "t.csv: its lines end with CR alone, expected LF or CR LF: convert it (tr '\\r' '\\n')");
  EXPECT_EQ(layout_of("a,b\r").columns, 2u);
  refused("\"a,b\n1,2\n", {}, "t.csv: column 1 of its first row opens a quote, '\"a,b?1,2', that is not closed");
  refused("a,\"b\"c\n1,2\n", {}, "t.csv: column 2 of its first row goes on behind its closing quote");
}

TEST(TableLayout, HasItsLimits) {
  std::string wide(most_columns - 1, ',');
  const TableWanted wanted{.header = TableHeader::no, .label = TableLabel::optional};
  EXPECT_EQ(layout_of(wide + "\n", wanted).columns, most_columns);
  refused(wide + ",\n", wanted,
          "t.csv: has 1048577 columns, expected at most 1048576: is it a table with a row in each line?");
  const auto found = [&](const std::string& text) { return find_layout(text, false, {}, "t.csv"); };
  EXPECT_FALSE(found(std::string(most_header_bytes, 'a')));
  expect_error<DataError>([&] { found(std::string(most_header_bytes + 1, 'a')); },
                          {"t.csv: its first row is longer than 16 MiB, expected at most that: is it a table?"});
  EXPECT_FALSE(found("a\n" + std::string(most_row_bytes, 'a')));
  expect_error<DataError>([&] { found("a\n" + std::string(most_row_bytes + 1, 'a')); },
                          {"t.csv: its second row is longer than 64 MiB"});
  expect_error<DataError>([&] { found("\"" + std::string(most_quoted_bytes, 'a') + "\n"); },
                          {"t.csv: column 1 of its first row opens a quote, '\"aaa"});
}

// --- how much it takes

TEST(TableLayout, WaitsForTheFirstRowsAndLooksAtNoMore) {
  const auto found = [](const std::string& text, std::size_t rows) {
    return find_layout(text, false, {.label = TableLabel::optional}, "t.csv", rows).has_value();
  };
  EXPECT_FALSE(found("", 1));
  EXPECT_FALSE(found("a,b", 1));
  EXPECT_TRUE(found("a,b\n", 1));
  EXPECT_FALSE(found("a,b\n1,2", 2));
  EXPECT_TRUE(found("a,b\n1,2\n", 2));
  EXPECT_FALSE(found("a,b\n\n\"1\n2\",", 2));
  std::string text;
  for (int row = 0; row < 100; ++row) {
    EXPECT_FALSE(found(text, 100));
    text += "1,2\n";
  }
  EXPECT_TRUE(found(text, 100));
  // Two rows are enough of long ones.
  const std::string longest = std::string(first_rows_bytes / 2, '1') + ",2\n";
  EXPECT_FALSE(found(longest, 100));
  EXPECT_FALSE(found(longest + "1,2", 100));
  EXPECT_TRUE(found(longest + "1,2\n" + longest, 100));
  EXPECT_TRUE(found(longest + "1,2\n" + std::string(first_rows_bytes, '1'), 100));
  // What comes behind them changes nothing: not this byte 0, and not these cells.
  EXPECT_TRUE(found(std::string("a,b\n1,2\n\0", 9), 2));
  EXPECT_EQ(find_layout("a,b\n1,2\n3;4\n", true, {.label = TableLabel::optional}, "t.csv", 2)->separator, ',');
}

// The more of a file has come the more is known, and never something else.
TEST(TableLayout, EveryBeginningSaysTheSameOrNothing) {
  sluice::test::Random random(4);
  const auto verdict = [](std::string_view text, bool whole) -> std::string {
    try {
      const auto layout = find_layout(text, whole, {.label = TableLabel::optional}, "t.csv", 3);
      if (!layout) return "";
      std::string said = std::string(1, layout->separator) + std::to_string(layout->columns);
      for (const std::string& name : layout->names) said += "," + name;
      return said;
    } catch (const DataError& error) {
      return error.what();
    }
  };
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::size_t i = random.below(40); i > 0; --i)
      text += random.of({'a', '1', ',', ',', ';', '"', '\n', '\n', ' ', '\r', '\0'});
    const std::string whole = verdict(text, true);
    for (std::size_t size = 0; size <= text.size(); ++size) {
      const std::string begun = verdict(std::string_view(text).substr(0, size), false);
      EXPECT_TRUE(begun.empty() || begun == whole) << text << "\nat " << size << ": " << begun << "\n" << whole;
    }
  }
}

// --- the first row

TEST(TableLayout, FindsTheFirstRow) {
  const auto row = [](const std::string& text, bool whole) { return first_row(text, whole, ",", "t.csv"); };
  EXPECT_FALSE(row("", false));
  EXPECT_FALSE(row("\xef\xbb", false));  // half a byte-order mark
  EXPECT_FALSE(row("a,b", false));
  EXPECT_EQ(row("a,b", true)->text, "a,b");
  EXPECT_EQ(row("\xef\xbb\xbf\n\r\na,b\r\nc\n", false)->text, "a,b");
  EXPECT_EQ(row("\xef\xbb\xbf\n\r\na,b\r\nc\n", false)->end, 11u);
  EXPECT_FALSE(row("\"a\n", false));
  EXPECT_EQ(row("\n", true)->text, "");
  EXPECT_EQ(row("\n", true)->end, 1u);
}

TEST(TableLayout, CellsOfARow) {
  EXPECT_EQ(cells_of("", ','), (Names{""}));
  EXPECT_EQ(cells_of(" a ,\"b,c\",", ','), (Names{"a", "b,c", ""}));
}

}  // namespace
}  // namespace sluice::stages
