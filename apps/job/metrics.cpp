#include "apps/job/metrics.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sluice::apps {

Metrics means(const stages::Accumulator& sums) {
  const double rows = std::max(1.0, sums["count"]);
  return {sums["loss"] / rows, sums["hits"] / rows, static_cast<std::size_t>(sums["count"])};
}

nlohmann::ordered_json to_json(const Epoch& e) {
  return {{"epoch", e.number},        {"train_loss", e.train.loss},       {"train_accuracy", e.train.accuracy},
          {"test_loss", e.test.loss}, {"test_accuracy", e.test.accuracy}, {"seconds", e.seconds}};
}

}  // namespace sluice::apps
