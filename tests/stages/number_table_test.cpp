#include <sluice/stages/number_table.hpp>

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <sluice/stages/label.hpp>
#include "tests/stages/table_example.hpp"

namespace sluice::stages::testing {
namespace {

using Texts = std::vector<std::string>;

// What a sink of rows has seen of the files when they are over.
template <class Sink>
void count(const Texts& files, const ReadTable& how, const ParseTable& parse, Sink& sink) {
  sink.totals.files = InputFiles(how.names);
  TableRows rows;
  pieces_of(files, how, [&](const TableText& text) {
    parse(text, rows);
    sink(rows);
  });
  sink.finish();
}
CountTable counted(const Texts& files, const ReadTable& how = {}) {
  CountTable table;
  count(files, how, {.missing = how.missing}, table);
  return table;
}

// --- counting

TEST(CountTable, CountsWithoutKeepingRows) {
  const Texts files{"a,b,y\n1,,cat\n300,4,dog\n", "a,b,y\n5,?,cat\n"};
  for (const std::size_t piece : {1u, 1000u}) {
    const TableTotals totals = counted(files, {.missing = Missing::zero, .piece = piece}).totals;
    EXPECT_EQ(totals.rows, 3u);
    EXPECT_EQ(totals.missing, (std::vector<std::uint64_t>{0, 2}));
    EXPECT_EQ(totals.all_missing(), 2u);
    EXPECT_FALSE(totals.all_bytes);
    EXPECT_EQ(totals.first_rows, (std::vector<std::uint64_t>{0, 2}));
    EXPECT_EQ(totals.labels.classes(*totals.layout).words, (Texts{"cat", "dog"}));
    EXPECT_EQ(totals.longest_row, 10u);
    EXPECT_EQ(totals.longest_text, piece == 1 ? 10u : 17u);
  }
  EXPECT_TRUE(counted({"a,b\n1,2\n"}).totals.all_bytes);
  EXPECT_EQ(counted({"a,b\n1,2\n"}).totals.all_missing(), 0u);
  EXPECT_EQ(counted({"a,y\n1,7\n"}).totals.labels.classes(TableLayout{}).count, 8u);
}

TEST(CountTable, WordsAreCountedWhereSomebodyWantsToKnow) {
  const std::string text = "a,b,c\n1,\"x\ny\",NA\n2.5,z,3\n1e99,?,4\n7,\"w \"\"v\"\"\",5\n";
  for (const std::size_t piece : {1u, 20u, 1000u}) {
    const ReadTable how{.wanted = {.label = TableLabel::unsaid}, .piece = piece};
    CountTable table;
    count({text}, how, {.missing = Missing::zero, .words = true}, table);
    const TableTotals& totals = table.totals;
    EXPECT_EQ(totals.rows, 4u);
    EXPECT_EQ(totals.missing, (std::vector<std::uint64_t>{0, 1, 1}));
    ASSERT_EQ(totals.words.size(), 3u);
    EXPECT_EQ(totals.words[0].count, 1u);
    EXPECT_EQ(totals.words[0].line, 5u);
    EXPECT_EQ(totals.words[0].first, "1e99");
    EXPECT_EQ(totals.words[1].count, 3u);
    EXPECT_EQ(totals.words[1].line, 2u);
    EXPECT_EQ(totals.words[1].first, "x?y");
    EXPECT_EQ(totals.words[2].count, 0u);
  }
}

TEST(CountTable, AFileWithoutRowsIsAnError) {
  EXPECT_EQ(table_error("a,b\n"), "t.csv: has a header and no rows, expected at least 1");
  EXPECT_EQ(table_error({"a,b\n1,2\n", "a,b\n", "a,b\n3,4\n"}), "u.csv: has a header and no rows, expected at least 1");
  EXPECT_EQ(table_error(Texts{"1,2\n", "\n\n"}), "u.csv: has no rows, expected at least 1");
  EXPECT_EQ(table_error(""), "t.csv: has no rows, expected at least 1");
  EXPECT_EQ(table_error("a,b\n?,1\n2,?\n", {.missing = Missing::skip}),
            "t.csv,u.csv,v.csv: in each of its 2 rows something is missing, and none is left (see --missing)");
}

TEST(CountTable, TheFirstErrorOfTheFilesIsTheOneThatIsSaid) {
  // The header of the second file is wrong, too, and is seen first by whoever cuts.
  EXPECT_TRUE(contains(table_error(Texts{"a,b\n1,x\n", "a,c\n1,2\n"}), "t.csv: line 2, column 2 (b): 'x'"));
  EXPECT_TRUE(contains(table_error(Texts{"a,b\n1,2\n", "a,c\n1,2\n"}), "u.csv: column 2 of its header is 'c'"));
  EXPECT_TRUE(contains(table_error(Texts{"a,b\n1,2\n", "a,b\n1,2\n3\n"}), "u.csv: line 3: 1 cell"));
}

TEST(CountTable, TooManyLabelsAreAnErrorBeforeAllAreSeen) {
  std::string text = "id,a\n";
  for (int row = 0; row < 70'000; ++row) text += "x" + std::to_string(row) + ",1\n";
  EXPECT_TRUE(contains(table_error(text + "bad", {.wanted = {.label_column = "id"}}),
                       "t.csv: has more than 65536 different labels in column 1 (id), expected classes"));
}

TEST(CountTable, StartsAgainAfterReset) {
  CountTable table = counted({"a,y\n1,0\n2,?\n"}, {.missing = Missing::skip});
  EXPECT_EQ(table.totals.skipped, 1u);
  table.reset();
  EXPECT_EQ(table.totals.rows + table.totals.skipped + table.totals.missing_labels, 0u);
  EXPECT_EQ(table.totals.files.name(), "t.csv,u.csv,v.csv");
  count({"a,y\n1,3\n"}, {}, {}, table);
  EXPECT_EQ(table.totals.rows, 1u);
}

// --- numbering

struct Numbered {
  std::vector<std::uint64_t> firsts, in_file;
  Values rows;
  std::vector<int> labels;
  Pixel label_type = Pixel::uint8;
};

Numbered numbered(const Texts& files, const ReadTable& how, ParseTable parse, const TableClasses* classes) {
  Numbered all;
  if (classes) parse.classes = std::make_shared<const TableClasses>(*classes);
  NumberTable number{.totals = {.files = InputFiles(how.names)}, .classes = parse.classes};
  TableRows rows;
  LabelledElements out;
  pieces_of(files, how, [&](const TableText& text) {
    parse(text, rows);
    number.push(rows);
    while (number.pull(out)) {
      const Elements &images = out.images, &labels = out.labels;
      EXPECT_EQ(images.first, all.rows.size());
      EXPECT_GT(images.count, 0u);
      EXPECT_TRUE(images.owner);
      EXPECT_EQ(images.shape.rows, 1u);
      EXPECT_EQ(images.shape.type, images.type == Pixel::uint8 ? ElementType::uint8 : ElementType::float32);
      EXPECT_EQ(labels.count, classes ? images.count : 0);
      all.firsts.push_back(images.first);
      all.in_file.push_back(images.in_file);
      for (std::size_t i = 0; i < images.count; ++i) {
        const std::uint8_t* const at = images.data + i * images.item_bytes();
        auto& values = all.rows.emplace_back();
        for (std::size_t c = 0; c < images.shape.columns; ++c)
          values.push_back(images.type == Pixel::uint8 ? static_cast<float>(at[c])
                                                       : reinterpret_cast<const float*>(at)[c]);
        if (labels.count == 0) continue;
        EXPECT_EQ(labels.first, images.first);
        EXPECT_EQ(labels.in_file, images.in_file);
        all.label_type = labels.type;
        all.labels.push_back(label_of(labels.type, labels.data + i * labels.item_bytes()));
      }
    }
  });
  number.finish();
  return all;
}

TEST(NumberTable, GivesRunsOfRowsWithTheirPlacesAndClasses) {
  const TableClasses words{.words = {"cat", "dog"}, .count = 2};
  const Texts files{"a,b,y\n1,2,cat\n3,4,dog\n5,?,cat\n", "a,b,y\n?,?,dog\n7,8,dog\n"};
  const Numbered one = numbered(files, {.piece = 1}, {.missing = Missing::skip}, &words);
  EXPECT_EQ(one.firsts, (std::vector<std::uint64_t>{0, 1, 2}));
  EXPECT_EQ(one.in_file, (std::vector<std::uint64_t>{0, 1, 0}));
  EXPECT_EQ(one.rows, (Values{{1, 2}, {3, 4}, {7, 8}}));
  EXPECT_EQ(one.labels, (std::vector<int>{0, 1, 1}));
  EXPECT_EQ(one.label_type, Pixel::uint8);
  const Numbered many = numbered(files, {}, {.missing = Missing::skip, .type = Pixel::float32}, &words);
  EXPECT_EQ(many.firsts, (std::vector<std::uint64_t>{0, 2}));
  EXPECT_EQ(many.rows, one.rows);
  EXPECT_EQ(many.labels, one.labels);
}

TEST(NumberTable, ManyClassesAreFloats) {
  const TableClasses numbers{.words = {}, .count = 0};
  const Numbered all = numbered({"a,y\n1,65535\n2,0\n"}, {}, {}, &numbers);
  EXPECT_EQ(all.labels, (std::vector<int>{65535, 0}));
  EXPECT_EQ(all.label_type, Pixel::float32);
  const TableClasses few{.words = {}, .count = 256};
  EXPECT_EQ(numbered({"a,y\n1,255\n"}, {}, {}, &few).label_type, Pixel::uint8);
  const TableClasses more{.words = {}, .count = 257};
  EXPECT_EQ(numbered({"a,y\n1,255\n"}, {}, {}, &more).label_type, Pixel::float32);
}

TEST(NumberTable, RowsMayHaveNoLabels) {
  EXPECT_EQ(numbered({"a,b\n1,2\n3,4.5\n"}, {}, {}, nullptr).rows, (Values{{1, 2}, {3, 4.5f}}));
  NumberTable number;
  TableRows rows;
  rows.layout.renew().label = 0;
  EXPECT_THROW(number.push(rows), std::invalid_argument);
}

TEST(NumberTable, ThrowsTheFirstErrorInOrder) {
  const TableClasses words{.words = {"cat", "dog"}, .count = 2};
  expect_error<DataError>([&] { numbered({"a,y\n1,cat\n\n2,eel\n"}, {.piece = 1}, {}, &words); },
                          {"t.csv: line 4, column 2 (y): label 'eel', expected one of 'cat', 'dog'"});
  expect_error<DataError>(
      [&] {
        numbered({"a,y\n1,cat\n", "a,z\n"}, {}, {}, &words);
      },
      {"u.csv: column 2 of its header is 'z'"});
  expect_error<DataError>([&] { numbered({"a,y\n"}, {}, {}, &words); }, {"t.csv: has a header and no rows"});
}

TEST(NumberTable, LabelsUseTheirMemoryAgain) {
  std::string text = "a,y\n";
  for (int row = 0; row < 100; ++row) text += "1,0\n";
  NumberTable number{.classes = std::make_shared<const TableClasses>(TableClasses{.words = {}, .count = 2})};
  const ParseTable parse{.classes = number.classes};
  std::set<const Bytes*> labels, images;
  TableRows rows;
  LabelledElements out;
  pieces_of({text}, {.piece = 1}, [&](const TableText& piece) {
    parse(piece, rows);
    number.push(rows);
    while (number.pull(out)) labels.insert(out.labels.owner.get()), images.insert(out.images.owner.get());
  });
  EXPECT_LE(labels.size(), 2u);
  EXPECT_LE(images.size(), 3u);
}

TEST(NumberTable, StartsAgainAfterReset) {
  NumberTable number;
  const ParseTable parse;
  for (int run = 0; run < 2; ++run) {
    std::size_t rows = 0;
    TableRows parsed;
    LabelledElements out;
    pieces_of({"a\n1\n2\n"}, {.piece = 1}, [&](const TableText& piece) {
      parse(piece, parsed);
      number.push(parsed);
      while (number.pull(out)) EXPECT_EQ(out.images.first, rows++);
    });
    EXPECT_EQ(rows, 2u);
    number.reset();
  }
}

}  // namespace
}  // namespace sluice::stages::testing
