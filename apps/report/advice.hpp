// What this program would change about the flags of a run, from what its graphs counted.
//
// A pure function. Errors: none.
//
//   advice(options, {loading.stats(), training.stats()})   // "... --decoder libdeflate is about twice as fast"
#pragma once

#include <string>
#include <vector>

#include <sluice/pipeline/stats.hpp>
#include "apps/job/options.hpp"

namespace sluice::apps {

// In words; empty where there is nothing to say. graphs: load, train, evaluate.
std::string advice(const Options& options, const std::vector<GraphStats>& graphs);

}  // namespace sluice::apps
