// The commands of the program, as main.cpp calls them.
//
// options -> the exit code. Errors are thrown: UsageError, stages::DataError, StageError and std::exception mean the
// exit codes that main.cpp gives them.
#pragma once

#include "apps/job/options.hpp"

namespace sluice::apps {

class Ranks;

// ranks: the processes of the job, of which this is one; nullptr: it is alone.
int train(const Options& options, Ranks* ranks = nullptr);
int graph(const Options& options);
int sweep(const Options& options, const SweepOptions& own);
int eval(const Options& options, const EvalOptions& own);
int predict(const Options& options, const PredictOptions& own);
int fetch(const Options& options, const FetchOptions& own);
int synth(const SynthOptions& options);
int inspect(const InspectOptions& options);
int index(const IndexOptions& options);

}  // namespace sluice::apps
