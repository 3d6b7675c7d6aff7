// What the columns of a table are: found by the beginning of its file, as far as nobody says it.
//
// The first rows of a file (CSV, TSV: table_text.hpp) -> TableLayout. A byte-order mark of UTF-8 is passed over, and so
// are empty lines.
//   separator  the first of tab ; | and , that is in the first row and makes as many cells of every row
//   header     the first row is one if
//              - none of its cells is a number, and one is a text; or
//              - one is a text above nothing but numbers, and those beside it, at least three, rise (years, say); or
//              - one is called as a column that is asked for, and those beside it, at least three, count 0, 1, 2, ...
//              Where it may as well be a row it has to be said: a text above numbers beside any others; four numbers or
//              more that count, as pandas calls columns without names. Cells that are missing say nothing.
//   label      the column that is called label, class, target or y, in whatever case, if there is just one
//   features   all other columns, in the order of the file
// A column that is asked for is one with that name, or else the one at that position: 1 is the first, -1 the last.
// Order and thread-safety: a pure function; a layout is read-only once found. Errors: DataError naming the file: what
// is no text, UTF-16, lines that end with CR alone, more than most_columns columns or most_header_bytes bytes of a
// header, whatever is asked for and not there, or there more than once, features of the same name or of none, or
// another number of them than is wanted. std::invalid_argument for a separator that is none.
//
//   const auto layout = find_layout("label,a,b\n1,0.5,7\n", true, {}, "train.csv");
//   layout->features   // 1, 2
//
// Format: RFC 4180, 2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stages/table_text.hpp>

namespace sluice::stages {

enum class TableHeader : std::uint8_t { found, yes, no };
// none: a column that is one of labels, or is asked for as one, is left out. unsaid: nobody has said yet what a column
// is for: each is a feature, whatever it is called, and a first row that may be a header is one where it has a text.
enum class TableLabel : std::uint8_t { needed, optional, none, unsaid };

struct TableWanted {
  char separator = 0;  // 0: found
  TableHeader header = TableHeader::found;
  TableLabel label = TableLabel::needed;
  std::string label_column{};           // empty: by its name
  std::vector<std::string> ignored{};   // columns that are neither label nor feature
  std::vector<std::string> features{};  // names: just these, in this order; none: all others
  std::size_t feature_count = 0;        // how many a model has; 0: any number
};

// Features that lie side by side, in the file and in a row.
struct TableRun {
  std::uint32_t column = 0, feature = 0, count = 0;
  friend bool operator==(const TableRun&, const TableRun&) = default;
};

struct TableLayout {
  char separator = ',';
  std::size_t columns = 0;
  std::vector<std::string> names;       // (columns), or none without a header
  std::vector<std::uint32_t> features;  // columns, counted from 0, in the order in which a row has them
  std::vector<TableRun> runs;           // the same
  std::optional<std::uint32_t> label;   // its column, counted from 0
  bool pixel_names = false;             // features are called pixel0, pixel1, ... or 1x1, 1x2, ...: pixels, bytes
  std::string path;                     // of the file that it was found in

  bool has_header() const { return !names.empty(); }
  std::string column_name(std::size_t column) const;  // for an error message: "column 3 (width)"
  std::vector<std::string> feature_names() const;     // none without a header
};

inline constexpr std::size_t most_header_bytes = std::size_t{16} << 20;
// What a layout is found by, at most, unless the first two rows are longer.
inline constexpr std::size_t first_rows_bytes = 64 * 1024;

// A mark of UTF-8 at the beginning of a file, which means nothing: how many bytes of `text` are it.
std::size_t byte_order_mark(std::string_view text);

// The first row of a file that is not empty. Blank lines before it are passed over.
struct FirstRow {
  std::string_view text;  // without its line end
  std::size_t end = 0;    // behind it in the file
};
// Nothing: it is not whole yet. At the end of the file without one it is empty.
std::optional<FirstRow> first_row(std::string_view beginning, bool whole, std::string_view separators,
                                  const std::string& path);

// The cells of a row, without blanks and quotes around.
std::vector<std::string> cells_of(std::string_view row, char separator);

// beginning: of the file's bytes; whole: there are no others. Looks at no more than `rows` rows. Nothing: it takes more
// bytes to say.
std::optional<TableLayout> find_layout(std::string_view beginning, bool whole, const TableWanted& wanted,
                                       const std::string& path, std::size_t rows = 100);

}  // namespace sluice::stages
