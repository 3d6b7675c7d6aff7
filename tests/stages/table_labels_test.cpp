#include <sluice/stages/table_labels.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <sluice/stages/errors.hpp>
#include "tests/support/files.hpp"

namespace sluice::stages {
namespace {

using sluice::test::expect_error;
using Words = std::vector<std::string>;

TableLayout layout() {
  TableLayout all;
  all.path = "t.csv";
  all.columns = 2;
  all.names = {"a", "kind"};
  all.label = 1;
  return all;
}

TEST(TableLabels, WholeNumbersAreLabels) {
  for (const auto& [text, number] : std::vector<std::pair<std::string, int>>{
           {"0", 0}, {"7", 7}, {"007", 7}, {"65535", 65535}, {"3.0", 3}, {"3.", 3}, {"3.000", 3}, {"0065535.0", 65535}})
    EXPECT_EQ(whole_label(text), number) << text;
  for (const char* text : {"", "65536", "99999999999999999999999", "-1", "+1", "1.5", "1.05", "1e0", ".0", ".", "3.0.0",
                           "3.0x", "x", " 1", "1 ", "0x1"})
    EXPECT_EQ(whole_label(text), std::nullopt) << text;
}

TEST(TableLabels, ClassesGiveALabelItsNumber) {
  const TableClasses ten{.words = {}, .count = 10};
  EXPECT_EQ(ten.number_of("9"), 9);
  EXPECT_EQ(ten.number_of("9.0"), 9);
  EXPECT_EQ(ten.number_of("10"), std::nullopt);
  EXPECT_EQ(ten.number_of("cat"), std::nullopt);
  EXPECT_EQ(ten.expected(), "a whole number from 0 to 9");
  EXPECT_EQ(TableClasses{}.number_of("65535"), 65535);
  EXPECT_EQ(TableClasses{}.expected(), "a whole number from 0 to 65535");
  const TableClasses words{.words = {"10", "9", "cat"}, .count = 3};
  EXPECT_EQ(words.number_of("10"), 0);
  EXPECT_EQ(words.number_of("cat"), 2);
  EXPECT_EQ(words.number_of("Cat"), std::nullopt);
  EXPECT_EQ(words.number_of("9.0"), std::nullopt);
  EXPECT_EQ(words.number_of(""), std::nullopt);
  EXPECT_EQ(words.number_of("z"), std::nullopt);
  EXPECT_EQ(words.expected(), "one of '10', '9', 'cat'");
  EXPECT_EQ((TableClasses{.words = {"a", "b", "c", "d", "e\n", "f"}, .count = 6}.expected()),
            "one of 'a', 'b', 'c', 'd', 'e?', ... (6 in all)");
}

TEST(TableLabels, ACodeIsTheNumberOrATextsPlace) {
  LabelTexts texts;
  EXPECT_EQ(label_code("7", texts), 7u);
  EXPECT_EQ(label_code("0", texts), 0u);
  EXPECT_EQ(texts.size(), 0u);
  EXPECT_EQ(label_code("cat", texts), most_classes);
  EXPECT_EQ(label_code("07", texts), most_classes + 1);
  EXPECT_EQ(label_code("7.0", texts), most_classes + 2);
  EXPECT_EQ(label_code("00", texts), most_classes + 3);
  EXPECT_EQ(label_code("65536", texts), most_classes + 4);
  EXPECT_EQ(label_code("07", texts), most_classes + 1);
  EXPECT_EQ(label_code("cat", texts), most_classes);
  EXPECT_EQ(texts[1], "07");
  texts.clear();
  EXPECT_EQ(texts.number_of("b"), 0u);
  EXPECT_EQ(texts.number_of("a"), 1u);
  EXPECT_EQ(texts.number_of("c"), 2u);
  EXPECT_EQ(texts.number_of("a"), 1u);
}

TEST(TableLabels, IfAllAreNumbersTheyAreTheClasses) {
  LabelsSeen seen;
  seen.add_number(3, {0, 2});
  EXPECT_EQ(seen.add_text("7.0", {0, 3}), most_classes);
  seen.add_number(0, {0, 4});
  const TableClasses classes = seen.classes(layout());
  EXPECT_EQ(classes, (TableClasses{.words = {}, .count = 8}));
  const ClassOfCode class_of = seen.class_of_code(classes, InputFiles("t.csv"), layout());
  EXPECT_EQ(class_of(3), 3);
  EXPECT_EQ(class_of(0), 0);
  EXPECT_EQ(class_of(most_classes), 7);
  LabelsSeen zeros;
  zeros.add_number(0, {0, 2});
  EXPECT_EQ(zeros.classes(layout()).count, 2u);
}

TEST(TableLabels, IfOneIsNoNumberAllAreWords) {
  LabelsSeen seen;
  seen.add_number(10, {0, 2});
  seen.add_number(9, {0, 3});
  const std::uint32_t cat = seen.add_text("cat", {0, 4}), written = seen.add_text("9.0", {0, 5});
  EXPECT_EQ(seen.add_text("cat", {1, 9}), cat);
  const TableClasses classes = seen.classes(layout());
  EXPECT_EQ(classes.words, (Words{"10", "9", "9.0", "cat"}));
  EXPECT_EQ(classes.count, 4u);
  const ClassOfCode class_of = seen.class_of_code(classes, InputFiles("t.csv"), layout());
  EXPECT_EQ(class_of(10), 0);
  EXPECT_EQ(class_of(9), 1);
  EXPECT_EQ(class_of(written), 2);
  EXPECT_EQ(class_of(cat), 3);
}

TEST(TableLabels, WordsComeInTheOrderOfTheirBytes) {
  LabelsSeen seen;
  for (const char* word : {"b", "\xc3\xa4", "a", "B", "-1", "1"}) seen.add_text(word, {0, 2});
  EXPECT_EQ(seen.classes(layout()).words, (Words{"-1", "1", "B", "a", "b", "\xc3\xa4"}));
}

TEST(TableLabels, ALabelOfAnotherTableThatIsNoClassHereIsAnErrorWithItsPlace) {
  LabelsSeen seen;
  seen.add_number(3, {1, 7});
  seen.add_text("dog", {0, 9});
  seen.add_text("cat", {0, 5});
  const InputFiles files(Words{"t.csv", "u.csv"});
  const auto refused = [&](const TableClasses& classes, std::string_view text) {
    expect_error<DataError>([&] { seen.class_of_code(classes, files, layout()); }, {text});
  };
  refused({.words = {"dog", "eel"}, .count = 2},
          "t.csv: line 5, column 2 (kind): label 'cat', expected one of 'dog', 'eel'");
  refused({.words = {"cat", "dog"}, .count = 2},
          "u.csv: line 7, column 2 (kind): label '3', expected one of 'cat', 'dog'");
  refused({.words = {}, .count = 3},
          "t.csv: line 5, column 2 (kind): label 'cat', expected a whole number from 0 to 2");
}

TEST(TableLabels, TooManyAndTooFewAreErrors) {
  LabelsSeen one;
  one.add_text("cat", {0, 2});
  expect_error<DataError>([&] { one.classes(layout()); },
                          {"t.csv: every label in column 2 (kind) is 'cat', expected at least 2 classes"});
  LabelsSeen many;
  for (std::size_t i = 0; i < most_classes; ++i) many.add_text("x" + std::to_string(i), {0, i + 2});
  many.check_count(layout());
  EXPECT_EQ(many.classes(layout()).count, most_classes);
  LabelsSeen mixed = many;
  mixed.add_number(0, {0, 1});
  const char* const text =
      "t.csv: has more than 65536 different labels in column 2 (kind), expected classes: is it the right "
      "one (see --label-column)?";
  expect_error<DataError>([&] { mixed.classes(layout()); }, {text});
  many.add_text("y", {0, 70'000});
  expect_error<DataError>([&] { many.check_count(layout()); }, {text});
}

}  // namespace
}  // namespace sluice::stages
