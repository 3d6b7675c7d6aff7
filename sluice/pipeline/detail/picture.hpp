// A graph for people: its arrows as text, its settings as a table.
#pragma once

#include <string>
#include <vector>

#include <sluice/pipeline/detail/stage.hpp>
#include <sluice/pipeline/stage_info.hpp>

namespace sluice::detail {

// The stages have been checked. One line for each path that covers an arrow not yet drawn, the longest first; a path
// that leaves a stage drawn above begins under it. -> carries a message each, => a shard each.
std::string picture(const Stages& stages);
std::string table(const std::vector<StageInfo>& stages);
std::string said(Concurrency concurrency);  // "up to 3"

}  // namespace sluice::detail
