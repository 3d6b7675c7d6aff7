// Graphs as a picture, before a run or after it: boxes for stages, arrows for streams, dashed ones back to a feedback.
//
// Names, settings and, with statistics, what happened: a box's colour is its stage's busy share, an arrow's width the
// rate of messages, its label the queue's high-water mark and capacity; the bottleneck is framed and named below. Every
// box has all its figures as its title (what a viewer shows under the pointer). Names are UTF-8.
// Result: a complete SVG document, the graphs one below the other; nothing in it refers to anything outside; light and
// dark follow the viewer's preference. Pure functions. Errors: none.
//
//   file << svg({{graph.name(), graph.stages(), graph.stats()}});
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sluice/pipeline/stage_info.hpp>
#include <sluice/pipeline/stats.hpp>

namespace sluice {

struct GraphPicture {
  std::string graph;
  std::vector<StageInfo> stages;  // Graph::stages()
  std::optional<GraphStats> stats{};
};

std::string svg(const std::vector<GraphPicture>& graphs);

}  // namespace sluice
