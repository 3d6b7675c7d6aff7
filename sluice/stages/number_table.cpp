#include <sluice/stages/number_table.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <utility>

#include <sluice/stages/errors.hpp>

namespace sluice::stages {

void TableTotals::add(const TableRows& in) {
  while (first_rows.size() <= in.file) begin_file();
  if (in.layout) layout = in.layout;
  line_ += in.lines_before;
  if (in.problem) {
    const std::uint64_t line = line_ + in.problem->line + 1;
    throw DataError(fmt::format("{}: line {}{}{}", files.names().at(in.file), line, in.problem->text,
                                line == 1 && !layout->has_header() ? ": or is the line a header (--header yes)?" : ""));
  }
  if (!in.error.empty()) throw DataError(in.error);
  if (!in.label_lines.empty()) add_labels(in);
  add_words(in);
  line_ += in.lines;
  rows += in.count;
  skipped += in.skipped;
  missing_labels += in.missing_labels;
  missing.resize(std::max(missing.size(), in.missing.size()));
  std::transform(in.missing.begin(), in.missing.end(), missing.begin(), missing.begin(), std::plus<>());
  all_bytes = all_bytes && in.type == Pixel::uint8;
  longest_row = std::max(longest_row, in.longest_row);
  longest_text = std::max(longest_text, in.text_bytes);
}

void TableTotals::begin_file() {
  if (!first_rows.empty()) check_file();
  first_rows.push_back(rows);
  rows_before_ = rows + skipped;
  line_ = 0;
}

// The one that is through.
void TableTotals::check_file() const {
  if (rows + skipped > rows_before_) return;
  throw DataError(fmt::format("{}: has {}no rows, expected at least 1", files.names().at(first_rows.size() - 1),
                              layout && layout->has_header() ? "a header and " : ""));
}

void TableTotals::finish() const {
  if (!first_rows.empty()) check_file();
  if (rows == 0 && skipped > 0)
    throw DataError(fmt::format("{}: in each of its {} rows something is missing, and none is left (see --missing)",
                                files.name(), skipped));
}

void TableTotals::add_labels(const TableRows& in) {
  codes_.assign(in.texts.size(), 0);
  for (std::size_t row = 0; row < in.count; ++row) {
    const LabelsSeen::Place place{in.file, line_ + in.label_lines[row] + 1};
    const std::uint32_t code = in.labels[row];
    if (code < most_classes)
      labels.add_number(code, place);
    else if (std::uint32_t& its = codes_[code - most_classes]; its == 0)
      its = labels.add_text(in.texts[code - most_classes], place);
  }
  labels.check_count(*layout);
}

void TableTotals::add_words(const TableRows& in) {
  words.resize(std::max(words.size(), in.words.size()));
  for (std::size_t i = 0; i < in.words.size(); ++i) {
    const TableWords& its = in.words[i];
    if (its.count > 0 && words[i].count == 0) words[i].line = line_ + its.line + 1, words[i].first = its.first;
    words[i].count += its.count;
  }
}

std::uint64_t TableTotals::all_missing() const {
  return std::accumulate(missing.begin(), missing.end(), std::uint64_t{0});
}

void NumberTable::push(const TableRows& rows) {
  if (rows.layout && rows.layout->label && !classes)
    throw std::invalid_argument("rows with labels, expected their classes to be known");
  rows_ = &rows;
}

bool NumberTable::pull(LabelledElements& out) {
  if (!rows_) return false;
  const TableRows& in = *std::exchange(rows_, nullptr);
  const std::uint64_t first = totals.rows;
  totals.add(in);
  if (in.count == 0) return false;
  out.images = {.shape = {.columns = in.layout->features.size(),
                          .type = in.type == Pixel::uint8 ? ElementType::uint8 : ElementType::float32,
                          .flat = true},
                .first = first,
                .in_file = first - totals.first_rows.back(),
                .count = in.count,
                .data = in.data,
                .type = in.type,
                .owner = in.owner};
  give_labels(in, out);
  return true;
}

void NumberTable::give_labels(const TableRows& in, LabelledElements& out) {
  Elements& labels = out.labels;
  if (in.labels.empty()) {
    labels = {};
    return;
  }
  const bool bytes = classes->count > 0 && classes->count <= 256;
  labels.shape = {.type = bytes ? ElementType::uint8 : ElementType::float32};
  labels.first = out.images.first;
  labels.in_file = out.images.in_file;
  labels.count = in.count;
  labels.type = bytes ? Pixel::uint8 : Pixel::float32;
  std::uint8_t* const data = labels_.take(labels.owner).reserve(in.count * labels.item_bytes());
  labels.data = data;
  if (bytes)
    std::transform(in.labels.begin(), in.labels.end(), data,
                   [](auto label) { return static_cast<std::uint8_t>(label); });
  else
    std::copy(in.labels.begin(), in.labels.end(), reinterpret_cast<float*>(data));
}

}  // namespace sluice::stages
