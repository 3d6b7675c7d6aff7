#include "apps/job/checkpoint.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include <sluice/stages/bounded_json.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/model_file.hpp>
#include <sluice/stages/one_line.hpp>

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;
using stages::DamagedError;
using stages::DataError;

constexpr const char* version = "1";

ordered_json to_json(const Metrics& m) {
  return {{"loss", m.loss}, {"accuracy", m.accuracy}, {"count", m.count}};
}

[[noreturn]] void fail(const std::string& path, const std::string& text) {
  throw DamagedError(path + ": " + text);
}

// For an error message of one line.
std::string shown(const ordered_json& value) {
  const std::string text = value == "" ? "not given" : value.is_string() ? value.get<std::string>() : value.dump();
  return stages::one_line(text, text.size() > 40 ? 16 : 40);
}

// The values of a state of training; std::invalid_argument says what they are instead. The library would convert: -1
// or 1.5 to a count.
const ordered_json& member(const ordered_json& json, const char* name) {
  if (!json.is_object() || !json.contains(name)) throw std::invalid_argument(fmt::format("there is no '{}'", name));
  return json.at(name);
}
double number(const ordered_json& json, const char* name) {
  if (!json.is_number()) throw std::invalid_argument(fmt::format("{} is {}, expected a number", name, shown(json)));
  return json.get<double>();
}
std::size_t count(const ordered_json& json, const char* name) {
  if (!json.is_number_unsigned())
    throw std::invalid_argument(fmt::format("{} is {}, expected a whole number", name, shown(json)));
  return json.get<std::size_t>();
}
Metrics metrics(const ordered_json& json) {
  return {number(member(json, "loss"), "loss"), number(member(json, "accuracy"), "accuracy"),
          count(member(json, "count"), "count")};
}
Epoch epoch(const ordered_json& json) {
  Epoch e{count(member(json, "epoch"), "epoch"), metrics(member(json, "train")), metrics(member(json, "test")),
          number(member(json, "seconds"), "seconds")};
  if (json.contains("validation")) e.validation = metrics(json.at("validation"));
  return e;
}

constexpr std::size_t most_depth = 3;  // [{"train": {"loss": x}}]

ordered_json value(const stages::Metadata& metadata, const char* name) {
  const auto found = metadata.find(name);
  if (found == metadata.end()) throw std::invalid_argument(fmt::format("there is no '{}'", name));
  try {
    ordered_json json = stages::parse_bounded(found->second, most_depth);
    if (!json.is_discarded()) return json;
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(fmt::format("{} has {}", name, error.what()));
  }
  throw std::invalid_argument(fmt::format("{} is no JSON", name));
}

// What no run can have come to: it would be wrong from there on.
bool possible(const TrainingState& s, std::uint64_t epoch) {
  const double rows = s.sums["count"], hits = s.sums["hits"];
  const auto whole = [](double x) { return x >= 0 && x < 0x1p53 && x == std::floor(x); };
  for (std::size_t i = 0; i < s.epochs.size(); ++i)
    if (s.epochs[i].number != i + 1) return false;
  return epoch == s.epoch() && whole(rows) && whole(hits) && hits <= rows && s.seconds >= 0 &&
         (rows > 0 || (s.sums["loss"] == 0 && !s.epoch_start));
}

// What cannot be looked at is not taken for none: the run would begin anew and replace it.
bool exists_or_throws(const std::string& path) {
  std::error_code error;
  const bool found = std::filesystem::exists(path, error);
  if (error) throw DataError(fmt::format("{}: cannot be looked at: {}", path, error.message()));
  return found;
}

}  // namespace

ordered_json epochs_to_json(const std::vector<Epoch>& epochs) {
  ordered_json all = ordered_json::array();
  for (const Epoch& e : epochs) {
    all.push_back(
        {{"epoch", e.number}, {"train", to_json(e.train)}, {"test", to_json(e.test)}, {"seconds", e.seconds}});
    if (e.validation) all.back()["validation"] = to_json(*e.validation);
  }
  return all;
}

std::vector<Epoch> epochs_of(const ordered_json& json) {
  if (!json.is_array()) throw std::invalid_argument(fmt::format("the epochs are {}, expected an array", shown(json)));
  std::vector<Epoch> epochs;
  for (const ordered_json& e : json) epochs.push_back(epoch(e));
  return epochs;
}

void save(const std::string& path, const Checkpoint& c, stages::Replacement::Older older) {
  const TrainingState& state = c.state;
  // Numbers as JSON writes them are read back bit for bit.
  const auto number = [](double x) { return ordered_json(x).dump(); };
  stages::Metadata metadata{{"sluice.checkpoint", version},
                            {"sluice.job", c.job.dump()},
                            {"sluice.epoch", std::to_string(state.epoch())},
                            {"sluice.rows", number(state.sums["count"])},
                            {"sluice.loss", number(state.sums["loss"])},
                            {"sluice.hits", number(state.sums["hits"])},
                            {"sluice.seconds", number(state.seconds)},
                            {"sluice.epochs", epochs_to_json(state.epochs).dump()}};
  if (state.doubtful()) metadata["sluice.files"] = c.files;
  metadata.insert(c.about.begin(), c.about.end());
  stages::save_model(path, *state.weights, metadata, older,
                     {.earlier = state.doubtful() ? state.epoch_start.get() : nullptr, .best = state.best.get()});
}

Checkpoint load_checkpoint(const std::string& path) {
  stages::StoredModel stored = stages::load_model(path);
  const stages::Metadata& text = stored.metadata;
  if (!text.contains("sluice.checkpoint"))
    throw DataError(path + ": is a model, expected a checkpoint, which has the state of the training as well");
  if (text.at("sluice.checkpoint") != version)
    throw DataError(
        fmt::format("{}: is a checkpoint of version {}, expected {}: was it written by another version of sluice?",
                    path, shown(text.at("sluice.checkpoint")), version));
  if (!stored.checked) fail(path, "has no checksum, expected one in every checkpoint: was it changed?");
  Checkpoint c;
  TrainingState& state = c.state;
  std::uint64_t under_way = 0;
  try {
    c.job = value(text, "sluice.job");
    if (!c.job.is_object())
      throw std::invalid_argument(fmt::format("sluice.job is {}, expected an object", shown(c.job)));
    under_way = count(value(text, "sluice.epoch"), "sluice.epoch");
    state.sums.add({number(value(text, "sluice.loss"), "sluice.loss"),
                    number(value(text, "sluice.hits"), "sluice.hits"),
                    number(value(text, "sluice.rows"), "sluice.rows")});
    state.seconds = number(value(text, "sluice.seconds"), "sluice.seconds");
    state.epochs = epochs_of(value(text, "sluice.epochs"));
  } catch (const std::invalid_argument& error) {
    fail(path, fmt::format("has a state of training that cannot be read: {}", error.what()));
  }
  state.weights.renew() = std::move(stored.model);
  if (stored.earlier) state.epoch_start.renew() = std::move(*stored.earlier);
  if (stored.best) state.best.renew() = std::move(*stored.best);
  state.sound = !stored.earlier;
  if (!possible(state, under_way))
    fail(path, "has a state of training that cannot be: its epochs, rows and sums do not belong together");
  if (state.doubtful() && !text.contains("sluice.files"))
    fail(path, "has a state of training that cannot be read: there is no 'sluice.files'");
  if (state.doubtful()) c.files = text.at("sluice.files");
  if (const auto names = text.find("sluice.class_names"); names != text.end()) c.about.insert(*names);
  return c;
}

std::optional<FoundCheckpoint> find_checkpoint(const std::string& path) {
  const std::string previous = stages::previous_version(path);
  const bool found = exists_or_throws(path), older = exists_or_throws(previous);
  if (!found && !older) return std::nullopt;
  std::string trouble = path + ": is not there";
  if (found) {
    try {
      return FoundCheckpoint{load_checkpoint(path), path, {}};
    } catch (const DamagedError& error) {  // what cannot be read now may be whole, and newer
      if (!older) throw;
      trouble = error.what();
    }
  }
  try {
    return FoundCheckpoint{load_checkpoint(previous), previous, trouble};
  } catch (const DataError& error) {
    throw DataError(fmt::format("{}; and the one before, {}", trouble, error.what()));
  }
}

std::vector<Difference> differences(const ordered_json& stored, const ordered_json& wanted) {
  std::vector<Difference> all;
  for (const auto& [name, value] : wanted.items()) {
    const auto found = stored.find(name);
    if (found != stored.end() && *found == value) continue;
    const std::string text = value.is_string() && found != stored.end() && found->is_string() ? value : "";
    if (text.starts_with(digest_of_contents))
      all.push_back({fmt::format("{} has other contents ({}, there {})", name, shown(value), shown(*found)), true});
    else if (text.starts_with(digest_as_stored))
      all.push_back({fmt::format("{} is another file, or the same contents stored otherwise ({}, there {})", name,
                                 shown(value), shown(*found)),
                     true});
    else
      all.push_back({fmt::format("{} is {}, there {}", name, shown(value),
                                 found == stored.end() ? "it is unknown" : "it was " + shown(*found))});
  }
  return all;
}

}  // namespace sluice::apps
