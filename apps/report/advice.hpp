// What a run's time went into, and what this program would change about its flags, from what its graphs counted.
//
// Pure functions. Errors: none.
//
//   where_the_time_goes({loading.stats(), training.stats()})   // {"load, 67 % of the time in graphs: bottleneck: ..."}
//   advice(options, shape, Compression::gzip, {loading.stats(), training.stats()})   // "... --decoder libdeflate is
//   about twice as fast"
#pragma once

#include <string>
#include <vector>

#include <sluice/pipeline/stats.hpp>
#include <sluice/stages/codec.hpp>
#include <sluice/stages/dataset.hpp>
#include "apps/job/options.hpp"

namespace sluice::apps {

// What bounds the whole run, in words: the graph that took the longest first, with its share of the time of all; then
// the training, where that is another. graphs: load, train, evaluate.
std::vector<std::string> where_the_time_goes(const std::vector<GraphStats>& graphs);

// In words; empty where there is nothing to say. shape and compression: of the training images. graphs: load, train,
// evaluate.
std::string advice(const Options& options, const stages::DataShape& shape, stages::Compression compression,
                   const std::vector<GraphStats>& graphs);

}  // namespace sluice::apps
