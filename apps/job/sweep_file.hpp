// What is done of a sweep, as a file: so that the same command goes on where the one before was interrupted.
//
// Lines of JSON (https://jsonlines.org): first what the data and the format are, then one for each run that ended,
// appended and flushed to the disk when it did. A run is known by what decides its result; a last line that was cut is
// passed over, and overwritten.
// Order and thread-safety: one thread at a time; one process a path, by a lock. Errors: stages::DataError naming the
// file and the line: no such file, one of other data, or one that another sweep writes; stages::WriteError.
//
//   SweepFile file("sweep.jsonl", known_by(options, data));
//   file.restore(sweep);       // the runs that are in it
//   file.add(sweep.runs[3]);   // one more
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <string>

#include "apps/job/sweep.hpp"

namespace sluice::apps {

class SweepFile {
 public:
  // data: by which it knows them.
  SweepFile(const std::string& path, const nlohmann::ordered_json& data);
  ~SweepFile();
  SweepFile(const SweepFile&) = delete;
  SweepFile& operator=(const SweepFile&) = delete;

  // How many of its runs are complete.
  std::size_t restore(Sweep& sweep) const;
  void add(const SweepRun& run);

 private:
  void read(const nlohmann::ordered_json& first);
  void append(const std::string& line);

  const std::string path_;
  int file_ = -1;
  std::map<std::string, nlohmann::ordered_json> runs_;  // by what decides them
};

}  // namespace sluice::apps
