// What a training run came to, as it is printed on stdout: in words, or as JSON.
//
// Pure functions, but for the peak of the memory. Errors: none.
//
//   write_to_stdout(options.json ? to_json(options, files, data, state, {}).dump(2) : to_text(options, data, state));
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include <sluice/pipeline/stats.hpp>
#include <sluice/stages/data_files.hpp>
#include "apps/job/job_data.hpp"
#include "apps/job/options.hpp"
#include "apps/job/state.hpp"

namespace sluice::apps {

// The most memory that this process has had at a time, whoever started it.
std::size_t peak_rss_bytes();

// The options as they took effect.
nlohmann::ordered_json effective(const Options& options, const stages::DataFiles& files, const JobData& data);

nlohmann::ordered_json to_json(const Options& options, const stages::DataFiles& files, const JobData& data,
                               const RunState& state, const std::vector<GraphStats>& profiles);
// processes: of several, how many, in words.
std::string to_text(const Options& options, const JobData& data, const RunState& state,
                    const std::string& processes = {});

}  // namespace sluice::apps
