// Where the files that a run writes will lie: looked at before anything is trained, not after. And the standard output.
//
// Order and thread-safety: free functions; nothing is left behind. Errors: UsageError naming the flag and the file: an
// input that would be replaced, two outputs in one file, a folder that is missing or may not be written;
// stages::WriteError: the disk is full, or what is written to cannot be.
//
//   check_outputs(options, files);
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <vector>

#include <sluice/stages/data_files.hpp>
#include "apps/options.hpp"

namespace sluice::apps {

// Where one file is to be written: found before anything is read or trained, not after.
void check_output(const std::string& flag, const std::string& path, const std::vector<std::string>& inputs);
void check_outputs(const Options& options, const stages::DataFiles& inputs);

// The files of these inputs, and of the names of the classes: what no output may replace.
std::vector<std::string> files_read(const Options& options, const std::vector<stages::InputFiles>& inputs);

// Whether two names are of one file, through links and whether or not it is there.
bool same_file(const std::string& a, const std::string& b);

// Past stdio, at once. false: whoever reads the output has stopped, which is up to him.
bool write_to_stdout(const std::string& text);
bool write_json_to_stdout(const nlohmann::ordered_json& json);  // indented

// Tells who waits for something else that nobody reads the standard output any more.
class UnreadOutput {
 public:
  UnreadOutput();
  ~UnreadOutput();
  UnreadOutput(const UnreadOutput&) = delete;
  UnreadOutput& operator=(const UnreadOutput&) = delete;

  int wake() const { return wake_; }  // a descriptor that becomes readable then: for poll()

 private:
  int wake_;
};

}  // namespace sluice::apps
