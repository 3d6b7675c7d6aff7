// Decoded bytes of table files -> pieces of whole rows, as views of the bytes where they lie.
//
// chunks, in order, of one file or of several -> TableText, in order: some rows each, about piece_bytes of text, so
// that several threads share a chunk. Only the row that straddles two chunks is copied. A piece ends with a line end,
// but the last of a file may not have one. A line end within a quoted cell ends no row; nothing here is looked at but
// line ends and quotes.
// The header is taken off each file. Of the first one it, and the first rows, say what the columns are
// (table_layout.hpp), where nobody knows it yet; those that come after must have the same header.
// Order and thread-safety: an expand; one thread at a time.
// Errors: those of find_layout, a header that is another than that of the first file, and a row of more than row_bytes.
// What is wrong is a piece of its own, the last one, and thrown by whoever takes the pieces in order
// (number_table.hpp): then the first error of the files is the one that is said, whatever the threads.
// std::invalid_argument: find_layout's.
//
//   auto text = g.expand("cut", CutTable{.paths = {path}}, chunks, capacity(4));
//
// Format: RFC 4180, 2.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/chunk.hpp>
#include <sluice/stages/shared.hpp>
#include <sluice/stages/table_layout.hpp>
#include <sluice/stages/table_text.hpp>

namespace sluice::stages {

struct TableText {
  Shared<TableLayout> layout;
  Shared<Bytes> owner;    // keeps the text
  std::string_view text;  // rows, each with its line end; maybe none, of a file that has none
  std::size_t file = 0;
  std::uint64_t lines_before = 0;  // of the file, that are in no piece: a header's
  std::size_t too_long = 0;        // the text is the beginning of a row of more bytes than that; nothing comes after it
  std::string error;               // what is wrong with the file from here on; nothing comes after it
};

struct CutTable {
  std::vector<std::string> paths{};        // of the files, for error messages
  TableWanted wanted{};                    // of the columns
  Shared<TableLayout> layout{};            // what they are, where somebody knows: then nothing is `wanted`
  std::size_t first_rows = 100;            // by which the columns are found, at most; 2: of rows that are waited for
  std::size_t piece_bytes = 128 * 1024;    // of text, at most, unless a row is longer; >= 1
  std::size_t row_bytes = most_row_bytes;  // of a row's text, at most, if they are more than piece_bytes
  std::size_t chunk_bytes = 0;             // of the chunks that come, at most, where it is known: what a piece keeps

  using Output = TableText;
  void push(const Chunk& chunk);
  bool pull(TableText& out);
  void finish() { state_.over = true; }
  void reset() { state_ = {}; }
  std::optional<std::size_t> payload_bytes() const {
    return chunk_bytes ? std::optional(std::max(chunk_bytes, most_bytes())) : std::nullopt;
  }
  // The part of a row, in a string that grows.
  std::size_t state_bytes() const { return chunk_bytes ? 2 * most_bytes() : 0; }

  // State of its own, no options.
  struct State {
    Chunk next;             // which is begun with when the file before it is through
    bool has_next = false;  // of the file at hand, or of one behind it
    bool over = false;      // no more chunks
    bool through = false;   // nothing more is given
    std::size_t file = 0;
    bool begun = false;       // the header has been passed
    bool ended = false;       // `text` is the last of the file
    bool given = false;       // something of the file was handed on
    std::uint64_t lines = 0;  // of the header
    Shared<TableLayout> layout;
    Shared<Bytes> owner;
    std::string_view text;  // what is left of the bytes at hand
    std::string partial;    // of the first rows, or of a row that began in an earlier chunk
    std::size_t tried = 0;  // how long it was when the header was last looked for
    RowScan scan{};         // of it, where it is a row
  };
  const std::string& path() const { return paths[state_.file]; }
  std::size_t most_bytes() const { return std::max(row_bytes, piece_bytes); }  // of a row
  bool next_text(TableText& out);
  void end();
  void take_chunk();
  bool end_file(TableText& out);
  bool begin();
  std::optional<std::size_t> header_bytes(std::string_view beginning);
  void check_header(std::string_view row) const;
  bool complete_row(TableText& out);
  bool cut(TableText& out);
  std::size_t whole_rows(RowScan& scan) const;
  std::string_view separators() const { return {&state_.layout->separator, 1}; }
  std::string_view copy(std::string_view text, Shared<Bytes>& owner);
  void keep(std::string_view text);
  void give(std::string_view text, TableText& out);
  State state_{};
  Pool<Bytes> copies_{};
};

static_assert(verbs::Expand<CutTable, Chunk, TableText>);

}  // namespace sluice::stages
