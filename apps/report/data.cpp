// Everything that the page shows, as JSON. Numbers that are not finite become null.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/job/metrics.hpp"
#include "apps/report/evaluation_result.hpp"
#include "apps/report/profile.hpp"
#include "apps/report/sections.hpp"
#include "apps/report/text.hpp"

namespace sluice::apps::report {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t most_epochs = 2000;  // of more, evenly spread ones
constexpr std::size_t most_pairs = 1000;   // confused ones

ordered_json object(const std::vector<std::pair<std::string, std::string>>& pairs) {
  ordered_json json = ordered_json::object();
  for (const auto& [key, value] : pairs) json[key] = value;
  return json;
}

ordered_json epochs_as_json(const std::vector<Epoch>& epochs) {
  ordered_json json = ordered_json::array();
  for (const std::size_t i : thinned(epochs.size(), most_epochs)) json.push_back(to_json(epochs[i]));
  return json;
}

// The whole matrix as in the JSON of sluice eval, or the most confused pairs.
std::pair<const char*, ordered_json> confusion_as_json(const Report& r) {
  if (!has_predictions(r)) return {"confusion", nullptr};
  const EvaluationResult e = evaluated(r);
  if (e.classes.size() <= most_in_json_matrix) return {"confusion", to_json(e)["confusion"]};
  ordered_json pairs = ordered_json::array();
  for (std::size_t i = 0; i < std::min(most_pairs, e.confused.size()); ++i)
    pairs.push_back(
        {{"label", e.confused[i].label}, {"predicted", e.confused[i].predicted}, {"count", e.confused[i].count}});
  return {"confused", pairs};
}

}  // namespace

std::string data(const Report& r) {
  ordered_json graphs = ordered_json::array();
  for (const GraphPicture& picture : r.graphs)
    graphs.push_back(picture.stats ? to_json(*picture.stats) : ordered_json{{"graph", picture.graph}});
  const auto [confusion_name, confusion] = confusion_as_json(r);
  const ordered_json json = {{"schema", 1},
                             {"title", r.title},
                             {"outcome", r.outcome},
                             {"command", r.command},
                             {"options", object(r.options)},
                             {"facts", object(r.facts)},
                             {"class_names", r.class_names},
                             {"epochs", epochs_as_json(r.epochs)},
                             {confusion_name, confusion},
                             {"calibration", has_predictions(r) ? to_json(reliability(r)) : ordered_json(nullptr)},
                             {"graphs", graphs},
                             {"advice", r.advice}};
  return data_element("sluice-report", json);
}

}  // namespace sluice::apps::report
