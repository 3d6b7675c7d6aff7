// The subcommands of the sluice program: each declares its flags and does its work. The result is the exit code.
#pragma once

#include "apps/options.hpp"

namespace sluice::apps {

int train(const Options& options);
int graph(const Options& options);
int eval(const Options& options, const EvalOptions& of_eval);
int predict(const Options& options, const PredictOptions& of_predict);
int synth(const SynthOptions& options);
int inspect(const InspectOptions& options);

}  // namespace sluice::apps
