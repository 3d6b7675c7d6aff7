// What the probabilities of a model are worth: how often it is right where it says how sure it is, how near the right
// class is to the top, and how well each class is told from the rest.
//
// scored shards with labels -> counts:
//   reliability   rows by their confidence, the probability of the predicted class, in 15 bins of equal width; its
//                 expected error is sum over bins of n_b / n x |accuracy_b - confidence_b|
//   ranks         how many classes are above the right one, by probability, the lower class first on ties; nothing is
//                 above a class that was predicted, so that top-1 accuracy is the accuracy
//   roc           rows by the log odds of each class (sluice/stages/roc.hpp); nothing beyond 64 classes
// A probability is float32. Where one is next to 1, 1 - p is the sum of the others, and that of the label is computed
// anew, so that neither is lost in a rounding: log odds are right to 1e-5 between -32 and 32, whatever their size. They
// take the kernels' exp and log, so that the counts are the same on every machine.
// Memory: that of roc. Order and thread-safety: a sink, one scored shard at a time; sums of confidences are in double
// in the order of the rows, so the same however these were cut; read it when the run is over. Errors:
// std::invalid_argument for a batch without labels or scores of another number of classes, std::out_of_range for a
// label beyond `classes`. After: Guo et al., On Calibration of Modern Neural Networks, ICML 2017 (expected and maximum
// calibration error).
//
//   Calibration calibration{.classes = 10};
//   g.sink("calibration", std::ref(calibration), scored);
//   g.run();
//   calibration.reliability.expected_error()   // 0.0123: by so much confidence and accuracy differ
//   calibration.top(5)                         // 0.98: of so many rows the right class is among the first five
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/forward.hpp>
#include <sluice/stages/roc.hpp>

namespace sluice::stages {

struct Reliability {
  struct Bin {
    std::uint64_t rows = 0, hits = 0;
    double confidence = 0;  // the sum over its rows

    std::optional<double> accuracy() const;  // no value without rows
    std::optional<double> mean_confidence() const;
  };
  static constexpr std::size_t count = 15;
  std::array<Bin, count> bins{};  // from b / 15 to below (b + 1) / 15; 1 is in the last

  void add(float confidence, bool hit);          // one row more; confidence: 0 to 1
  Bin all() const;                               // rows of all bins
  std::optional<double> expected_error() const;  // ECE: 0 to 1
  std::optional<double> largest_error() const;   // MCE: of the bins that have rows
};

struct Calibration {
  static constexpr std::size_t most_ranks = 10;

  std::size_t classes = 0;  // 2 .. 65536
  Reliability reliability{};
  std::array<std::uint64_t, most_ranks> ranks{};  // rows with so many classes above the right one
  RocCounts roc{.classes = classes};

  void operator()(const Scored& scored);
  void reset();  // no rows

  // The share of rows whose right class is among the k first; k: 1 .. most_ranks. No value without rows.
  std::optional<double> top(std::size_t k) const;
};

static_assert(verbs::Sink<Calibration, Scored>);

}  // namespace sluice::stages
