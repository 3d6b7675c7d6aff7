// Where the files that a run writes will lie: looked at before anything is read or trained, not after.
//
// Order and thread-safety: free functions; nothing is left behind. Errors: UsageError naming the flag and the file: an
// input that would be replaced, two outputs in one file, a folder that is missing or may not be written;
// stages::WriteError: the disk is full, say.
//
//   check_outputs(options, files);
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <sluice/stages/data_files.hpp>
#include "apps/job/options.hpp"

namespace sluice::apps {

void check_output(const std::string& flag, const std::string& path, const std::vector<std::string>& inputs);
// outputs: flag and file; empty: none.
void check_outputs(std::vector<std::pair<std::string, std::string>> outputs, const std::vector<std::string>& inputs);
void check_outputs(const Options& options, const stages::DataFiles& inputs);

// The files of these inputs, and of the names of the classes: what no output may replace.
std::vector<std::string> files_read(const Options& options, const std::vector<stages::InputFiles>& inputs);

// Whether two names are of one file, through links and whether or not it is there.
bool same_file(const std::string& a, const std::string& b);

}  // namespace sluice::apps
