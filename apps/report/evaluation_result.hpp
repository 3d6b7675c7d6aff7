// What an evaluation came to: loss and accuracy, how good the model is for each class, what it confuses, and what its
// probabilities are worth.
//
// Metrics, Confusion, class names, Calibration -> EvaluationResult -> a table for people, JSON or CSV.
//   precision = right / predicted, recall = right / images, F1 = 2 right / (images + predicted)
//   loss: the log loss, the mean of -log p of the right class, in nats; ECE, MCE, top-k accuracy and ROC AUC as in
//   sluice/stages/calibration.hpp and roc.hpp, the AUC of a class against the rest, all of them from 0 to 1
// 0 / 0 is undefined: "-" in the table, null in JSON, empty in CSV. A macro average is the mean over the classes that
// occur among labels or predictions, an undefined value counted as 0, as scikit-learn's classification_report has it by
// default; that of ROC AUC is over the classes that have one. Numbers of JSON and CSV are read back exactly.
// Pure functions. Errors: std::invalid_argument if there is not one name for each class.
//
//   const EvaluationResult r = evaluation_result(metrics, confusion, names, &calibration);
//   fmt::print("{}", to_table(r));
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/stages/calibration.hpp>
#include <sluice/stages/confusion.hpp>
#include "apps/job/metrics.hpp"

namespace sluice::apps {

struct EvaluationResult {
  struct Quality {
    std::optional<double> precision, recall, f1;  // 0 to 1
  };
  struct Class : Quality {
    std::string name;
    std::uint64_t support = 0;    // images of it
    std::uint64_t predicted = 0;  // images that were taken for it
    std::uint64_t right = 0;      // both
    std::optional<double> roc_auc;
  };
  struct Confused {
    std::size_t label = 0, predicted = 0;  // two classes
    std::uint64_t count = 0;
    double share = 0;  // of the images with this label
  };

  struct TopK {
    std::size_t k = 1;
    std::optional<double> accuracy;
  };
  struct Probabilities {
    stages::Reliability reliability;
    std::vector<TopK> top;                     // for k = 1, 2, 3, 5, 10, as far as there are more classes than k
    bool roc_counted = false;                  // not beyond 64 classes
    std::optional<double> roc_auc, roc_error;  // the means of those of the classes
    std::size_t roc_classes = 0;               // over which they are the means
  };

  Metrics metrics;
  std::vector<Class> classes;
  Quality macro;
  std::size_t macro_classes = 0;   // over which it is the mean
  std::vector<Confused> confused;  // every pair that occurs, most often first, then by class
  stages::Confusion confusion;
  std::optional<Probabilities> probabilities;  // where they were counted
};

// calibration: null, or of the same classes.
EvaluationResult evaluation_result(const Metrics& metrics, const stages::Confusion& confusion,
                                   const std::vector<std::string>& class_names,
                                   const stages::Calibration* calibration = nullptr);

inline constexpr std::size_t most_in_json_matrix = 256;  // classes

// The whole matrix up to 16 classes; where there are more than 100, only those with the lowest F1.
std::string to_table(const EvaluationResult& result);

// {"command": "eval", "loss", "accuracy", "count", "classes": [{"class", "name", "precision", "recall", "f1",
// "support", "predicted"}], "macro": {"precision", "recall", "f1", "classes", "undefined_as": 0}, "confusion": [[...]],
// "confused": [{"label", "predicted", "label_name", "predicted_name", "count", "share"}]}. confusion[label][predicted],
// only up to 256 classes; of confused pairs the first 1000. Where probabilities were counted each class has "roc_auc",
// and there are "log_loss", "calibration": see below, "top_k_accuracy": {"1", "2", ...}, "roc_auc": {"macro",
// "classes", "error"}, null beyond 64 classes.
nlohmann::ordered_json to_json(const EvaluationResult& result);

// {"ece", "mce", "confidence", "bins": [{"from", "to", "count", "accuracy", "confidence"}]}: confidences are means,
// null without rows.
nlohmann::ordered_json to_json(const stages::Reliability& reliability);

// One table with a line of names, then one line a class: class,name,support,predicted,precision,recall,f1, and roc_auc
// where probabilities were counted. Quotes as in RFC 4180, lines end in \n. Totals are sums over its columns; what is
// of all classes together, as the loss, is only in the others.
std::string to_csv(const EvaluationResult& result);

}  // namespace sluice::apps
