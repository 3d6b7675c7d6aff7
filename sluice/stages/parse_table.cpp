#include <sluice/stages/parse_table.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <sluice/stages/decimal.hpp>
#include <sluice/stages/one_line.hpp>
#include <sluice/stages/table_text.hpp>

namespace sluice::stages {
namespace {

constexpr std::size_t block = 64;  // bytes that are looked at together, as the bits of a word

// Which bytes of a block are `c`: byte k is bit k. Compilers make vectors of the loop.
std::uint64_t bits_of(const char* text, char c) {
  std::uint8_t is[block];
  for (std::size_t i = 0; i < block; ++i) is[i] = text[i] == c;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < block; i += 8) {
    std::uint64_t eight;
    std::memcpy(&eight, is + i, 8);
    // Each byte, 0 or 1, is moved to a bit of the highest one; no two meet.
    constexpr std::uint64_t to_the_top =
        std::endian::native == std::endian::little ? 0x0102040810204080u : 0x8040201008040201u;
    bits |= (eight * to_the_top >> 56) << i;
  }
  return bits;
}

struct Row {
  std::size_t begin = 0, end = 0;  // in the text, without its line end
  std::size_t cells = 0;
  std::uint64_t lines = 1;
  bool doubtful = false;  // a quote of it may be where none should be
};

std::uint64_t lines_in(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

// Bit k of the result: whether an odd number of the bits up to k is set.
std::uint64_t odd_up_to(std::uint64_t bits) {
  for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}

// Rows of a text, block by block. Where the cells of a row end is written to `ends`, behind a first element from which
// the first cell begins as each other does: behind the end before. Of cells beyond `columns` only the number is told.
//
// Between quotes that are opened and not closed nothing ends: behind an odd number of them. That is right as long as
// each that opens stands at the beginning of its cell, and each that closes at the end (a doubled one closes and
// opens). Where one does not, as in 5" pipe, rows end early: from begin() on they are another's.
template <bool quoted>
class BlockRows {
 public:
  BlockRows(std::string_view text, const TableLayout& layout, std::vector<std::uint32_t>& ends)
      : text_(text), separator_(layout.separator), columns_(layout.columns), ends_(ends) {
    ends_.resize(columns_ + 1 + block + written_at_once);
    end_ = text.size() + !text.ends_with('\n');
  }

  // Where the next row begins.
  std::size_t begin() const { return begin_; }

  bool next(Row& row) {
    row = {.begin = begin_, .doubtful = doubtful_};  // it may begin in the block at hand
    ends_[0] = static_cast<std::uint32_t>(begin_) - 1;
    bool lines_within = lines_within_;
    for (;;) {
      while (bits_ == 0) {
        if (at_ >= end_ || !load()) return false;
        row.doubtful = row.doubtful || doubtful_;
        lines_within = lines_within || lines_within_;
      }
      const std::uint64_t of_row = lines_ ? bits_ & (lines_ ^ (lines_ - 1)) : bits_;
      add(of_row, row.cells);
      bits_ ^= of_row;
      if (lines_) {
        lines_ &= lines_ - 1;
        row.end = at_ - 1 - static_cast<std::size_t>(std::countl_zero(of_row));
        begin_ = row.end + 1;
        if (lines_within) row.lines += lines_in(text_.substr(row.begin, row.end - row.begin));
        return true;
      }
    }
  }

 private:
  static constexpr std::size_t written_at_once = 4;

  // The next block, also the last of a text without a line end there. False: quotes are not where they should be.
  bool load() {
    const char* from = text_.data() + at_;
    char last[block] = {};
    if (const std::size_t left = text_.size() - at_; left < block) {
      std::memcpy(last, from, left);
      last[left] = '\n';
      from = last;
    }
    lines_ = bits_of(from, '\n');
    if (end_ - at_ < block) lines_ &= (std::uint64_t{1} << (end_ - at_)) - 1;
    bits_ = lines_ | bits_of(from, separator_);
    at_ += block;
    return !quoted || leave_quoted(from);
  }

  bool leave_quoted(const char* from) {
    const std::uint64_t quotes = bits_of(from, '"'), within = odd_up_to(quotes) ^ within_before_;
    const std::uint64_t opening = quotes & within, closing = quotes & ~within;
    const std::uint64_t beside = bits_ | quotes;  // what may be there before one that opens, and behind one that closes
    const std::uint64_t behind = (closing << 1 | closing_before_) & ~beside;
    const bool right = (opening & ~(beside << 1 | beside_before_)) == 0 && (behind & ~bits_of(from, '\r')) == 0;
    doubtful_ = behind != 0;  // a CR, which may be that of a line end
    within_before_ = std::uint64_t{0} - (within >> 63);
    beside_before_ = beside >> 63;
    closing_before_ = closing >> 63;
    lines_within_ = (lines_ & within) != 0;
    bits_ &= ~within;
    lines_ &= ~within;
    return right;
  }

  // Some more are written than there are: a loop that ends less often is guessed more often.
  void add(std::uint64_t bits, std::size_t& cells) {
    std::uint32_t* to = ends_.data() + 1 + std::min(cells, columns_);
    const auto from = static_cast<std::uint32_t>(at_ - block);
    cells += static_cast<std::size_t>(std::popcount(bits));
    while (bits)
      for (std::size_t i = 0; i < written_at_once; ++i) {
        *to++ = from + static_cast<std::uint32_t>(std::countr_zero(bits));
        bits &= bits - 1;
      }
  }

  std::string_view text_;
  char separator_;
  std::size_t columns_;
  std::vector<std::uint32_t>& ends_;
  std::size_t begin_ = 0, at_ = 0, end_ = 0;
  std::uint64_t bits_ = 0, lines_ = 0;  // of the block before at_: ends of cells, and of rows, that are not used up
  // Of that block, and of the byte before the one to come: all bits or none, and the lowest.
  std::uint64_t within_before_ = 0, beside_before_ = 1, closing_before_ = 0;
  bool lines_within_ = false, doubtful_ = false;
};

// The same, cell by cell, of any text.
class CellRows {
 public:
  CellRows(std::string_view text, std::size_t begin, const TableLayout& layout, std::vector<std::uint32_t>& ends)
      : text_(text), separator_(layout.separator), columns_(layout.columns), ends_(ends), at_(begin) {}

  bool next(Row& row) {
    if (at_ >= text_.size()) return false;
    row = {.begin = at_, .doubtful = true};
    ends_[0] = static_cast<std::uint32_t>(at_) - 1;
    do {
      row.end = at_ + cell_end(text_.substr(at_), separator_);
      if (row.cells < columns_) ends_[row.cells + 1] = static_cast<std::uint32_t>(row.end);
      ++row.cells;
      at_ = row.end + 1;
    } while (row.end < text_.size() && text_[row.end] != '\n');
    row.lines += lines_in(text_.substr(row.begin, row.end - row.begin));
    return true;
  }

 private:
  std::string_view text_;
  char separator_;
  std::size_t columns_;
  std::vector<std::uint32_t>& ends_;
  std::size_t at_;
};

std::uint32_t read(std::string_view text, const std::uint32_t* ends, std::uint32_t count, std::uint8_t* to) {
  return read_bytes(text, ends, count, to);
}
std::uint32_t read(std::string_view text, const std::uint32_t* ends, std::uint32_t count, float* to) {
  return read_floats(text, ends, count, to);
}

// What a cell of a feature is.
struct Value {
  enum Kind : std::uint8_t { number, missing, too_large, none } kind = none;
  float value = 0;
};

Value value_in(std::string_view text, char separator) {
  Decimal read = decimal(text);
  if (read.kind == Decimal::none) {
    const Cell cell = cell_in(text, separator);
    read = decimal(cell.text);
    if (read.kind == Decimal::none) return {is_missing(cell.text) ? Value::missing : Value::none, 0};
  }
  return {read.kind == Decimal::number ? Value::number : Value::too_large, read.value};
}

// -0 is none: of bytes it would be 0.
bool is_byte(float value) {
  return value >= 0 && value <= 255 && !std::signbit(value) && value == std::floor(value);
}

bool store(float value, std::uint8_t& to) {
  if (!is_byte(value)) return false;
  to = static_cast<std::uint8_t>(value);
  return true;
}
bool store(float value, float& to) {
  to = value;
  return true;
}

// What is wrong with the text of a label, whatever the others are; empty: nothing.
std::string wrong_word(std::string_view text) {
  if (text.size() > most_label_bytes)
    return fmt::format("has {} bytes, expected a word of at most {}", text.size(), most_label_bytes);
  for (std::size_t size; !text.empty(); text.remove_prefix(size)) {
    size = utf8_bytes(text);
    if (size == 0) return "is no UTF-8: save the file as UTF-8";
    if (is_control(text.substr(0, size))) return "has a control character, expected a word or a number";
  }
  return {};
}

class PieceParser {
 public:
  PieceParser(const ParseTable& how, const TableText& in, TableRows& out)
      : how_(how), layout_(*in.layout), text_(in.text), out_(out), features_(layout_.features.size()) {}

  void parse() {
    begin_rows();
    if (text_.find('"') == std::string_view::npos) {
      take_rows(BlockRows<false>(text_, layout_, out_.ends));
    } else {
      BlockRows<true> rows(text_, layout_, out_.ends);
      take_rows(rows);
      take_rows(CellRows(text_, rows.begin(), layout_, out_.ends));
    }
    if (how_.kept) settle();
  }

 private:
  enum class Taken : std::uint8_t { whole, no_bytes, wrong };

  // A row has at least a byte for each column: that is what most of them take.
  std::size_t most_values() const { return (text_.size() / layout_.columns + 1) * features_; }

  void begin_rows() {
    // Relaxed, as where it is stored: it saves a try in vain, and nothing else depends on it.
    const bool floats = how_.memory_->floats.load(std::memory_order_relaxed);
    out_.type = how_.type.value_or(floats ? Pixel::float32 : Pixel::uint8);
    data_ = how_.memory_->take(most_values() * value_bytes(), out_.owner);
    out_.data = data_;
  }
  std::size_t value_bytes() const { return out_.type == Pixel::uint8 ? 1 : sizeof(float); }

  template <class Rows>
  void take_rows(Rows&& rows) {
    for (Row row; !out_.problem && rows.next(row); out_.lines += row.lines) {
      out_.longest_row = std::max(out_.longest_row, row.end + 1 - row.begin);
      if (row.cells == 1 && is_blank_row(text_.substr(row.begin, row.end - row.begin), layout_.separator)) continue;
      if (row.cells <= layout_.columns) leave_cr(row.cells);
      if (row.doubtful && !quotes_are_right(row)) continue;
      if (row.cells != layout_.columns)
        refuse_length(row);
      else
        take(row);
    }
  }

  // Of a line that ends with CR LF.
  void leave_cr(std::size_t cells) {
    std::uint32_t& end = out_.ends[cells];
    if (end > out_.ends[cells - 1] + 1 && text_[end - 1] == '\r') --end;
  }

  void take(const Row& row) {
    label_missing_ = false;
    Taken taken = take_label();
    if (taken == Taken::whole) taken = take_features();
    if (taken == Taken::no_bytes) {
      become_floats();
      taken = take_features();
    }
    if (taken == Taken::wrong)
      refuse_row(row);
    else
      end_row(row);
  }

  void end_row(const Row& row) {
    const auto& missing = out_.missing_here;
    if (!missing.empty() && out_.missing.empty()) out_.missing.resize(features_);
    for (const std::uint32_t feature : missing) ++out_.missing[feature];
    for (const std::uint32_t feature : out_.words_here) add_word(row, feature);
    out_.missing_labels += label_missing_;
    if (label_missing_ || (how_.missing == Missing::skip && !missing.empty())) {
      ++out_.skipped;
      return;
    }
    ++out_.count;
    if (!layout_.label) return;
    out_.labels.push_back(label_);
    if (!how_.classes) out_.label_lines.push_back(static_cast<std::uint32_t>(out_.lines));
  }

  void add_word(const Row& row, std::uint32_t feature) {
    if (out_.words.empty()) out_.words.resize(features_);
    TableWords& words = out_.words[feature];
    if (words.count++ > 0) return;
    const std::uint32_t column = layout_.features[feature];
    words.line = line_of(row, column);
    words.first = one_line(cell_in(cell(column), layout_.separator).text);
  }

  std::string_view cell(std::size_t column) const {
    const std::uint32_t begin = out_.ends[column] + 1;
    return text_.substr(begin, out_.ends[column + 1] - begin);
  }

  Value value_at(std::size_t column) const { return value_in(cell(column), layout_.separator); }

  Taken take_features() {
    const std::size_t before = out_.count * features_;
    out_.missing_here.clear();
    out_.words_here.clear();
    return out_.type == Pixel::uint8 ? take_features(data_ + before)
                                     : take_features(reinterpret_cast<float*>(data_) + before);
  }

  template <class T>
  Taken take_features(T* to) {
    for (const TableRun& run : layout_.runs)
      for (std::uint32_t i = 0;; ++i) {
        i += read(text_, out_.ends.data() + run.column + i, run.count - i, to + run.feature + i);
        if (i == run.count) break;
        const Taken taken = take_feature(run.column + i, run.feature + i, to[run.feature + i]);
        if (taken != Taken::whole) return taken;
      }
    return Taken::whole;
  }

  template <class T>
  Taken take_feature(std::uint32_t column, std::uint32_t feature, T& to) {
    Value value = value_at(column);
    if (value.kind == Value::missing && how_.missing != Missing::error) {
      out_.missing_here.push_back(feature);
      value = {Value::number, how_.missing == Missing::mean ? std::numeric_limits<float>::quiet_NaN() : 0};
    }
    if (how_.words && (value.kind == Value::none || value.kind == Value::too_large)) {
      out_.words_here.push_back(feature);
      value = {Value::number, 0};
    }
    if (value.kind != Value::number) return Taken::wrong;
    if (store(value.value, to)) return Taken::whole;
    return how_.type ? Taken::wrong : Taken::no_bytes;
  }

  Taken take_label() {
    if (!layout_.label) return Taken::whole;
    const Cell read = cell_in(cell(*layout_.label), layout_.separator);
    if (is_missing_label(read)) {
      label_missing_ = true;
      return how_.missing == Missing::skip ? Taken::whole : Taken::wrong;
    }
    const bool doubled = read.quoted && read.text.find('"') != std::string_view::npos;
    return doubled ? take_label(content(read)) : take_label(read.text);
  }

  Taken take_label(std::string_view text) {
    if (how_.classes) {
      const auto number = how_.classes->number_of(text);
      label_ = number.value_or(0);
      return number ? Taken::whole : Taken::wrong;
    }
    const std::size_t before = out_.texts.size();
    label_ = label_code(text, out_.texts);
    return out_.texts.size() == before || wrong_word(text).empty() ? Taken::whole : Taken::wrong;
  }

  static bool is_missing_label(const Cell& cell) {
    return cell.text.empty() || (!cell.quoted && is_missing(cell.text));
  }

  // The rows so far, and those to come.
  void become_floats() {
    how_.memory_->floats.store(true, std::memory_order_relaxed);
    Shared<Bytes> owner;
    std::uint8_t* const data = how_.memory_->take(most_values() * sizeof(float), owner);
    std::copy_n(data_, out_.count * features_, reinterpret_cast<float*>(data));
    out_.type = Pixel::float32;
    out_.owner = std::move(owner);
    out_.data = data_ = data;
  }

  // To where they stay, side by side with those of other pieces.
  void settle() {
    const std::size_t bytes = out_.count * features_ * value_bytes();
    Shared<Bytes> owner;
    std::uint8_t* const place = how_.memory_->place(bytes, owner);
    std::memcpy(place, data_, bytes);
    out_.owner = std::move(owner);
    out_.data = place;
  }

  // --- what is wrong

  void refuse(std::uint64_t line, std::string text) { out_.problem = TableProblem{line, std::move(text)}; }

  bool quotes_are_right(const Row& row) {
    for (std::size_t column = 0; column < std::min(row.cells, layout_.columns); ++column) {
      const Cell read = cell_in(cell(column), layout_.separator);
      if (read.fault == Cell::none) continue;
      refuse(line_of(row, column), fmt::format(", {}: {}", layout_.column_name(column), said(read)));
      return false;
    }
    return true;
  }

  void refuse_length(const Row& row) {
    const bool more = row.cells > layout_.columns;
    refuse(out_.lines, fmt::format(": {} cell{}, expected {} as in the first row of {}: {}", row.cells,
                                   row.cells == 1 ? "" : "s", layout_.columns, layout_.path,
                                   more ? "does a text with separators lack its quotes?" : "was it cut short?"));
  }

  // The first cell of it that is wrong.
  void refuse_row(const Row& row) {
    std::vector<std::uint32_t> order = layout_.features;
    if (layout_.label) order.push_back(*layout_.label);
    std::sort(order.begin(), order.end());
    for (const std::uint32_t column : order) {
      const std::string wrong = column == layout_.label ? wrong_label(column) : wrong_feature(column);
      if (wrong.empty()) continue;
      return refuse(line_of(row, column), wrong);
    }
  }

  // A cell in quotes may have begun a line.
  std::uint64_t line_of(const Row& row, std::size_t column) const {
    const std::string_view before = text_.substr(row.begin, out_.ends[column] + 1 - row.begin);
    return out_.lines + lines_in(before);
  }

  // What is said of a cell: its text, if it has one.
  std::string said_of(std::uint32_t column, const Cell& cell, const char* expected) const {
    const std::string text = cell.text.empty() ? "is empty" : fmt::format("'{}'", one_line(cell.text));
    return fmt::format(", {}: {}, expected {}", layout_.column_name(column), text, expected);
  }

  std::string wrong_feature(std::uint32_t column) const {
    const Value value = value_at(column);
    const Cell read = cell_in(cell(column), layout_.separator);
    if (value.kind == Value::missing && how_.missing == Missing::error)
      return said_of(column, read, "a number: what is missing may be counted as something (see --missing)");
    if (value.kind == Value::too_large) return said_of(column, read, "a number that float32 can hold, up to 3.4e38");
    if (value.kind == Value::none) {
      std::string point(read.text);
      std::replace(point.begin(), point.end(), ',', '.');
      const bool comma = point != read.text && decimal(point).kind == Decimal::number;
      return said_of(column, read,
                     comma ? "a finite number: is that a decimal comma, or one of thousands? A number has a point alone"
                           : "a finite number: a column of something else can be left out (--ignore-columns)");
    }
    return how_.type == Pixel::uint8 && !is_byte(value.value)
               ? said_of(column, read, "a whole number from 0 to 255, as all pixels of the training set are")
               : "";
  }

  std::string wrong_label(std::uint32_t column) const {
    const Cell read = cell_in(cell(column), layout_.separator);
    if (is_missing_label(read))
      return how_.missing == Missing::skip
                 ? ""
                 : said_of(column, read, "a label: rows without one may be left out (--missing skip)");
    const std::string text = content(read);
    if (how_.classes) return how_.classes->number_of(text) ? "" : unknown_label(text, *how_.classes, layout_);
    const std::string wrong = wrong_word(text);
    return wrong.empty() ? "" : fmt::format(", {}: label '{}' {}", layout_.column_name(column), one_line(text), wrong);
  }

  const ParseTable& how_;
  const TableLayout& layout_;
  const std::string_view text_;
  TableRows& out_;
  const std::size_t features_;
  std::uint8_t* data_ = nullptr;
  std::uint32_t label_ = 0;
  bool label_missing_ = false;  // both of the row at hand
};

void clear(TableRows& rows) {
  rows.lines = 0;
  rows.longest_row = rows.count = rows.missing_labels = rows.skipped = 0;
  rows.data = nullptr;
  rows.type = Pixel::uint8;
  rows.owner = {};
  rows.labels.clear();
  rows.label_lines.clear();
  rows.texts.clear();
  rows.missing.clear();
  rows.words.clear();
  rows.problem.reset();
}

}  // namespace

std::uint8_t* RowMemory::take(std::size_t bytes, Shared<Bytes>& owner) {
  const std::lock_guard lock(mutex_);
  return pool_.take(owner).reserve(bytes);
}

std::uint8_t* RowMemory::place(std::size_t bytes, Shared<Bytes>& owner) {
  constexpr std::size_t usual = std::size_t{4} << 20, line = 64;
  const std::lock_guard lock(mutex_);
  if (!block_ || size_ - used_ < bytes) {
    size_ = std::max(bytes, usual);
    used_ = 0;
    block_ = {};
    block_.renew().reserve(size_);
  }
  owner = block_;
  std::uint8_t* const place = block_->data.get() + used_;
  used_ = std::min(size_, used_ + (bytes + line - 1) / line * line);
  return place;
}

void ParseTable::operator()(const TableText& text, TableRows& out) const {
  if (type == Pixel::uint8 && missing == Missing::mean)
    throw std::invalid_argument("rows of bytes, in which there is no place for a mean: expected float32");
  clear(out);
  out.layout = text.layout;
  out.file = text.file;
  out.lines_before = text.lines_before;
  out.text_bytes = text.text.size();
  out.error = text.error;
  if (text.too_long)
    out.problem = TableProblem{
        0, fmt::format(
               ": goes on for more than {} bytes, expected the end of the row: is a line end, or a quote, missing?",
               text.too_long)};
  else if (!text.text.empty())
    PieceParser(*this, text, out).parse();
}

}  // namespace sluice::stages
