// Tables for tests: their text in chunks, and the way from there to rows.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <sluice/stages/collect_table.hpp>
#include <sluice/stages/cut_table.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/parse_table.hpp>
#include "tests/support/drive.hpp"
#include "tests/support/files.hpp"

namespace sluice::stages::testing {

using sluice::test::contains;
using sluice::test::data_error;
using sluice::test::expect_error;

// Each in memory of just its size, so that a step beyond it is seen.
inline std::vector<Chunk> chunks_of(const std::string& text, std::size_t size, std::size_t file = 0) {
  std::vector<Chunk> all;
  for (std::size_t at = 0; at < text.size(); at += size) {
    Chunk& chunk = all.emplace_back();
    chunk.size = std::min(size, text.size() - at);
    std::uint8_t* const bytes = chunk.owner.renew().reserve(chunk.size);
    std::memcpy(bytes, text.data() + at, chunk.size);
    chunk.data = bytes;
    chunk.offset = at;
    chunk.file = file;
  }
  return all;
}

struct ReadTable {
  TableWanted wanted{.label = TableLabel::optional};
  Missing missing = Missing::error;
  std::size_t chunk = std::size_t{1} << 20, piece = 128 * 1024;
  std::size_t first_rows = 100;
  bool kept = false;
  std::vector<std::string> names{"t.csv", "u.csv", "v.csv"};
};

// What comes of the pieces of `files` goes to `take`; what is thrown goes on.
inline void pieces_of(const std::vector<std::string>& files, const ReadTable& how,
                      const std::function<void(const TableText&)>& take) {
  CutTable cut{.paths = how.names, .wanted = how.wanted, .first_rows = how.first_rows, .piece_bytes = how.piece};
  cut.paths.resize(files.size());
  TableText text;  // one for all
  const auto pull_all = [&] {
    while (cut.pull(text)) take(text);
  };
  for (std::size_t file = 0; file < files.size(); ++file)
    for (const Chunk& chunk : chunks_of(files[file], how.chunk, file)) {
      cut.push(chunk);
      pull_all();
    }
  cut.finish();
  pull_all();
}

inline CollectTable read_table(const std::vector<std::string>& files, const ReadTable& how = {}) {
  const ParseTable parse{.missing = how.missing, .kept = how.kept};
  CollectTable table;
  table.totals.files = InputFiles(how.names);
  TableRows rows;  // one for all
  pieces_of(files, how, [&](const TableText& text) {
    parse(text, rows);
    table(rows);
  });
  table.finish();
  return table;
}
inline CollectTable read_table(const std::string& text, const ReadTable& how = {}) {
  return read_table(std::vector<std::string>{text}, how);
}

inline std::string table_error(const std::vector<std::string>& files, const ReadTable& how = {}) {
  return data_error([&] { read_table(files, how); });
}
inline std::string table_error(const std::string& text, const ReadTable& how = {}) {
  return table_error(std::vector<std::string>{text}, how);
}

using Values = std::vector<std::vector<float>>;

inline Values values_of(const CollectTable& table) {
  Values all;
  for (const std::uint8_t* row : table.rows()) {
    std::vector<float>& values = all.emplace_back(table.features());
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = table.type() == Pixel::uint8 ? static_cast<float>(row[i]) : reinterpret_cast<const float*>(row)[i];
  }
  return all;
}

inline std::vector<std::string> labels_of(const CollectTable& table) {
  const TableClasses classes = table.totals.labels.classes(*table.totals.layout);
  std::vector<std::string> all;
  for (const std::uint16_t label : table.labels(classes))
    all.push_back(classes.words.empty() ? std::to_string(label) : classes.words[label]);
  return all;
}

}  // namespace sluice::stages::testing
