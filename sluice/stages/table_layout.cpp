#include <sluice/stages/table_layout.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <iterator>
#include <span>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <sluice/stages/array_header.hpp>
#include <sluice/stages/decimal.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/foreign_content.hpp>
#include <sluice/stages/one_line.hpp>

namespace sluice::stages {
namespace {

constexpr const char* label_names[] = {"label", "class", "target", "y"};
constexpr const char* label_flag = "--label-column";

char lower(char c) {
  return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool same_but_for_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

bool is_label_name(std::string_view name) {
  return std::any_of(std::begin(label_names), std::end(label_names),
                     [&](const char* one) { return same_but_for_case(name, one); });
}

bool has(const std::vector<std::string>& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

std::optional<std::int64_t> position(const std::string& text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  return read.ec == std::errc{} && read.ptr == end && !text.empty() ? std::optional(number) : std::nullopt;
}

// "'a', 'b', 'c' and 7 more"
std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 5;
  std::string text;
  for (std::size_t i = 0; i < std::min(shown, names.size()); ++i)
    text += fmt::format("{}'{}'", i ? ", " : "", one_line(names[i], 30));
  return text + (names.size() > shown ? fmt::format(" and {} more", names.size() - shown) : "");
}

// Which column is asked for, by what is given to a flag.
class Finder {
 public:
  Finder(const TableLayout& layout, const std::string& path) : layout_(layout), path_(path) {
    for (std::uint32_t column = 0; column < layout.names.size(); ++column)
      by_name_.emplace_back(layout.names[column], column);
    std::sort(by_name_.begin(), by_name_.end());
  }

  // Nothing: none is called so.
  std::optional<std::uint32_t> named(std::string_view name) const {
    const auto found = std::lower_bound(by_name_.begin(), by_name_.end(), std::pair(name, std::uint32_t{0}));
    if (found == by_name_.end() || found->first != name) return std::nullopt;
    const auto next = std::next(found);
    if (next != by_name_.end() && next->first == name)
      throw DataError(
          fmt::format("{}: columns {} and {} are both called '{}', expected one that is: say it by its position", path_,
                      found->second + 1, next->second + 1, one_line(name)));
    return found->second;
  }

  std::uint32_t asked(const std::string& column, const char* flag) const {
    if (const auto found = named(column)) return *found;
    const auto count = static_cast<std::int64_t>(layout_.columns);
    if (const auto at = position(column)) {
      if (*at != 0 && *at >= -count && *at <= count) return static_cast<std::uint32_t>(*at > 0 ? *at - 1 : count + *at);
      throw DataError(
          fmt::format("{}: has no column {}, expected 1 to {}, or -1 for the last (see {})", path_, *at, count, flag));
    }
    if (!layout_.has_header())
      throw DataError(fmt::format(
          "{}: has no header and so no column '{}', expected a position, 1 to {}, or -1 for the last (see {})", path_,
          one_line(column), count, flag));
    throw DataError(fmt::format("{}: has no column '{}', expected one of its {}: {} (see {})", path_, one_line(column),
                                count, some_of(layout_.names), flag));
  }

 private:
  const TableLayout& layout_;
  const std::string& path_;
  std::vector<std::pair<std::string_view, std::uint32_t>> by_name_;
};

// --- the first rows

// What no text begins with, and arrays and zip files do.
bool begins_as_binary(std::string_view text) {
  return text.starts_with('\0') || text.starts_with('\x93') || text.starts_with("PK\x03\x04");
}

void check_binary(std::string_view start, const std::string& path) {
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(start.data()), start.size());
  if (is_array(bytes))
    throw DataError(path +
                    ": is an array, of images or of labels alone, expected a table, which has both: name two files, "
                    "--images and --labels (train: --train-images, --train-labels and so on)");
  if (const auto foreign = foreign_content(bytes.data(), bytes.size())) throw DataError(foreign->text(path));
}

void check_text(std::string_view text, const std::string& path) {
  const auto starts = [&](std::string_view with) { return text.starts_with(with); };
  if (starts("\xff\xfe") || starts("\xfe\xff"))
    throw DataError(path + ": is text in UTF-16, expected UTF-8: save it as CSV in UTF-8");
  std::string start(text.substr(byte_order_mark(text), 16));
  std::transform(start.begin(), start.end(), start.begin(), lower);
  if (start.starts_with("<!doctype") || start.starts_with("<html"))
    throw DataError(path + ": is an HTML page, expected a table: was the download redirected?");
  if (start.starts_with("sep="))
    throw DataError(path +
                    ": begins with a line for spreadsheets alone, sep=, expected a header or a row: take it out");
  const std::size_t zero = text.find('\0');
  if (zero != std::string_view::npos)
    throw DataError(fmt::format("{}: has a byte 0 at byte {}, expected text: is it a table, in UTF-8?", path, zero));
}

void check_line_ends(std::string_view text, bool whole, const std::string& path) {
  if (!whole && text.size() < first_rows_bytes) return;
  text = text.substr(0, first_rows_bytes);
  if (text.find('\n') != std::string_view::npos) return;
  const std::size_t cr = text.find('\r');
  if (cr + 1 < text.size() && cr != std::string_view::npos)
    throw DataError(path + ": its lines end with CR alone, expected LF or CR LF: convert it (tr '\\r' '\\n')");
}

struct FirstRows {
  std::vector<std::string_view> rows;
  std::size_t bytes = 0;  // behind the last of them
};

// Nothing: they are not whole yet.
std::optional<FirstRows> first_rows(std::string_view text, bool whole, std::string_view separators, std::size_t most,
                                    const std::string& path) {
  FirstRows first;
  RowScan scan{separators};
  std::size_t row = 0;
  const auto end_row = [&](std::size_t end) {
    const std::string_view line = text.substr(row, end - row);
    if (!is_blank_row(line, separators.front())) first.rows.push_back(without_line_end(line)), first.bytes = end;
    row = end;
  };
  for (std::size_t at = 0; first.rows.size() < most;) {
    const std::size_t line_end = text.find('\n', at);
    const std::size_t end = line_end == std::string_view::npos ? text.size() : line_end + 1;
    if (first.rows.size() >= 2 && end > first_rows_bytes) return first;
    if (scan.quoted && end - scan.opened > most_quoted_bytes) whole = true, text = text.substr(0, end);  // never closed
    const std::size_t allowed = first.rows.empty() ? most_header_bytes : most_row_bytes;
    if (end - row > allowed)
      throw DataError(fmt::format("{}: its {} row is longer than {} MiB, expected at most that: is it a table?", path,
                                  first.rows.empty() ? "first" : "second", allowed >> 20));
    if (line_end == std::string_view::npos) {
      if (!whole) return std::nullopt;
      if (row < text.size()) end_row(text.size());
      break;
    }
    at = end;
    if (scan(text.substr(0, end))) end_row(end);
  }
  return first;
}

// None where it is no row of that separator: a line ends within it.
std::size_t count_cells(std::string_view row, char separator) {
  std::size_t count = 1;
  for (std::size_t end = cell_end(row, separator); end < row.size(); end = cell_end(row, separator)) {
    if (row[end] == '\n') return 0;
    row.remove_prefix(end + 1);
    ++count;
  }
  return count;
}

char find_separator(const std::vector<std::string_view>& rows) {
  char likeliest = table_separators.back();
  std::size_t most = 1;
  for (const char separator : table_separators) {
    const std::size_t count = count_cells(rows.front(), separator);
    if (count < 2) continue;
    if (std::all_of(rows.begin(), rows.end(), [&](auto row) { return count_cells(row, separator) == count; }))
      return separator;
    if (count > most) most = count, likeliest = separator;
  }
  return likeliest;
}

// --- is the first row a header?

enum class Looks : std::uint8_t { missing, number, text };

Looks looks(std::string_view text) {
  return is_missing(text) ? Looks::missing : decimal(text).kind == Decimal::none ? Looks::text : Looks::number;
}

class HeaderFinder {
 public:
  HeaderFinder(const std::vector<std::string_view>& rows, char separator, const TableWanted& wanted) {
    names_ = cells_of(rows.front(), separator);
    for (const std::string& name : names_) {
      const Looks is = looks(name);
      if (is == Looks::number) numbers_.push_back(decimal(name).value);
      if (is == Looks::text) texts_ += 1, asked_ = asked_ || is_asked_for(name, wanted);
    }
    std::vector<Looks> below(names_.size(), Looks::missing);
    for (std::size_t i = 1; i < rows.size(); ++i) {
      const std::vector<std::string> cells = cells_of(rows[i], separator);
      for (std::size_t c = 0; c < std::min(cells.size(), below.size()); ++c)
        below[c] = std::max(below[c], looks(cells[c]));
    }
    for (std::size_t c = 0; c < names_.size(); ++c)
      above_numbers_ = above_numbers_ || (looks(names_[c]) == Looks::text && below[c] == Looks::number);
  }

  // Nothing: it may be one and may be none.
  std::optional<bool> found() const {
    if (texts_ == 0) return numbers_.size() >= 4 && count() ? std::nullopt : std::optional(false);
    if (numbers_.empty()) return true;
    if (above_numbers_) return numbers_.size() >= 3 && rise() ? std::optional(true) : std::nullopt;
    return asked_ && numbers_.size() >= 3 && count();
  }
  bool has_text() const { return texts_ > 0; }

 private:
  static bool is_asked_for(const std::string& name, const TableWanted& wanted) {
    return name == wanted.label_column || has(wanted.features, name) || has(wanted.ignored, name) ||
           (wanted.label_column.empty() && is_label_name(name));
  }

  bool rise() const {
    return std::adjacent_find(numbers_.begin(), numbers_.end(), std::greater_equal<>()) == numbers_.end();
  }
  bool count() const {
    if (numbers_.front() != 0 && numbers_.front() != 1) return false;
    return std::adjacent_find(numbers_.begin(), numbers_.end(), [](float a, float b) { return b != a + 1; }) ==
           numbers_.end();
  }

  std::vector<std::string> names_;
  std::vector<float> numbers_;
  std::size_t texts_ = 0;
  bool asked_ = false, above_numbers_ = false;
};

bool has_header(const std::vector<std::string_view>& rows, char separator, const TableWanted& wanted,
                const std::string& path) {
  if (wanted.header != TableHeader::found) return wanted.header == TableHeader::yes;
  const HeaderFinder finder(rows, separator, wanted);
  if (const auto found = finder.found()) return *found;
  if (wanted.label == TableLabel::unsaid) return finder.has_text();
  throw DataError(fmt::format("{}: its first line may be a header or a row, '{}': say which, --header yes or no", path,
                              one_line(rows.front())));
}

// --- which columns are what

void check_quotes(std::string_view row, char separator, const std::string& path) {
  for (std::size_t column = 1;; ++column) {
    const std::size_t end = cell_end(row, separator);
    const Cell cell = cell_in(row.substr(0, end), separator);
    if (cell.fault != Cell::none)
      throw DataError(fmt::format("{}: column {} of its first row {}", path, column, said(cell)));
    if (end == row.size()) return;
    row.remove_prefix(end + 1);
  }
}

void check_name(const std::string& name, std::size_t column, const std::string& path) {
  for (std::string_view rest = name; !rest.empty(); rest.remove_prefix(utf8_bytes(rest)))
    if (utf8_bytes(rest) == 0)
      throw DataError(fmt::format("{}: column {} has a name that is no UTF-8, '{}': save the file as UTF-8", path,
                                  column + 1, one_line(name)));
}

bool may_be_label(const TableLayout& layout, const TableWanted& wanted, std::size_t column) {
  return is_label_name(layout.names[column]) && !has(wanted.features, layout.names[column]);
}

// The first of those that are called as labels are; there may be others only where no label is wanted.
std::optional<std::uint32_t> label_by_name(const TableLayout& layout, const TableWanted& wanted,
                                           const std::string& path) {
  std::optional<std::uint32_t> found;
  for (std::uint32_t column = 0; column < layout.names.size(); ++column) {
    if (!may_be_label(layout, wanted, column)) continue;
    if (found && wanted.label != TableLabel::none)
      throw DataError(fmt::format("{}: column {} is called '{}' and column {} '{}': say which is the label (see {})",
                                  path, *found + 1, layout.names[*found], column + 1, layout.names[column],
                                  label_flag));
    if (!found) found = column;
  }
  return found;
}

std::optional<std::uint32_t> find_label(const TableLayout& layout, const Finder& finder, const TableWanted& wanted,
                                        std::string_view first_row, const std::string& path) {
  if (wanted.label == TableLabel::unsaid) return std::nullopt;
  if (wanted.label_column.empty()) {
    const auto found = label_by_name(layout, wanted, path);
    if (found || wanted.label != TableLabel::needed) return found;
    throw DataError(fmt::format(
        "{}: which column is the label? {}, expected one called label, class, target or y, or see {} (no labels? "
        "sluice predict needs none): its first line is '{}'",
        path, layout.has_header() ? "None is called so" : "It has no header", label_flag, one_line(first_row)));
  }
  if (wanted.label != TableLabel::needed && !position(wanted.label_column)) return finder.named(wanted.label_column);
  return finder.asked(wanted.label_column, label_flag);
}

[[noreturn]] void refuse_name(const TableLayout& layout, std::uint32_t column, std::optional<std::uint32_t> other) {
  if (other)
    throw DataError(
        fmt::format("{}: columns {} and {} are both called '{}', expected names that differ: leave one out "
                    "(--ignore-columns {})",
                    layout.path, *other + 1, column + 1, one_line(layout.names[column]), column + 1));
  throw DataError(fmt::format("{}: column {} has no name: {} Leave it out (--ignore-columns {})", layout.path,
                              column + 1,
                              column + 1 == layout.columns ? "do all lines end with a separator?"
                                                           : "does it count the rows, as pandas and R write it?",
                              column + 1));
}

void check_feature_names(const TableLayout& layout) {
  if (!layout.has_header()) return;
  std::vector<std::uint32_t> sorted = layout.features;
  const auto& names = layout.names;
  std::stable_sort(sorted.begin(), sorted.end(), [&](auto a, auto b) { return names[a] < names[b]; });
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (names[sorted[i]].empty()) refuse_name(layout, sorted[i], std::nullopt);
    if (i > 0 && names[sorted[i]] == names[sorted[i - 1]]) refuse_name(layout, sorted[i], sorted[i - 1]);
  }
}

void pick_features(TableLayout& layout, const Finder& finder, const TableWanted& wanted) {
  if (!layout.has_header())
    throw DataError(fmt::format(
        "{}: has no header, expected one that names the columns that were trained on, {}: put such a line before it",
        layout.path, some_of(wanted.features)));
  std::vector<std::string> missing;
  for (const std::string& name : wanted.features) {
    const auto found = finder.named(name);
    if (!found)
      missing.push_back(name);
    else if (found == layout.label)
      throw DataError(fmt::format("{}: {} is the label, expected one of the features of the model (see {})",
                                  layout.path, layout.column_name(*found), label_flag));
    else
      layout.features.push_back(*found);
  }
  if (!missing.empty())
    throw DataError(fmt::format("{}: has no column {}, expected all {} of the model: is it a table of the same kind?",
                                layout.path, some_of(missing), wanted.features.size()));
}

void take_all_features(TableLayout& layout, const Finder& finder, const TableWanted& wanted) {
  std::vector<char> left_out(layout.columns, 0);
  for (const std::string& one : wanted.ignored) {
    const std::uint32_t column = finder.asked(one, "--ignore-columns");
    if (column == layout.label && wanted.label != TableLabel::none)
      throw DataError(fmt::format("{}: {} is the label (see {}), and to be ignored (--ignore-columns)", layout.path,
                                  layout.column_name(column), label_flag));
    left_out[column] = 1;
  }
  for (std::uint32_t column = 0; column < layout.columns; ++column) {
    const bool as_label = wanted.label == TableLabel::none && wanted.label_column.empty() && layout.has_header() &&
                          may_be_label(layout, wanted, column);
    if (!left_out[column] && !as_label && column != layout.label) layout.features.push_back(column);
  }
  if (layout.features.empty())
    throw DataError(
        fmt::format("{}: has {} column{} and no feature, expected at least 1: are its cells separated by "
                    "one of , ; tab and |?",
                    layout.path, layout.columns, layout.columns == 1 ? "" : "s"));
  if (wanted.label != TableLabel::unsaid) check_feature_names(layout);
}

std::size_t digits_of(std::string_view text) {
  return std::min(text.find_first_not_of("0123456789"), text.size());
}

bool is_pixel_name(std::string_view name) {
  constexpr std::string_view pixel = "pixel";
  if (same_but_for_case(name.substr(0, pixel.size()), pixel)) {
    name.remove_prefix(pixel.size());
    return !name.empty() && digits_of(name) == name.size();
  }
  const std::size_t row = digits_of(name);
  if (row == 0 || row == name.size() || name[row] != 'x') return false;
  name.remove_prefix(row + 1);
  return !name.empty() && digits_of(name) == name.size();
}

std::vector<TableRun> runs_of(const std::vector<std::uint32_t>& features) {
  std::vector<TableRun> runs;
  for (std::uint32_t i = 0; i < features.size(); ++i)
    if (!runs.empty() && runs.back().column + runs.back().count == features[i])
      ++runs.back().count;
    else
      runs.push_back({features[i], i, 1});
  return runs;
}

void check_separator(char separator) {
  constexpr std::string_view never = "\"\r\n +-.";
  const bool letter = lower(separator) >= 'a' && lower(separator) <= 'z';
  if (static_cast<unsigned char>(separator) >= 0x80 || letter || digits_of({&separator, 1}) == 1 ||
      never.find(separator) != std::string_view::npos)
    throw std::invalid_argument(fmt::format("separator '{}', expected one that is in no number, such as , ; | or a tab",
                                            one_line({&separator, 1})));
}

}  // namespace

std::string TableLayout::column_name(std::size_t column) const {
  return has_header() ? fmt::format("column {} ({})", column + 1, one_line(names[column], 30))
                      : fmt::format("column {}", column + 1);
}

std::vector<std::string> TableLayout::feature_names() const {
  std::vector<std::string> all;
  if (has_header())
    for (const std::uint32_t column : features) all.push_back(names[column]);
  return all;
}

std::size_t byte_order_mark(std::string_view text) {
  return text.starts_with("\xef\xbb\xbf") ? 3 : 0;
}

std::optional<FirstRow> first_row(std::string_view beginning, bool whole, std::string_view separators,
                                  const std::string& path) {
  if (beginning.size() < 3 && !whole) return std::nullopt;
  const std::size_t mark = byte_order_mark(beginning);
  const auto first = first_rows(beginning.substr(mark), whole, separators, 1, path);
  if (!first) return std::nullopt;
  if (first->rows.empty()) return FirstRow{{}, beginning.size()};
  return FirstRow{first->rows.front(), mark + first->bytes};
}

std::vector<std::string> cells_of(std::string_view row, char separator) {
  std::vector<std::string> cells;
  for (;;) {
    const std::size_t end = cell_end(row, separator);
    cells.push_back(content(cell_in(row.substr(0, end), separator)));
    if (end == row.size()) return cells;
    row.remove_prefix(end + 1);
  }
}

std::optional<TableLayout> find_layout(std::string_view beginning, bool whole, const TableWanted& wanted,
                                       const std::string& path, std::size_t rows) {
  if (wanted.separator) check_separator(wanted.separator);
  const std::string_view separators = wanted.separator ? std::string_view(&wanted.separator, 1) : table_separators;
  if (begins_as_binary(beginning)) {
    if (!whole && beginning.size() < foreign_content_bytes) return std::nullopt;
    check_binary(beginning, path);
  }
  const std::size_t mark = byte_order_mark(beginning);
  const auto rows_by = [&](std::string_view any_of) {
    auto first = first_rows(beginning.substr(mark), whole, any_of, rows, path);
    const std::string_view text = first ? beginning.substr(0, mark + first->bytes) : beginning;
    check_text(text.substr(0, first_rows_bytes), path);
    check_line_ends(beginning, whole, path);
    check_text(text, path);
    if (first && first->rows.empty()) throw DataError(path + ": has no rows, expected at least 1");
    return first;
  };
  auto first = rows_by(separators);
  if (!first) return std::nullopt;

  TableLayout layout;
  layout.path = path;
  layout.separator = wanted.separator ? wanted.separator : find_separator(first->rows);
  // Behind one separator alone a quote may be one within a cell, and a line end the end of a row.
  if (!wanted.separator) first = rows_by({&layout.separator, 1});
  if (!first) return std::nullopt;
  layout.columns = count_cells(first->rows.front(), layout.separator);
  if (layout.columns > most_columns)
    throw DataError(fmt::format("{}: has {} columns, expected at most {}: is it a table with a row in each line?", path,
                                layout.columns, most_columns));
  check_quotes(first->rows.front(), layout.separator, path);
  if (has_header(first->rows, layout.separator, wanted, path)) {
    layout.names = cells_of(first->rows.front(), layout.separator);
    for (std::size_t column = 0; column < layout.columns; ++column) check_name(layout.names[column], column, path);
  }
  const Finder finder(layout, path);
  layout.label = find_label(layout, finder, wanted, first->rows.front(), path);
  if (wanted.features.empty())
    take_all_features(layout, finder, wanted);
  else
    pick_features(layout, finder, wanted);
  if (wanted.feature_count != 0 && layout.features.size() != wanted.feature_count)
    throw DataError(
        fmt::format("{}: has {} columns of features, expected {} as the model has: is one too many, the label "
                    "or a number of the row? (see --label-column, --ignore-columns)",
                    path, layout.features.size(), wanted.feature_count));
  if (wanted.label == TableLabel::none) layout.label.reset();
  layout.runs = runs_of(layout.features);
  const auto& names = layout.names;
  layout.pixel_names = layout.has_header() && std::all_of(layout.features.begin(), layout.features.end(),
                                                          [&](auto column) { return is_pixel_name(names[column]); });
  return layout;
}

}  // namespace sluice::stages
