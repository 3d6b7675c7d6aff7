// What the graphs of a run counted, for programs.
//
// A pure function. Errors: none.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <sluice/pipeline/stats.hpp>

namespace sluice::apps {

// Every figure of GraphStats under its name, and the verdict.
nlohmann::ordered_json to_json(const GraphStats& stats);

}  // namespace sluice::apps
