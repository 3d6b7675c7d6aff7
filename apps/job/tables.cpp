#include "apps/job/tables.hpp"

#include <fmt/core.h>

#include <algorithm>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/one_line.hpp>
#include "apps/job/usage_error.hpp"

namespace sluice::apps {

using namespace stages;

namespace {

const char* separator_in_words(char separator) {
  switch (separator) {
    case ',':
      return "commas";
    case '\t':
      return "tabs";
    case ';':
      return "semicolons";
    default:
      return "'|'";
  }
}

std::string count(std::uint64_t number, const std::string& what) {
  return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

const char* remedy_in_words(Missing missing) {
  switch (missing) {
    case Missing::zero:
      return "taken for 0";
    case Missing::mean:
      return "taken for the mean of the column in the training set";
    default:
      return "left out";
  }
}

// ", 3 words: 'bag', 'boot', 'coat'"; of numbers among which one is none, too.
std::string words_in_words(const std::vector<std::string>& words, std::uint64_t rows) {
  constexpr std::size_t shown = 4;
  std::string text = fmt::format(", {}: ", count(words.size(), "word"));
  for (std::size_t i = 0; i < std::min(shown, words.size()); ++i)
    text += fmt::format("{}'{}'", i ? ", " : "", one_line(words[i], 30));
  if (words.size() > shown) text += fmt::format(", ... '{}'", one_line(words.back(), 30));
  if (rows > 10 && words.size() > rows / 2)
    text += ", a class for nearly every row: is that the column of the classes?";
  return text;
}

}  // namespace

TableClasses classes_of(const TableTotals& totals, std::size_t wanted) {
  TableClasses classes = totals.labels.classes(*totals.layout);
  if (wanted == 0) return classes;
  if (!classes.words.empty() && classes.words.size() != wanted)
    throw UsageError(
        fmt::format("--classes {}: the labels of {} are {} words", wanted, totals.files.name(), classes.words.size()));
  classes.count = wanted;
  return classes;
}

void check_same_features(const TableTotals& train, const TableTotals& test) {
  const std::vector<std::string> names = train.layout->feature_names(), others = test.layout->feature_names();
  if (names.empty() || others.empty()) return;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] != others[i])
      throw DataError(fmt::format("{}: feature {} is '{}', expected '{}' as in {}: do the two belong together?",
                                  test.files.name(), i + 1, one_line(others[i]), one_line(names[i]),
                                  train.files.name()));
}

DataShape shape_of(const TableTotals& totals, Pixel type) {
  DataShape shape;
  shape.rows = 1, shape.columns = totals.layout->features.size(), shape.flat = true;
  shape.stored = type == Pixel::uint8 ? ElementType::uint8 : ElementType::float32;
  shape.path = totals.files.name();
  shape.divisor = counts_as_bytes(*totals.layout, type) ? byte_divisor : 1;
  return shape;
}

TableFacts facts_of(const TableTotals& totals, const TableClasses& classes, Pixel type) {
  return {.words = classes.words,
          .features = totals.layout->feature_names(),
          .bytes = counts_as_bytes(*totals.layout, type),
          .notes = {}};
}

std::string describe(const TableTotals& totals, const TableClasses& classes, Missing missing) {
  const TableLayout& layout = *totals.layout;
  std::string text = fmt::format("{}: {} separated by {}, {} header", totals.files.name(), count(totals.rows, "row"),
                                 separator_in_words(layout.separator), layout.has_header() ? "with a" : "no");
  if (layout.label) text += fmt::format("; the label is {}", layout.column_name(*layout.label));
  if (layout.label && !classes.words.empty()) text += words_in_words(classes.words, totals.rows);
  text += fmt::format("; {}", count(layout.features.size(), "feature"));
  if (layout.pixel_names) text += totals.all_bytes ? ", pixels of bytes" : ", pixels";
  if (const std::uint64_t cells = totals.all_missing())
    text +=
        fmt::format("; {} missing, {}", count(cells, "cell"),
                    missing == Missing::skip ? count(totals.skipped, "row") + " left out" : remedy_in_words(missing));
  else if (totals.skipped)
    text += fmt::format("; {} left out", count(totals.skipped, "row"));
  return text;
}

}  // namespace sluice::apps
