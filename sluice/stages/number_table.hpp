// The rows of tables in their order: numbered, counted, and the first that is wrong is the error that is thrown.
//
//   cut -> parse -> number (NumberTable) -> ...    streamed
//   cut -> parse -> count (CountTable)             a first pass, in which no rows are kept
//   cut -> parse -> collect (collect_table.hpp)    in memory
//
// TableRows, in order -> LabelledElements, in order: runs of rows, each an image of one row of pixels, with their
// labels. Whoever takes TableRows keeps TableTotals of them: how many rows there are, what is missing, which labels.
// Order and thread-safety: an expand and sinks; one thread at a time; totals may be read when the run is over.
// Errors: DataError naming file and line: what is wrong with a row (parse_table.hpp) or with a file (cut_table.hpp), a
// file without rows, no row of which nothing is missing, more than most_classes different labels.
// std::invalid_argument for labels to be streamed whose classes are not known.
//
//   CountTable counted;
//   g.sink("count", std::ref(counted), rows);
//   g.run();
//   counted.totals.labels.classes(*counted.totals.layout)   // what the second pass has to know
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/elements.hpp>
#include <sluice/stages/input_files.hpp>
#include <sluice/stages/parse_table.hpp>
#include <sluice/stages/table_labels.hpp>

namespace sluice::stages {

// Rows with their labels. Elements::shape says how many there are of neither: a table does not promise it.
struct LabelledElements {
  Elements images;  // rows of a table: 1 x features
  Elements labels;  // as many, of bytes or float32 (label_of of label.hpp); none without labels
};

struct TableTotals {
  InputFiles files{};  // for error messages

  Shared<TableLayout> layout{};
  std::uint64_t rows = 0;
  std::uint64_t skipped = 0, missing_labels = 0;  // rows
  std::vector<std::uint64_t> missing{};           // of each feature in how many rows, also left out; empty: in none
  std::vector<TableWords> words{};  // of each feature, with the line in the file, from 1 on; empty: in none
  bool all_bytes = true;            // every value is a whole number 0 to 255
  std::size_t longest_row = 0, longest_text = 0;  // of text, in bytes: of a row, of a piece
  LabelsSeen labels{};                            // where classes were not known
  std::vector<std::uint64_t> first_rows{};        // of the files

  // Throws what is wrong. The code, or class, of the k-th row is then label(in, k).
  void add(const TableRows& in);
  std::uint32_t label(const TableRows& in, std::size_t row) const {
    const std::uint32_t code = in.labels[row];
    return code < most_classes ? code : codes_[code - most_classes];
  }
  void finish() const;  // throws where the last file has no rows, and where none is left of all
  void reset() { *this = {.files = files}; }

  std::uint64_t all_missing() const;

  // State of its own.
  std::uint64_t line_ = 0;              // of the file, before the next piece
  std::uint64_t rows_before_ = 0;       // those of the files before, with those that were left out
  std::vector<std::uint32_t> codes_{};  // of the texts of a piece
  void begin_file();
  void check_file() const;
  void add_labels(const TableRows& in);
  void add_words(const TableRows& in);
};

struct NumberTable {
  TableTotals totals{};
  std::shared_ptr<const TableClasses> classes{};  // what ParseTable makes of labels; none: there are none
  std::optional<std::size_t> piece_bytes{};       // ParseTable's bound, of which what is handed on keeps a part

  using Output = LabelledElements;
  void push(const TableRows& rows);
  bool pull(LabelledElements& out);
  void finish() const { totals.finish(); }
  void reset() { totals.reset(), rows_ = nullptr; }
  std::optional<std::size_t> payload_bytes() const { return piece_bytes; }

  // State of its own, no options.
  const TableRows* rows_ = nullptr;  // which are to be handed on
  Pool<Bytes> labels_{};
  void give_labels(const TableRows& in, LabelledElements& out);
};

struct CountTable {
  TableTotals totals{};

  void operator()(const TableRows& rows) { totals.add(rows); }
  void finish() const { totals.finish(); }
  void reset() { totals.reset(); }
};

static_assert(verbs::Expand<NumberTable, TableRows, LabelledElements> && verbs::Sink<CountTable, TableRows>);

}  // namespace sluice::stages
