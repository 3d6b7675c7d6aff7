#include <sluice/stages/table_text.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include <sluice/stages/one_line.hpp>

namespace sluice::stages {
namespace {

// With a sign: so C's and C++'s programs on x86-64 print the NaN of a computation, 0/0 say.
constexpr std::string_view missing_words[] = {"", "NA", "N/A", "NaN", "nan", "-nan", "null", "NULL", "None", "?"};

bool is_blank(char c, char separator) {
  return c == ' ' || (c == '\t' && separator != '\t');
}

// Whether the quote at `quote` is at the beginning of a cell.
bool begins_cell(std::string_view text, std::size_t quote, std::string_view separators) {
  const bool tabs = separators.find('\t') != std::string_view::npos;
  std::size_t at = quote;
  while (at > 0 && is_blank(text[at - 1], tabs ? '\t' : ' ')) --at;
  return at == 0 || text[at - 1] == '\n' || separators.find(text[at - 1]) != std::string_view::npos;
}

// Behind the quote that closes the cell whose text begins at `at`; npos: there is none.
std::size_t behind_closing_quote(std::string_view text, std::size_t at) {
  for (;;) {
    const std::size_t quote = text.find('"', at);
    if (quote == std::string_view::npos) return quote;
    if (quote + 1 == text.size() || text[quote + 1] != '"') return quote + 1;
    at = quote + 2;
  }
}

std::size_t blanks_before(std::string_view text, char separator) {
  std::size_t count = 0;
  while (count < text.size() && is_blank(text[count], separator)) ++count;
  return count;
}

}  // namespace

std::size_t behind_last_line_end(std::string_view text) {
  if (text.empty()) return 0;
  const auto line_end = static_cast<const char*>(::memrchr(text.data(), '\n', text.size()));
  return line_end ? static_cast<std::size_t>(line_end - text.data()) + 1 : 0;
}

bool RowScan::operator()(std::string_view text) {
  while (at < text.size()) {
    if (quoted) {
      const std::size_t behind = behind_closing_quote(text, at);
      if (behind == std::string_view::npos) {
        at = text.size();  // ends with no quote: none is halved there
        return false;
      }
      at = behind;
      quoted = false;
    }
    const std::size_t quote = std::min(text.find('"', at), text.size());
    if (const std::size_t behind = behind_last_line_end(text.substr(at, quote - at))) row_end = at + behind;
    if (quote == text.size()) {
      at = quote;
    } else {
      quoted = begins_cell(text, quote, separators);
      if (quoted) opened = quote;
      at = quote + 1;
    }
  }
  return !quoted && row_end == text.size();
}

std::size_t cell_end(std::string_view row, char separator) {
  std::size_t at = blanks_before(row, separator);
  if (at < row.size() && row[at] == '"') at = std::min(behind_closing_quote(row, at + 1), row.size());
  while (at < row.size() && row[at] != separator && row[at] != '\n') ++at;
  return at;
}

std::string_view without_blanks(std::string_view text, char separator) {
  text.remove_prefix(blanks_before(text, separator));
  while (!text.empty() && is_blank(text.back(), separator)) text.remove_suffix(1);
  return text;
}

Cell cell_in(std::string_view text, char separator) {
  text = without_blanks(text, separator);
  if (text.empty() || text.front() != '"') return {.text = text};
  const std::size_t behind = behind_closing_quote(text, 1);
  if (behind == std::string_view::npos) return {.fault = Cell::open, .quoted = true, .text = text};
  if (behind < text.size()) return {.fault = Cell::behind_quote, .quoted = true, .text = text};
  return {.quoted = true, .text = without_blanks(text.substr(1, text.size() - 2), separator)};
}

std::string said(const Cell& cell) {
  if (cell.fault == Cell::open)
    return fmt::format("opens a quote, '{}', that is not closed within {} MiB or the file: is one missing?",
                       one_line(cell.text), most_quoted_bytes >> 20);
  return fmt::format("goes on behind its closing quote, '{}', expected a separator: quotes within are doubled",
                     one_line(cell.text));
}

std::string content(const Cell& cell) {
  std::string text;
  for (std::size_t i = 0; i < cell.text.size(); ++i) {
    text += cell.text[i];
    if (cell.quoted && cell.text[i] == '"') ++i;
  }
  return text;
}

std::string_view without_line_end(std::string_view row) {
  if (row.ends_with('\n')) row.remove_suffix(1);
  if (row.ends_with('\r')) row.remove_suffix(1);
  return row;
}

bool is_blank_row(std::string_view row, char separator) {
  return without_blanks(without_line_end(row), separator).empty();
}

bool is_missing(std::string_view text) {
  return std::find(std::begin(missing_words), std::end(missing_words), text) != std::end(missing_words);
}

}  // namespace sluice::stages
