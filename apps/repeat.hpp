// The command line that repeats a run exactly: in another folder, with other defaults and another environment.
//
// From the flags as they took effect: every one that changes a result, the graphs or what is written is spelt out,
// paths are absolute, and nothing is taken from the environment. As a POSIX shell takes it back, whatever is in a path.
// classes: where they were counted, so that they are spelt out, too; 0: they were not.
// Pure functions, but for the working folder. Errors: none.
//
//   fmt::print("{}\n", repeating_command(options, files));   // sluice train --no-env --train-images /data/...
#pragma once

#include <cstddef>
#include <string>

#include "apps/input.hpp"
#include "apps/options.hpp"
#include "stages/data_files.hpp"

namespace sluice::apps {

std::string repeating_command(const Options& options, const stages::DataFiles& files, std::size_t classes = 0);
// Of images and their labels, if any, for a model: "-" stays the standard input, and a scale or names that are the
// model's own stay so.
std::string repeating_command(const Options& options, const LabelledFiles& files);

}  // namespace sluice::apps
