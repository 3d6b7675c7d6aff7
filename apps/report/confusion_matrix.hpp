// How often images of each class were taken for each class.
//
//   const ConfusionMatrix m(test, predictions);
//   m.at(shirt, coat)   // shirts that were taken for coats
#pragma once

#include <cstddef>
#include <vector>

#include "apps/predictions.hpp"
#include "stages/dataset.hpp"

namespace sluice::apps::report {

struct ConfusionMatrix {
  std::size_t classes = 0;
  std::vector<std::size_t> counts;  // (classes x classes): true class, predicted class

  ConfusionMatrix(const stages::DataSet& test, const Predictions& predictions)
      : classes(test.classes), counts(classes * classes) {
    for (std::size_t i = 0; i < test.size(); ++i) ++counts[test.labels[i] * classes + predictions.predicted[i]];
  }
  std::size_t at(std::size_t label, std::size_t predicted) const { return counts[label * classes + predicted]; }
  std::size_t images(std::size_t label) const {
    std::size_t sum = 0;
    for (std::size_t c = 0; c < classes; ++c) sum += at(label, c);
    return sum;
  }
  std::size_t right() const {
    std::size_t sum = 0;
    for (std::size_t c = 0; c < classes; ++c) sum += at(c, c);
    return sum;
  }
  // Of the images of a class, the share that was taken for one; 0 where the class has no images.
  double share(std::size_t label, std::size_t predicted) const {
    const std::size_t all = images(label);
    return all == 0 ? 0 : static_cast<double>(at(label, predicted)) / static_cast<double>(all);
  }
};

}  // namespace sluice::apps::report
