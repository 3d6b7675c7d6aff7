// The command line that repeats a run exactly: in another folder, with other defaults and another environment.
//
// Options as they took effect -> a line for a POSIX shell, whatever is in a path: every flag that changes a result, the
// graphs or what is written is spelt out, paths are absolute, and nothing is taken from the environment. Instruction
// set and decoder, on which no result depends, are left to the machine unless they were named. A command with
// --checkpoint goes on from that file, as it would if it were given again. data: what is known of the data; classes of
// 0 are left to be counted. Pure functions, but for the working folder. Errors: none.
//
//   fmt::print("{}\n", repeating_command(options, files, data));   // sluice train --no-env --train-images /data/...
#pragma once

#include <string>

#include <sluice/stages/data_files.hpp>
#include "apps/job/job_data.hpp"
#include "apps/job/options.hpp"

namespace sluice::apps {

std::string repeating_command(const Options& options, const stages::DataFiles& files, const JobData& data);
// As a model has it that may be given away: of each path only the file's name.
std::string command_to_store(const Options& options, const stages::DataFiles& files, const JobData& data);
// The command of eval or predict, whose inputs these are. A scale or names that are the model's own stay so.
// test: files of both.
std::string repeating_command(const Options& options, const LabelledFiles& files, const stages::InputFiles& test = {});

}  // namespace sluice::apps
