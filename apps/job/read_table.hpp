// Tables as a stream of a graph: decompressed, cut into rows, parsed on any thread.
//
//   ... -> inflate.WHAT (read_items.hpp) -> cut.WHAT -> parse.WHAT
//
// and numbered, in runs of as many rows:
//
//   parse.WHAT -> number.WHAT -> rows.WHAT
//
// files -> their rows, in order. Errors: those of the stages, when the graph runs; whoever takes rows in order throws.
//
//   auto rows = read_table(g, "train", files, {.kept = true});
//   g.sink("collect.train", std::ref(table), rows.rows);
#pragma once

#include <cstddef>
#include <string>

#include <sluice/pipeline/graph.hpp>
#include <sluice/stages/input_files.hpp>
#include <sluice/stages/join.hpp>
#include <sluice/stages/number_table.hpp>
#include <sluice/stages/parse_table.hpp>
#include "apps/job/read_items.hpp"
#include "apps/job/tables.hpp"

namespace sluice::apps {

struct TableStreams {
  Stream<stages::Chunk> chunks;
  Stream<stages::TableRows> rows;
  std::size_t chunk_bytes;  // of text, at most, where it is known
};

TableStreams read_table(Graph& graph, const std::string& what, const stages::InputFiles& files, const ReadTable& how,
                        const ReadItems& decoding);

// With labels where `how` says so, in runs of `count`.
Stream<stages::LabelledRows> read_table_rows(Graph& graph, const std::string& what, const stages::InputFiles& files,
                                             const ReadTable& how, const ReadItems& decoding, std::size_t count);

}  // namespace sluice::apps
