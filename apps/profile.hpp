// What the graphs of a run counted, for programs; and what this program would change about it.
//
// Pure functions. Errors: none.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

#include <sluice/pipeline/stats.hpp>
#include "apps/options.hpp"

namespace sluice::apps {

// Every figure of GraphStats under its name, and the verdict.
nlohmann::ordered_json to_json(const GraphStats& stats);

// What to change about the flags, in words; empty where there is nothing to say. graphs: load, train, evaluate.
std::string advice(const Options& options, const std::vector<GraphStats>& graphs);

}  // namespace sluice::apps
