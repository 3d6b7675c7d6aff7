// A sweep as one page: the curves of all its jobs, mean and spread over seeds and folds, a heat map of two flags, a
// table.
//
// Sweep -> one self-contained HTML document in the manner of report.hpp, with what to_json() says of it in <script
// type="application/json" id="sluice-sweep">. What is drawn is the accuracy of the validation, or without one that of
// the test set, by which nothing is chosen. A pure function. Errors: none.
//
//   std::ofstream("sweep.html") << sweep_page(sweep, {{"seconds", "2.2"}}, {{"best", "sluice train --lr 0.1"}}, json);
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <utility>
#include <vector>

#include "apps/job/sweep.hpp"

namespace sluice::apps {

// commands: what each is, and its line.
std::string sweep_page(const Sweep& sweep, const std::vector<std::pair<std::string, std::string>>& facts,
                       const std::vector<std::pair<std::string, std::string>>& commands,
                       const nlohmann::ordered_json& json);

}  // namespace sluice::apps
