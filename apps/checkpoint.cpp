#include "apps/checkpoint.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <new>
#include <system_error>

#include "stages/errors.hpp"
#include "stages/model_file.hpp"

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;
using stages::DataError;

constexpr const char* version = "1";

ordered_json to_json(const Metrics& m) {
  return {{"loss", m.loss}, {"accuracy", m.accuracy}, {"count", m.count}};
}

Metrics metrics(const ordered_json& json) {
  return {json.at("loss").get<double>(), json.at("accuracy").get<double>(), json.at("count").get<std::size_t>()};
}

// What is wrong with a file that has the right checksum is that it was never one of these.
[[noreturn]] void fail(const std::string& path, const std::string& text) {
  throw DataError(path + ": " + text);
}

std::string shown(const ordered_json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  return text.size() > 40 ? text.substr(0, 16) + "..." : text;
}

// What cannot be looked at is not taken for none: the run would begin anew and replace it.
bool is_there(const std::string& path) {
  std::error_code error;
  const bool found = std::filesystem::exists(path, error);
  if (error) fail(path, fmt::format("cannot be looked at: {}", error.message()));
  return found;
}

}  // namespace

void save(const std::string& path, const Checkpoint& c, stages::Replacement::Older older) {
  ordered_json epochs = ordered_json::array();
  for (const Epoch& e : c.epochs)
    epochs.push_back(
        {{"epoch", e.number}, {"train", to_json(e.train)}, {"test", to_json(e.test)}, {"seconds", e.seconds}});
  // Numbers as JSON writes them are read back bit for bit.
  const auto number = [](double x) { return ordered_json(x).dump(); };
  stages::save_model(path, c.model,
                     {{"sluice.checkpoint", version},
                      {"sluice.job", c.job.dump()},
                      {"sluice.epoch", std::to_string(c.epoch)},
                      {"sluice.rows", number(c.sums["count"])},
                      {"sluice.loss", number(c.sums["loss"])},
                      {"sluice.hits", number(c.sums["hits"])},
                      {"sluice.seconds", number(c.seconds)},
                      {"sluice.epochs", epochs.dump()}},
                     older);
}

Checkpoint load_checkpoint(const std::string& path) {
  stages::StoredModel stored = stages::load_model(path);
  const stages::Metadata& text = stored.metadata;
  if (!text.contains("sluice.checkpoint"))
    fail(path, "is a model, expected a checkpoint, which has the state of the training as well");
  if (text.at("sluice.checkpoint") != version)
    fail(path, fmt::format("is a checkpoint of version {}, expected {}: was it written by another version of sluice?",
                           shown(text.at("sluice.checkpoint")), version));
  if (!stored.checked) fail(path, "has no checksum, expected one in every checkpoint: was it changed?");
  Checkpoint c;
  try {
    const auto json = [&](const char* name) { return ordered_json::parse(text.at(name)); };
    c.job = json("sluice.job");
    c.epoch = json("sluice.epoch").get<std::uint64_t>();
    c.sums.add(
        {json("sluice.loss").get<double>(), json("sluice.hits").get<double>(), json("sluice.rows").get<double>()});
    c.seconds = json("sluice.seconds").get<double>();
    for (const ordered_json& e : json("sluice.epochs"))
      c.epochs.push_back({e.at("epoch").get<std::size_t>(), metrics(e.at("train")), metrics(e.at("test")),
                          e.at("seconds").get<double>()});
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {  // of the JSON library, or a name that is missing
    fail(path, fmt::format("has a state of training that cannot be read: {}", error.what()));
  }
  const double rows = c.sums["count"];
  if (!c.job.is_object() || c.epoch != c.epochs.size() + 1 || !(rows >= 0 && rows < 0x1p53) ||
      rows != std::floor(rows) || !std::isfinite(c.sums["loss"]))
    fail(path, "has a state of training that cannot be: its epochs, rows and sums do not belong together");
  c.model = std::move(stored.model);
  return c;
}

std::optional<FoundCheckpoint> find_checkpoint(const std::string& path) {
  const std::string previous = stages::previous_version(path);
  const bool there = is_there(path), older = is_there(previous);
  if (!there && !older) return std::nullopt;
  if (!there) return FoundCheckpoint{load_checkpoint(previous), previous, path + ": is not there"};
  try {
    return FoundCheckpoint{load_checkpoint(path), path, {}};
  } catch (const DataError& error) {
    if (!older) throw;
    try {
      return FoundCheckpoint{load_checkpoint(previous), previous, error.what()};
    } catch (const DataError&) {
      throw error;  // of the one that was asked for
    }
  }
}

std::vector<std::string> differences(const ordered_json& stored, const ordered_json& wanted) {
  std::vector<std::string> all;
  for (const auto& [name, value] : wanted.items()) {
    const auto found = stored.find(name);
    if (found != stored.end() && *found == value) continue;
    all.push_back(fmt::format("{} is {}, there {}", name, shown(value),
                              found == stored.end() ? "it is unknown" : "it was " + shown(*found)));
  }
  return all;
}

}  // namespace sluice::apps
