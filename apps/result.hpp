// What a training run came to: the numbers of its epochs, and how they are said.
//
// Order and thread-safety: plain values and pure functions. Errors: none of their own.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include <sluice/pipeline/stats.hpp>
#include <sluice/stages/data_files.hpp>
#include "apps/job_data.hpp"
#include "apps/metrics.hpp"
#include "apps/options.hpp"

namespace sluice::apps {

struct Result {
  std::vector<Epoch> epochs;
  double load = 0, train = 0, eval = 0, total = 0;  // seconds
  std::string sha256;                               // of the weights
  std::string checkpoint;                           // that was written; empty: none
  std::string resumed_from;                         // file; empty: the run began anew
  std::size_t resumed_epoch = 0, resumed_step = 0;  // where it went on: after this step of this epoch
  std::size_t resumed_epochs = 0;                   // that were complete then
};

std::size_t peak_rss_bytes();

// The options as they took effect.
nlohmann::ordered_json effective(const Options& options, const stages::DataFiles& files, const JobData& data);

nlohmann::ordered_json to_json(const Options& options, const stages::DataFiles& files, const JobData& data,
                               const Result& result, const std::vector<GraphStats>& profiles);
std::string to_text(const Options& options, const JobData& data, const Result& result);

}  // namespace sluice::apps
