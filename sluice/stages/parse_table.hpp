// Pieces of the text of a table -> rows of numbers, with the labels of the rows.
//
// TableText -> TableRows: count x features, bytes where every value of the piece is a whole number 0 to 255, also of
// rows that are left out, otherwise float32, each the nearest to its text (decimal.hpp). A label is a class where the
// classes are known, and a code where they are to be found (table_labels.hpp). What is missing (table_text.hpp) is
// refused, or counted and 0, or NaN for who puts the mean there (feature_transform.hpp), or its row is left out; a
// label that is missing is refused, or its row is left out. A quoted NA is a missing number, and a label. Any other
// text of a feature is refused, or counted and 0, for who only wants to know. Empty lines are passed over. Order and
// thread-safety: a map; on any number of pieces at once. Errors: none of a table is thrown: of a piece in which
// something is wrong the first place is told, its rows mean nothing, and who takes pieces in order throws
// (number_table.hpp). std::invalid_argument for means in rows of bytes.
//
//   auto rows = g.map("parse", ParseTable{}, text, unlimited);
//
// Format: RFC 4180, 2.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/batch.hpp>
#include <sluice/stages/chunk.hpp>
#include <sluice/stages/cut_table.hpp>
#include <sluice/stages/shared.hpp>
#include <sluice/stages/table_labels.hpp>
#include <sluice/stages/table_layout.hpp>

namespace sluice::stages {

// What becomes of a cell in which nothing is, or a word that says so.
enum class Missing : std::uint8_t { error, zero, mean, skip };

struct TableProblem {
  std::uint64_t line = 0;  // of the piece, counted from 0
  std::string text;        // what is said behind it
};

// Cells of a feature that hold no number, nor are missing: words, and numbers that float32 cannot hold.
struct TableWords {
  std::uint64_t count = 0;
  std::uint64_t line = 0;  // of the first: of the piece, counted from 0
  std::string first{};     // its text
};

struct TableRows {
  Shared<TableLayout> layout;
  std::size_t file = 0;
  std::uint64_t lines_before = 0, lines = 0;  // of the file, before the piece's text, in no other; of the text
  std::size_t text_bytes = 0;
  std::size_t longest_row = 0;  // in bytes of text, with its line end

  std::size_t count = 0;               // rows
  const std::uint8_t* data = nullptr;  // (count x features) of `type`
  Pixel type = Pixel::uint8;
  Shared<Bytes> owner;                          // keeps them
  std::vector<std::uint32_t> labels;            // (count), classes or codes; none without labels
  std::vector<std::uint32_t> label_lines;       // (count), of the piece; of codes
  LabelTexts texts;                             // of codes
  std::vector<std::uint32_t> missing;           // of each feature in how many rows; empty: in none
  std::vector<TableWords> words;                // of each feature; empty: in none
  std::size_t missing_labels = 0, skipped = 0;  // rows; skipped: left out
  std::optional<TableProblem> problem;          // the first
  std::string error;                            // what is wrong with the file behind the text

  // Places of the row at hand, whose memory is used again.
  std::vector<std::uint32_t> ends, missing_here, words_here;
};

// Memory of rows, for pieces that are parsed at once.
class RowMemory {
 public:
  // At least so many bytes, from which rows come or in which they stay while somebody holds `owner`.
  std::uint8_t* take(std::size_t bytes, Shared<Bytes>& owner);
  // The same, of large places in which many pieces lie side by side and stay.
  std::uint8_t* place(std::size_t bytes, Shared<Bytes>& owner);

  std::atomic<bool> floats{false};  // a piece was no bytes: none after it need be tried as such

 private:
  std::mutex mutex_;
  Pool<Bytes> pool_;
  Shared<Bytes> block_;
  std::size_t used_ = 0, size_ = 0;  // of the block
};

struct ParseTable {
  Missing missing = Missing::error;
  std::optional<Pixel> type{};                    // of all rows; nothing: as each piece needs
  std::shared_ptr<const TableClasses> classes{};  // none: labels are codes
  bool words = false;                             // a word of a feature is counted, not refused
  bool kept = false;                              // rows are to stay in memory: in places of 4 MiB
  std::size_t text_bytes = 0;                     // of a piece, at most, where it is known: to state the bound
  std::size_t columns = 1;                        // then: of the table, as far as they are known; >= 1

  using Output = TableRows;
  void operator()(const TableText& text, TableRows& out) const;
  void reset() { memory_->floats = false; }
  // A cell is at least a byte of text. Of labels there may be room for twice as many.
  std::size_t most_rows() const { return text_bytes / columns + 1; }
  std::optional<std::size_t> payload_bytes() const {
    const std::size_t of_row = columns * (type == Pixel::uint8 ? 1 : sizeof(float)) + 4 * sizeof(std::uint32_t);
    return text_bytes ? std::optional(most_rows() * of_row + 3 * columns * sizeof(std::uint32_t)) : std::nullopt;
  }

  // State of its own, no options.
  std::shared_ptr<RowMemory> memory_ = std::make_shared<RowMemory>();
};

static_assert(verbs::Map<ParseTable, TableText, TableRows>);

}  // namespace sluice::stages
