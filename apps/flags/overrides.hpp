// --concurrency and --capacity, applied to the graphs of a job.
//
// STAGE=N of the options -> settings of the graphs' stages. STAGE is a stage's name, or the part of it before the dot
// (`inflate` for inflate.train-images and its siblings), in whichever graphs have it.
// Order and thread-safety: before a graph runs; one thread. Errors: UsageError for a name that no graph has, with the
// nearest one, for what a stage cannot be in any of them, and for what another one given behind it sets as well.
//
//   override_stages(options, {&training.graph(), &evaluation.graph()});
#pragma once

#include <vector>

#include <sluice/pipeline/graph.hpp>
#include "apps/job/options.hpp"

namespace sluice::apps {

void override_stages(const Options& options, const std::vector<Graph*>& graphs);

}  // namespace sluice::apps
