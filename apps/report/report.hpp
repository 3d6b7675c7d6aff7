// A run as one page: training curves, confusion matrix, calibration, predictions, weights, graphs with the bottleneck,
// options.
//
// Report -> one self-contained HTML document: inline SVG and PNG, no request to anywhere, light and dark, printable,
// all of its data as JSON in <script type="application/json" id="sluice-report">. Below 2 MB whatever the data set. A
// pure function. Errors: std::runtime_error if a PNG cannot be encoded.
//
//   std::ofstream("run.html") << html(report);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sluice/pipeline/stats.hpp>
#include <sluice/pipeline/svg.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/model.hpp>
#include "apps/job/metrics.hpp"
#include "apps/job/predictions.hpp"

namespace sluice::apps {

struct Report {
  std::string title;    // "sluice train"
  std::string outcome;  // empty, or why the run ended early: "interrupted in epoch 3"
  std::string command;  // the command line that repeats the run
  std::vector<std::pair<std::string, std::string>> options;  // every effective one, in order
  std::vector<std::pair<std::string, std::string>> facts;  // version, images, seconds, peak memory, weights_sha256 ...
  std::vector<std::string> class_names;                    // one for each class
  std::vector<Epoch> epochs;                               // may be empty
  std::size_t result_epoch = SIZE_MAX;                     // place of that whose model this is; behind them: the last
  const stages::DataSet* test = nullptr;
  const stages::Model* model = nullptr;
  Predictions predictions;           // of the test set; may be empty
  std::vector<GraphPicture> graphs;  // with statistics
  std::string advice;                // what this program would change; may be empty
};

std::string html(const Report& report);

}  // namespace sluice::apps
