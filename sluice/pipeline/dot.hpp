// Graphs in the language of Graphviz, before a run or after it: a node for each stage, an edge for each arrow.
//
// Result: one digraph, whatever their number: viewers draw the first of a text and leave the others out. Several are
// clusters of it, each with its name; a node's name is unique in the text, its label is the stage with its settings.
// Edges of shards are bold, those that close a feedback dashed. Names are UTF-8. An input that is none of the stages
// has no edge. Pure function. Errors: none.
//
//   file << dot({{load.name(), load.stages()}, {train.name(), train.stages()}});   // dot -Tsvg, viz.js
//
// Source: "The DOT Language", graphviz.org.
#pragma once

#include <string>
#include <vector>

#include <sluice/pipeline/svg.hpp>

namespace sluice {

std::string dot(const std::vector<GraphPicture>& graphs);

}  // namespace sluice
