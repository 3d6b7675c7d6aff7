// The rows of IDX files as a stream of a graph, of which no more is held than its capacities say.
//
//   inflate.WHAT -> parse.WHAT -> rows.WHAT
//
// path: a file, several with commas between, or "-" for the standard input -> runs of `count` items. at_once: a run
// ends where a pipe would have to be waited for. Errors: those of the stages, when the graph runs.
//
//   auto images = read_rows<stages::IdxKind::images>(g, "images", path, 512);
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/graph.hpp"
#include "stages/data_files.hpp"
#include "stages/each_file.hpp"
#include "stages/inflate.hpp"
#include "stages/parse.hpp"
#include "stages/rows.hpp"

namespace sluice::apps {

inline constexpr const char* standard_input = "standard input";

// Throws a DataError where images and labels are not as many.
void rethrow_unequal(const StageError& error, const std::string& images, const std::string& labels);

template <stages::IdxKind kind>
Stream<stages::Rows> read_rows(Graph& g, const std::string& what, const std::string& path, std::size_t count,
                               bool at_once = false) {
  const bool input = path == "-";
  const std::vector<std::string> paths = input ? std::vector<std::string>{standard_input} : stages::file_list(path);
  stages::EachFile<stages::Inflate> inflate;
  for (const std::string& one : paths)
    inflate.files.push_back({.path = one, .input = input ? 0 : -1, .at_once = at_once});
  auto chunks = g.source("inflate." + what, std::move(inflate), capacity(2));
  auto elements = g.expand("parse." + what, stages::ParseIdx<kind>{.paths = paths}, chunks, capacity(4));
  return g.expand("rows." + what, stages::Regroup{.count = count, .at_once = at_once}, elements, capacity(2));
}

}  // namespace sluice::apps
