// The text of a table: where its rows and their cells end, and what is in a cell. One row a line, cells with separators
// between; a cell in quotes may have separators, line ends and quotes, doubled, within.
//
// Text -> places in it. A line ends with LF or CR LF. Blanks (spaces; tabs, where they separate nothing) around a cell
// and around its quotes mean nothing. A quote elsewhere than at the beginning of a cell is a character as any other.
// Order and thread-safety: pure functions; RowScan is a plain value. Errors: none; what is wrong with a cell is said.
//
//   cell_in(" \"a, b\" ", ',').text   // a, b
//
// Format: RFC 4180, 2, and what people have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::stages {

// What separates cells, where nobody says it: the first that fits is taken. The comma comes last because it is what
// numbers and texts are the likeliest to have within.
inline constexpr std::string_view table_separators = "\t;|,";

inline constexpr std::size_t most_columns = std::size_t{1} << 20;
inline constexpr std::size_t most_row_bytes = std::size_t{64} << 20;    // of text
inline constexpr std::size_t most_quoted_bytes = std::size_t{1} << 20;  // of one cell

// Behind its last line end; 0: it has none.
std::size_t behind_last_line_end(std::string_view text);

// Where rows end, in a text that begins with a row and grows.
struct RowScan {
  std::string_view separators;  // any of them

  std::size_t at = 0;   // how far it has come
  bool quoted = false;  // in a cell whose quote, at `opened`, is still open
  std::size_t opened = 0;
  std::size_t row_end = 0;  // behind the line end of the last whole row; 0: there is none

  // Goes on to the end of `text`: what it was given before and more, with a line end last, or the end of the file.
  // Whether it ends with a row.
  bool operator()(std::string_view text);
};

// From the beginning of a cell on: where its text ends, at the separator, the line end or the end of `row`.
std::size_t cell_end(std::string_view row, char separator);

struct Cell {
  enum Fault : std::uint8_t { none, open, behind_quote } fault = none;  // no closing quote; text behind it
  bool quoted = false;
  std::string_view text{};  // without blanks and quotes around; quotes within are doubled still, where it was quoted
};
Cell cell_in(std::string_view text, char separator);

// What is wrong with it, for an error message.
std::string said(const Cell& cell);

std::string_view without_blanks(std::string_view text, char separator);
// The text as it is meant: doubled quotes are one.
std::string content(const Cell& cell);
// Without its line end.
std::string_view without_line_end(std::string_view row);
// Nothing but blanks, and the line end.
bool is_blank_row(std::string_view row, char separator);
// Empty, or one of NA, N/A, NaN, nan, -nan, null, NULL, None and ?.
bool is_missing(std::string_view text);

}  // namespace sluice::stages
