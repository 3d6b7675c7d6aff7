#include <sluice/stages/table_labels.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <tuple>

#include <sluice/stages/dataset.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/one_line.hpp>

namespace sluice::stages {
namespace {

[[noreturn]] void refuse_many(const TableLayout& layout) {
  throw DataError(
      fmt::format("{}: has more than {} different labels in {}, expected classes: is it the right one "
                  "(see --label-column)?",
                  layout.path, most_classes, layout.column_name(*layout.label)));
}

}  // namespace

std::optional<std::uint16_t> whole_label(std::string_view text) {
  std::size_t number = 0, at = 0;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
    number = std::min(10 * number + static_cast<std::size_t>(text[at] - '0'), most_classes);
  if (at == 0 || number >= most_classes) return std::nullopt;
  if (at < text.size() && text[at] == '.') at = text.find_first_not_of('0', at + 1);
  if (at < text.size()) return std::nullopt;
  return static_cast<std::uint16_t>(number);
}

std::optional<std::uint16_t> TableClasses::number_of(std::string_view text) const {
  if (words.empty()) {
    const auto number = whole_label(text);
    return number && (count == 0 || *number < count) ? number : std::nullopt;
  }
  const auto found = std::lower_bound(words.begin(), words.end(), text);
  if (found == words.end() || *found != text) return std::nullopt;
  return static_cast<std::uint16_t>(found - words.begin());
}

std::string TableClasses::expected() const {
  if (words.empty()) return fmt::format("a whole number from 0 to {}", (count ? count : most_classes) - 1);
  constexpr std::size_t shown = 5;
  std::string text = "one of ";
  for (std::size_t i = 0; i < std::min(shown, words.size()); ++i)
    text += fmt::format("{}'{}'", i ? ", " : "", one_line(words[i], 30));
  return text + (words.size() > shown ? fmt::format(", ... ({} in all)", words.size()) : "");
}

std::uint32_t LabelTexts::number_of(std::string_view text) {
  const auto at = std::lower_bound(sorted_.begin(), sorted_.end(), text,
                                   [&](std::uint32_t number, std::string_view t) { return texts_[number] < t; });
  if (at != sorted_.end() && texts_[*at] == text) return *at;
  const auto number = static_cast<std::uint32_t>(texts_.size());
  sorted_.insert(at, number);
  texts_.emplace_back(text);
  return number;
}

std::uint32_t label_code(std::string_view text, LabelTexts& texts) {
  const auto number = whole_label(text);
  const bool usual = number && (text.size() == 1 || text.front() != '0') && text.find('.') == std::string_view::npos;
  return usual ? *number : static_cast<std::uint32_t>(most_classes) + texts.number_of(text);
}

void LabelsSeen::add_number(std::uint32_t number, Place place) {
  if (number >= numbers_.size()) numbers_.resize(number + 1);
  if (numbers_[number].line == 0) numbers_[number] = place;
}

std::uint32_t LabelsSeen::add_text(std::string_view text, Place place) {
  const std::uint32_t number = texts_.number_of(text);
  if (number == places_.size()) places_.push_back(place);
  return static_cast<std::uint32_t>(most_classes) + number;
}

void LabelsSeen::check_count(const TableLayout& layout) const {
  if (texts_.size() > most_classes) refuse_many(layout);
}

TableClasses LabelsSeen::classes(const TableLayout& layout) const {
  TableClasses found;
  bool all_numbers = true;
  std::size_t highest = numbers_.empty() ? 0 : numbers_.size() - 1;
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    const auto number = whole_label(texts_[i]);
    all_numbers = all_numbers && number;
    if (number) highest = std::max<std::size_t>(highest, *number);
  }
  if (all_numbers) {
    found.count = counted_classes(static_cast<std::uint16_t>(highest));
    return found;
  }
  for (std::size_t i = 0; i < texts_.size(); ++i) found.words.push_back(texts_[i]);
  for (std::size_t i = 0; i < numbers_.size(); ++i)
    if (numbers_[i].line > 0) found.words.push_back(std::to_string(i));
  if (found.words.size() > most_classes) refuse_many(layout);
  if (found.words.size() == 1)
    throw DataError(fmt::format("{}: every label in {} is '{}', expected at least 2 classes", layout.path,
                                layout.column_name(*layout.label), one_line(found.words.front())));
  std::sort(found.words.begin(), found.words.end());
  found.count = found.words.size();
  return found;
}

ClassOfCode LabelsSeen::class_of_code(const TableClasses& classes, const InputFiles& files,
                                      const TableLayout& layout) const {
  ClassOfCode all;
  std::string wrong;  // the first
  Place where;
  const auto class_of = [&](const std::string& text, Place place) -> std::uint16_t {
    if (const auto number = classes.number_of(text)) return *number;
    if (wrong.empty() || std::tie(place.file, place.line) < std::tie(where.file, where.line))
      wrong = text, where = place;
    return 0;
  };
  for (std::size_t i = 0; i < numbers_.size(); ++i)
    all.numbers.push_back(numbers_[i].line > 0 ? class_of(std::to_string(i), numbers_[i]) : std::uint16_t{0});
  for (std::size_t i = 0; i < texts_.size(); ++i) all.texts.push_back(class_of(texts_[i], places_[i]));
  if (!wrong.empty())
    throw DataError(
        fmt::format("{}: line {}{}", files.names().at(where.file), where.line, unknown_label(wrong, classes, layout)));
  return all;
}

std::string unknown_label(std::string_view text, const TableClasses& classes, const TableLayout& layout) {
  return fmt::format(", {}: label '{}', expected {}", layout.column_name(*layout.label), one_line(text),
                     classes.expected());
}

}  // namespace sluice::stages
