#include "apps/metrics.hpp"

#include <algorithm>

namespace sluice::apps {

Metrics means(const stages::Accumulator& sums) {
  const double rows = std::max(1.0, sums["count"]);
  return {sums["loss"] / rows, sums["hits"] / rows, static_cast<std::size_t>(sums["count"])};
}

}  // namespace sluice::apps
