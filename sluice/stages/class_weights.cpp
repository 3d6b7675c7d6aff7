#include <sluice/stages/class_weights.hpp>

#include <algorithm>

namespace sluice::stages {

std::vector<float> balanced_class_weights(const Column<std::uint16_t>& labels, std::size_t classes) {
  std::vector<std::size_t> rows(classes);
  for (const std::uint16_t label : labels) ++rows[label];
  const auto there = static_cast<double>(classes) - static_cast<double>(std::count(rows.begin(), rows.end(), 0u));
  std::vector<float> weights(classes);
  for (std::size_t c = 0; c < classes; ++c)
    if (rows[c] > 0)
      weights[c] = static_cast<float>(static_cast<double>(labels.size()) / (there * static_cast<double>(rows[c])));
  return weights;
}

}  // namespace sluice::stages
