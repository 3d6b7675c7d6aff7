// A table read in the most obvious way there is, a character at a time, to compare the stages' way with.
//
//   const ObviousTable t = obvious_table("a,b\n1,2\n", {.separator = ',', .header = true, .columns = 2, .features = {0,
//   1}});
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace sluice::test {

struct ObviousCell {
  std::string text;
  bool quoted = false, wrong = false;  // wrong: a quote is not closed, or something stands behind it
  std::size_t line = 0;                // in which it begins, from 1 on
};
using ObviousRow = std::vector<ObviousCell>;

inline std::string trimmed(std::string text, char separator) {
  const auto blank = [&](char c) { return c == ' ' || (c == '\t' && separator != '\t'); };
  while (!text.empty() && blank(text.back())) text.pop_back();
  while (!text.empty() && blank(text.front())) text.erase(text.begin());
  return text;
}

// All rows that are not blank, with the header.
inline std::vector<ObviousRow> obvious_rows(std::string text, char separator) {
  if (text.compare(0, 3, "\xef\xbb\xbf") == 0) text.erase(0, 3);
  std::vector<ObviousRow> rows;
  std::size_t line = 1;
  for (std::size_t at = 0; at < text.size();) {
    ObviousRow row;
    bool blank = true;
    for (bool ended = false; !ended;) {
      ObviousCell cell;
      cell.line = line;
      enum { before, plain, within, behind } state = before;
      std::string raw;
      for (;; ++at) {
        const bool end = at == text.size();
        const char c = end ? '\n' : text[at];
        if (state == within) {
          if (end) {
            cell.wrong = ended = true;
            break;
          }
          if (c == '\n') ++line;
          if (c != '"') {
            raw += c;
          } else if (at + 1 < text.size() && text[at + 1] == '"') {
            raw += c;
            ++at;
          } else {
            state = behind;
          }
          continue;
        }
        if (c == separator || c == '\n') {
          ended = c == '\n';
          if (ended) {
            ++line;
            if (state == plain && raw.ends_with('\r')) raw.pop_back();
          }
          if (!end) ++at;
          break;
        }
        const bool space = c == ' ' || (c == '\t' && separator != '\t');
        const bool last_cr = c == '\r' && (at + 1 == text.size() || text[at + 1] == '\n');
        if (state == behind) {
          cell.wrong = cell.wrong || !(space || last_cr);
        } else if (state == before && c == '"') {
          state = within;
          cell.quoted = true;
          raw.clear();
        } else {
          if (!space) state = plain;
          raw += c;
        }
      }
      cell.text = trimmed(raw, separator);
      blank = blank && cell.text.empty() && !cell.quoted && ended && row.empty();
      row.push_back(cell);
    }
    if (!blank) rows.push_back(row);
  }
  return rows;
}

inline bool obviously_missing(const std::string& text) {
  for (const char* word : {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"})
    if (text == word) return true;
  return false;
}

// [+-] digits [. digits] [e [+-] digits]
inline bool is_obvious_number(const std::string& text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - from;
  };
  const auto sign = [&] { at += at < text.size() && (text[at] == '+' || text[at] == '-'); };
  sign();
  std::size_t count = digits();
  if (at < text.size() && text[at] == '.') ++at, count += digits();
  if (count == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    sign();
    if (digits() == 0) return false;
  }
  return at == text.size();
}

// By the C library, in its own locale: nothing for what is no finite float32.
inline std::optional<float> obvious_number(const std::string& text) {
  if (!is_obvious_number(text)) return std::nullopt;
  const float value = std::strtof(text.c_str(), nullptr);
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

struct ObviousWish {
  char separator = ',';
  bool header = false;
  std::size_t columns = 0;
  std::vector<std::uint32_t> features{};  // from 0 on
  std::optional<std::uint32_t> label{};
  bool missing_is_wrong = true, missing_is_skipped = false;  // otherwise it is a NaN
};

struct ObviousTable {
  std::vector<std::vector<float>> rows;
  std::vector<std::string> labels;
  std::size_t missing = 0, skipped = 0;
  std::size_t wrong_line = 0;    // from 1 on; 0: nothing is wrong
  std::size_t wrong_column = 0;  // from 1 on; 0: the number of cells is
};

// Whether a label is a word that can be one is left to others.
inline ObviousTable obvious_table(const std::string& text, const ObviousWish& wish) {
  ObviousTable table;
  std::vector<ObviousRow> rows = obvious_rows(text, wish.separator);
  if (wish.header && !rows.empty()) rows.erase(rows.begin());
  for (const ObviousRow& row : rows) {
    const auto wrong = [&](std::size_t line, std::size_t column) {
      table.wrong_line = line, table.wrong_column = column;
      return table;
    };
    for (std::size_t c = 0; c < std::min(row.size(), wish.columns); ++c)
      if (row[c].wrong) return wrong(row[c].line, c + 1);
    if (row.size() != wish.columns) return wrong(row.front().line, 0);
    std::size_t missing = 0;
    bool skipped = false;
    for (std::size_t c = 0; c < wish.columns; ++c) {
      const ObviousCell& cell = row[c];
      if (c == wish.label) {
        const bool none = cell.text.empty() || (!cell.quoted && obviously_missing(cell.text));
        if (none && !wish.missing_is_skipped) return wrong(cell.line, c + 1);
        skipped = skipped || none;
      } else if (std::find(wish.features.begin(), wish.features.end(), c) != wish.features.end()) {
        if (obviously_missing(cell.text)) {
          if (wish.missing_is_wrong) return wrong(cell.line, c + 1);
          ++missing;
        } else if (!obvious_number(cell.text)) {
          return wrong(cell.line, c + 1);
        }
      }
    }
    table.missing += missing;
    if (skipped || (wish.missing_is_skipped && missing > 0)) {
      ++table.skipped;
      continue;
    }
    std::vector<float>& values = table.rows.emplace_back();
    for (const std::uint32_t c : wish.features)
      values.push_back(obvious_number(row[c].text).value_or(std::numeric_limits<float>::quiet_NaN()));
    if (wish.label) table.labels.push_back(row[*wish.label].text);
  }
  return table;
}

}  // namespace sluice::test
