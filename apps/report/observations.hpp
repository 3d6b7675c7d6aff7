// What a run leaves to look at when it is over, however it ended: --trace, --picture, --report and --profile.
//
// What happened -> files, as the options name them, and the profile on stderr.
// Order and thread-safety: when nothing of the run goes on any more; one thread. Errors: stages::WriteError and
// PathError of a file that cannot be written; it keeps none of the others from being written, and the first such error
// is thrown in the end.
//
//   write_observations(options, observed);
#pragma once

#include <string>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include <sluice/pipeline/stats.hpp>
#include <sluice/pipeline/threads.hpp>
#include <sluice/pipeline/trace.hpp>
#include <sluice/stages/data_files.hpp>
#include <sluice/stages/model.hpp>
#include "apps/job/job_data.hpp"
#include "apps/job/options.hpp"
#include "apps/job/state.hpp"
#include "apps/terminal/log.hpp"

namespace sluice::apps {

struct Observed {
  const stages::DataFiles& files;
  const JobData& data;
  const RunState& state;
  const Threads& threads;
  const LogStyle& style;
  std::string command;                   // that repeats the run
  const Trace* trace;                    // nullptr: none was asked for
  std::vector<Graph*> graphs;            // load, train, evaluate, or as many of them as there were
  std::vector<GraphStats> counted;       // of each
  std::vector<std::string> class_names;  // one for each class
  stages::Weights weights;               // empty: it did not get to train
  // Of several processes: one trace of all; what they were; what the others' profiles say, and who was the slowest.
  std::string trace_of_all{}, processes{}, profiles_of_others{}, slowest{};
};

// What --profile says of each graph, or each an event; rank: of which process, empty: of the only one.
std::string profile_of(const LogStyle& style, const std::vector<GraphStats>& counted, const std::string& rank = "");

void write_observations(const Options& options, const Observed& run);

}  // namespace sluice::apps
