// The subcommands of the sluice program: each declares its flags and does its work. The result is the exit code.
#pragma once

#include <string>

#include "apps/options.hpp"

namespace sluice::apps {

// Writes to the standard error; whether anybody can read it changes nothing.
void say(const std::string& text);

int train(const Options& options);
int graph(const Options& options);
int synth(const SynthOptions& options);

}  // namespace sluice::apps
