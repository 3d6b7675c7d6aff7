// The sections of a report's page, each a complete <section> with its id, and its data. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "apps/report/evaluation_result.hpp"
#include "apps/report/report.hpp"

namespace sluice::apps::report {

std::string summary(const Report& report);      // #summary: result, facts, verdict
std::string curves(const Report& report);       // #curves: losses and accuracies over the epochs
std::string confusion(const Report& report);    // #confusion: the matrix, recall, the most confused pairs
std::string calibration(const Report& report);  // #calibration: confidence against accuracy; empty without predictions
std::string predictions(const Report& report);  // #predictions: images with true and predicted class
std::string templates(const Report& report);    // #weights: an image for each class
std::string graph(const Report& report);        // #graph: the picture of the graphs
std::string stages(const Report& report);       // #stages: a table and a verdict for each graph
std::string options(const Report& report);      // #options: every option, and the command line
std::string data(const Report& report);         // <script id="sluice-report">: all of it as JSON

// What they share.
std::string class_name(const Report& report, std::size_t c);  // escaped; "class 3" if it has no name
bool has_predictions(const Report& report);                   // one for every image of the test set
EvaluationResult evaluated(const Report& report);             // its predictions; no metrics, classes without names
stages::Reliability reliability(const Report& report);        // of its predictions
// Places of at most `most` of `count` things, evenly spread, the first and the last among them.
std::vector<std::size_t> thinned(std::size_t count, std::size_t most);

}  // namespace sluice::apps::report
