#include <sluice/stages/cut_table.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include <sluice/stages/decimal.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/one_line.hpp>

namespace sluice::stages {
namespace {

// So long an open quote is none that is closed anywhere: what is there of the row is handed on, to be refused.
bool never_closed(const RowScan& scan, std::size_t end) {
  return scan.quoted && end - scan.opened > most_quoted_bytes;
}

}  // namespace

void CutTable::push(const Chunk& chunk) {
  if (state_.through) return;
  state_.next = chunk;
  state_.has_next = true;
}

bool CutTable::pull(TableText& out) {
  try {
    if (next_text(out)) return true;
  } catch (const DataError& error) {
    give({}, out);
    out.error = error.what();
    state_.through = true;
    return true;
  }
  if (state_.through) end();
  return false;
}

bool CutTable::next_text(TableText& out) {
  State& s = state_;
  while (!s.through) {
    if (!s.text.empty()) {
      if (s.begun || begin()) {
        if (s.partial.empty() ? cut(out) : complete_row(out)) return true;
      }
    } else if (s.has_next && s.next.file == s.file) {
      take_chunk();
    } else if (s.has_next || s.over) {
      if (end_file(out)) return true;
    } else {
      s.owner = {};  // the chunk is used up: nothing here keeps its memory
      return false;
    }
  }
  return false;
}

// Nothing here keeps any memory.
void CutTable::end() {
  state_ = {};
  state_.through = true;
}

void CutTable::take_chunk() {
  State& s = state_;
  s.owner = std::move(s.next.owner);
  s.text = {reinterpret_cast<const char*>(s.next.data), s.next.size};
  s.has_next = false;
}

// First its last bytes, then, of a file without a row, a piece without one, so that whoever counts knows of it.
bool CutTable::end_file(TableText& out) {
  State& s = state_;
  if (!s.ended) {
    s.ended = true;
    s.text = copy(s.partial, s.owner);
    s.partial.clear();
    if (!s.begun) begin();
    return false;
  }
  const bool last = !s.has_next && s.file + 1 >= paths.size();
  const bool without_rows = !s.given;
  if (without_rows) give({}, out);
  s.through = last;
  s.begun = s.ended = s.given = false;
  ++s.file;
  return without_rows;
}

// Whether the header is passed; if not, all that is at hand waits for more.
bool CutTable::begin() {
  State& s = state_;
  if (s.partial.empty()) {
    if (const auto header = header_bytes(s.text)) {
      s.text.remove_prefix(*header);
      return s.begun = true;
    }
    keep(s.text);
    return false;
  }
  const bool ends_a_line = s.text.find('\n') != std::string_view::npos;
  s.partial += s.text;
  s.text = {};
  if (!ends_a_line && s.partial.size() < 2 * s.tried) return false;
  s.tried = s.partial.size();
  const auto header = header_bytes(s.partial);
  if (!header) return false;
  s.text = copy(std::string_view(s.partial).substr(*header), s.owner);
  s.partial.clear();
  return s.begun = true;
}

// Nothing: it is not whole yet.
std::optional<std::size_t> CutTable::header_bytes(std::string_view beginning) {
  State& s = state_;
  if (!s.layout) s.layout = layout;
  if (!s.layout) {
    auto found = find_layout(beginning, s.ended, wanted, path(), first_rows);
    if (!found) return std::nullopt;
    s.layout.renew() = std::move(*found);
  }
  const auto first = first_row(beginning, s.ended, separators(), path());
  if (!first) return std::nullopt;
  if (s.layout->has_header()) check_header(first->text);
  const std::size_t bytes = s.layout->has_header() ? first->end : byte_order_mark(beginning);
  s.lines = static_cast<std::uint64_t>(
      std::count(beginning.begin(), beginning.begin() + static_cast<std::ptrdiff_t>(bytes), '\n'));
  return bytes;
}

void CutTable::check_header(std::string_view row) const {
  const TableLayout& expected = *state_.layout;
  const std::vector<std::string> names = cells_of(row, expected.separator);
  if (names.size() != expected.columns) {
    const bool other = std::any_of(table_separators.begin(), table_separators.end(),
                                   [&](char separator) { return cells_of(row, separator).size() == expected.columns; });
    throw DataError(fmt::format(
        "{}: its header has {} column{}, expected {} as in {}: {}", path(), names.size(), names.size() == 1 ? "" : "s",
        expected.columns, expected.path,
        other ? "has it another separator? Files of one list have the same" : "do the two belong together?"));
  }
  const auto is_number = [](const std::string& cell) { return decimal(cell).kind != Decimal::none; };
  if (std::any_of(names.begin(), names.end(), is_number) &&
      std::none_of(expected.names.begin(), expected.names.end(), is_number))
    throw DataError(fmt::format("{}: has no header, expected one as in {}: its first line is '{}'", path(),
                                expected.path, one_line(row)));
  for (std::size_t c = 0; c < names.size(); ++c)
    if (names[c] != expected.names[c])
      throw DataError(
          fmt::format("{}: column {} of its header is '{}', expected '{}' as in {}: do the two belong "
                      "together?",
                      path(), c + 1, one_line(names[c]), one_line(expected.names[c]), expected.path));
}

// The row that began in an earlier chunk, line by line.
bool CutTable::complete_row(TableText& out) {
  State& s = state_;
  for (;;) {
    const std::size_t line_end = s.text.find('\n'), taken = std::min(line_end, s.text.size() - 1) + 1;
    s.partial += s.text.substr(0, taken);
    s.text.remove_prefix(taken);
    const bool too_long = s.partial.size() > most_bytes();
    const bool ends = line_end != std::string_view::npos && s.scan(s.partial);
    const bool open = never_closed(s.scan, s.partial.size());
    if (ends || open || too_long) {
      give(copy(s.partial, out.owner), out);
      s.through = open || too_long;
      s.partial.clear();
      return true;
    }
    if (s.text.empty()) return false;
  }
}

bool CutTable::cut(TableText& out) {
  State& s = state_;
  RowScan scan{separators()};
  const std::size_t end = whole_rows(scan);
  if (end == 0) {
    keep(s.text);
    return false;
  }
  out.owner = s.owner;
  give(s.text.substr(0, end), out);
  s.text.remove_prefix(end);
  s.through = out.too_long || (scan.row_end == 0 && never_closed(scan, end));
  return true;
}

// How many bytes of the text are whole rows, piece_bytes at most or one row; 0: not even one is whole.
std::size_t CutTable::whole_rows(RowScan& scan) const {
  const std::string_view text = state_.text;
  for (std::size_t end = behind_last_line_end(text.substr(0, piece_bytes));;) {
    scan(text.substr(0, end));
    if (scan.row_end > 0) return scan.row_end;
    if (never_closed(scan, end)) return end;
    if (end == text.size()) return state_.ended ? end : 0;
    const std::size_t line_end = text.find('\n', std::max(end, std::min(piece_bytes, text.size())));
    if (line_end == std::string_view::npos && !state_.ended) return 0;
    end = std::min(line_end, text.size() - 1) + 1;
  }
}

std::string_view CutTable::copy(std::string_view text, Shared<Bytes>& owner) {
  if (text.empty()) return {};
  std::uint8_t* const own = copies_.take(owner).reserve(text.size());
  std::memcpy(own, text.data(), text.size());
  return {reinterpret_cast<const char*>(own), text.size()};
}

// All that is at hand, until more has come.
void CutTable::keep(std::string_view text) {
  State& s = state_;
  s.partial = text;
  s.tried = text.size();
  if (s.layout) s.scan = RowScan{separators()};
  s.text = {};
  s.owner = {};
}

void CutTable::give(std::string_view text, TableText& out) {
  State& s = state_;
  out.layout = s.layout;
  if (text.empty()) out.owner = {};
  out.text = text;
  out.file = s.file;
  out.lines_before = std::exchange(s.lines, 0);
  out.too_long = text.size() > most_bytes() ? most_bytes() : 0;
  out.error.clear();
  s.given = true;
}

}  // namespace sluice::stages
