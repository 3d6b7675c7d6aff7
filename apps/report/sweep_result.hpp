// What a sweep came to: a table for people, one JSON object, CSV.
//
// A Sweep, its runs done or not -> text. Configurations are in the order of ranked(), with the mean over their runs
// and, of several, the deviation of the sample. Pure functions. Errors: none.
//
//   write_to_stdout(to_table(sweep, 80, 20));
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <functional>
#include <string>

#include "apps/job/sweep.hpp"

namespace sluice::apps {

// Of the first `most` configurations, in lines of at most so many columns.
std::string to_table(const Sweep& sweep, std::size_t columns, std::size_t most);

// One line a run: what differs, then seed,validation,epochs,result_epoch,... and its numbers. Quotes as in RFC 4180.
std::string to_csv(const Sweep& sweep);

// command: of a run, the one that repeats it.
nlohmann::ordered_json to_json(const Sweep& sweep, const std::function<std::string(const SweepRun&)>& command);

// "0.8492 +- 0.0003"; of one run without the deviation; empty: of none.
std::string to_text(const Spread& spread, const char* plus_minus = "+-");

// "--lr 0.1 --optimizer adam"
std::string in_words(const SweepConfiguration& configuration);

}  // namespace sluice::apps
