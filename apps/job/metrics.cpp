#include "apps/job/metrics.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace sluice::apps {

Metrics means(const stages::Accumulator& sums) {
  const double rows = std::max(1.0, sums["count"]);
  return {sums["loss"] / rows, sums["hits"] / rows, static_cast<std::size_t>(sums["count"])};
}

std::optional<std::size_t> best_of(const std::vector<Epoch>& epochs, BestBy by) {
  std::optional<std::size_t> best;
  const auto better = [&](const Metrics& a, const Metrics& b) {
    return by == BestBy::loss ? a.loss < b.loss : a.accuracy > b.accuracy;
  };
  for (std::size_t i = 0; i < epochs.size(); ++i)
    if (epochs[i].validation && (!best || better(*epochs[i].validation, *epochs[*best].validation))) best = i;
  return best;
}

nlohmann::ordered_json to_json(const Epoch& e) {
  nlohmann::ordered_json json = {
      {"epoch", e.number},        {"train_loss", e.train.loss},       {"train_accuracy", e.train.accuracy},
      {"test_loss", e.test.loss}, {"test_accuracy", e.test.accuracy}, {"seconds", e.seconds}};
  if (e.validation) json["validation_loss"] = e.validation->loss, json["validation_accuracy"] = e.validation->accuracy;
  return json;
}

}  // namespace sluice::apps
