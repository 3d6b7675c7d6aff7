#include <sluice/stages/collect_table.hpp>

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/stages/table_example.hpp"

namespace sluice::stages::testing {
namespace {

using Texts = std::vector<std::string>;

TEST(CollectTable, KeepsAllRowsOfAllFiles) {
  for (const bool kept : {false, true})
    for (const std::size_t chunk : {1u, 5u, 1000u})
      for (const std::size_t piece : {1u, 10u, 1000u}) {
        const CollectTable table = read_table(Texts{"y,a,b\n1,2,3\n4,5,6\n", "y,a,b\n7,8,9\n"},
                                              {.chunk = chunk, .piece = piece, .kept = kept});
        EXPECT_EQ(table.size(), 3u);
        EXPECT_EQ(table.type(), Pixel::uint8);
        EXPECT_EQ(values_of(table), (Values{{2, 3}, {5, 6}, {8, 9}}));
        EXPECT_EQ(labels_of(table), (Texts{"1", "4", "7"}));
        EXPECT_FALSE(table.owners().empty());
      }
}

TEST(CollectTable, IfOnePieceIsNoBytesAllBecomeFloats) {
  const std::string bytes = "a,b\n1,2\n3,4\n", floats = "a,b\n5,0.5\n", more = "a,b\n7,8\n";
  for (const std::size_t piece : {1u, 1000u})
    for (const Texts& files : {Texts{bytes, floats, more}, {floats, bytes, more}, {bytes, more, floats}}) {
      const CollectTable table = read_table(files, {.piece = piece});
      EXPECT_EQ(table.type(), Pixel::float32);
      Values expected;
      for (const std::string& file : files) {
        if (file == bytes) expected.insert(expected.end(), {{1, 2}, {3, 4}});
        if (file == floats) expected.push_back({5, 0.5f});
        if (file == more) expected.push_back({7, 8});
      }
      EXPECT_EQ(values_of(table), expected);
    }
}

TEST(CollectTable, WhichTypeItIsDoesNotDependOnThePieces) {
  for (const std::size_t piece : {1u, 1000u}) {
    const CollectTable table = read_table("a,b\n1,2\n3,4\n0.5,?\n", {.missing = Missing::skip, .piece = piece});
    EXPECT_EQ(table.type(), Pixel::float32);
    EXPECT_EQ(values_of(table), (Values{{1, 2}, {3, 4}}));
    EXPECT_FALSE(table.totals.all_bytes);
  }
}

TEST(CollectTable, LabelsAreThoseOfTheClassesOfAnother) {
  const CollectTable train = read_table("a,y\n1,b\n2,a\n3,10\n"), test = read_table("a,y\n1,10\n2,b\n"),
                     other = read_table("a,y\n1,b\n\n2,c\n");
  const TableClasses classes = train.totals.labels.classes(*train.totals.layout);
  EXPECT_EQ(classes.words, (Texts{"10", "a", "b"}));
  EXPECT_EQ(train.labels(classes), (Column<std::uint16_t>{2, 1, 0}));
  EXPECT_EQ(test.labels(classes), (Column<std::uint16_t>{0, 2}));
  expect_error<DataError>([&] { other.labels(classes); },
                          {"t.csv: line 4, column 2 (y): label 'c', expected one of '10', 'a', 'b'"});
  expect_error<DataError>([&] { other.labels({.words = {}, .count = 3}); },
                          {"t.csv: line 2, column 2 (y): label 'b', expected a whole number from 0 to 2"});
}

TEST(CollectTable, MakesADataSet) {
  CollectTable table = read_table(Texts{"a,y,b\n1,2,3\n4,0,6\n", "a,y,b\n7,1,9\n"});
  const TableClasses classes = table.totals.labels.classes(*table.totals.layout);
  const DataSet set = make_data_set(std::move(table), classes);
  EXPECT_EQ(set.size(), 3u);
  EXPECT_EQ(set.rows, 1u);
  EXPECT_EQ(set.columns, 2u);
  EXPECT_EQ(set.classes, 3u);
  EXPECT_EQ(set.stored, ElementType::uint8);
  EXPECT_EQ(set.labels, (Column<std::uint16_t>{2, 0, 1}));
  EXPECT_EQ(set.images[2][1], 9);
  EXPECT_EQ(set.path, "t.csv,u.csv,v.csv");
  CollectTable floats = read_table("a,y\n1.5,x\n2,y\n");
  const TableClasses words = floats.totals.labels.classes(*floats.totals.layout);
  EXPECT_EQ(make_data_set(std::move(floats), words).stored, ElementType::float32);
}

TEST(CollectTable, StartsAgainAfterReset) {
  CollectTable table = read_table("a,y\n1.5,2\n");
  table.reset();
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.type(), Pixel::uint8);
  EXPECT_TRUE(table.owners().empty());
  const ParseTable parse;
  TableRows rows;
  pieces_of({"a,y\n3,4\n"}, {}, [&](const TableText& piece) {
    parse(piece, rows);
    table(rows);
  });
  table.finish();
  EXPECT_EQ(values_of(table), (Values{{3}}));
  EXPECT_EQ(labels_of(table), (Texts{"4"}));
}

}  // namespace
}  // namespace sluice::stages::testing
