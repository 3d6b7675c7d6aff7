// The rows of IDX files as a stream of a graph, of which no more is held than its capacities say; alone, or images with
// their labels.
//
//   parse.WHAT -> rows.WHAT                            (read_items.hpp)
//
//   rows.images -+
//                +-> pair -> batch
//   rows.labels -+
//
// files -> runs of `count` items. Errors: those of the stages, when the graph runs.
//
//   auto images = read_rows<stages::ItemKind::images>(g, "images", files, 512, {});
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include <sluice/pipeline/threads.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/input_files.hpp>
#include <sluice/stages/join.hpp>
#include <sluice/stages/lanes.hpp>
#include <sluice/stages/parse.hpp>
#include <sluice/stages/rows.hpp>
#include "apps/job/data_preparation.hpp"
#include "apps/job/job_data.hpp"
#include "apps/job/read_items.hpp"

namespace sluice::apps {

// By the first bytes of one of these files. Throws DataError.
stages::ItemLayout header_of(stages::ItemKind kind, const stages::InputFiles& files, std::size_t file,
                             const ReadItems& how);

// What the columns of a table are, by its first rows. Throws DataError.
stages::TableLayout look_at_table(const stages::InputFiles& table, const DataSettings& settings);
// How a table is read beside the one that is trained on: its features are those of that one, by their names, in that
// order.
ReadTable table_like(const DataSettings& settings, const stages::InputFiles& train);

// What the headers of images files say; nothing else of them is decoded. classes: taken over, 0: 10. Throws DataError.
struct ImagesHeader {
  stages::DataShape shape;
  stages::ItemCounts counts;  // images of each file
  std::size_t count() const { return static_cast<std::size_t>(stages::in_all(counts)); }
};
ImagesHeader images_header(const stages::InputFiles& images, std::size_t classes, const DataSettings& settings);

// Throws a DataError where the headers of files that wait for nobody promise other numbers of images than of labels,
// or cannot be read.
void check_headers(const stages::InputFiles& images, const stages::InputFiles& labels, const ReadItems& how);

// Throws a DataError where images and labels are not as many: as what run_reading() does, or of a run that failed.
void run_reading(Graph& graph, const stages::InputFiles& images, const stages::InputFiles& labels);
void rethrow_unequal(const StageError& error, const stages::InputFiles& images, const stages::InputFiles& labels);

// Throws a UsageError where both are the standard input or, if they are to be read, one is and nobody's but a person's.
void check_standard_input(const stages::InputFiles& images, const stages::InputFiles& labels, bool are_read);

// Whether what comes next of one of the files may have to be waited for: of a pipe or a terminal, say.
bool waits(const stages::InputFiles& files);

// Threads for a graph that reads `inputs`: as many as wanted, but one for each that waits, and one more. A body that
// waits keeps its thread, and what has come meanwhile needs another.
Threads threads_beside_waits(std::size_t wanted, const std::vector<stages::InputFiles>& inputs);

template <stages::ItemKind kind>
Stream<stages::Rows> read_rows(Graph& g, const std::string& what, const stages::InputFiles& files, std::size_t count,
                               const ReadItems& how) {
  const ItemStreams streams = read_items<kind>(g, what, files, how);
  stages::Regroup rows{.count = count, .at_once = how.at_once && waits(files)};
  if (const std::size_t bytes = item_bytes<kind>(how))
    rows.item_bytes = bytes, rows.chunk_bytes = std::max(streams.chunk_bytes, bytes);
  rows.begin = how.wanted.begin, rows.end = how.wanted.end;
  return g.expand("rows." + what, rows, streams.elements, capacity(2));
}

// What the lanes of this process decompress before their own rows, and what would spare it: one line; empty: nothing.
std::string read_before_lanes(const LabelledSet& set, const stages::LaneShare& share);

// Whether each file of images has its own of labels.
bool are_paired(const stages::InputFiles& images, const stages::InputFiles& labels);

// Of a lane the names of its stages end with its number: rows.images.3, pair.3.
// How those of a set that stays in its files are read.
LabelledFiles files_of(const LabelledSet& set, const std::string& prefix);

Stream<stages::LabelledRows> read_pairs(Graph& graph, const LabelledFiles& files, std::size_t count);
Stream<stages::Batch> read_batches(Graph& graph, const LabelledFiles& files, std::size_t count,
                                   const stages::ImagesWanted& wanted);

}  // namespace sluice::apps
