#include "apps/report/sweep_result.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "apps/terminal/plain_text.hpp"

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;

struct Number {
  const char* title;
  const char* key;
  double (*of)(const Epoch&);
  bool validation, in_table;
};
constexpr Number numbers[] = {
    {"validation loss", "validation_loss", [](const Epoch& e) { return e.validation->loss; }, true, true},
    {"accuracy", "validation_accuracy", [](const Epoch& e) { return e.validation->accuracy; }, true, true},
    {"test loss", "test_loss", [](const Epoch& e) { return e.test.loss; }, false, false},
    {"test accuracy", "test_accuracy", [](const Epoch& e) { return e.test.accuracy; }, false, true},
    {"train loss", "train_loss", [](const Epoch& e) { return e.train.loss; }, false, false}};

bool shown(const Sweep& sweep, const Number& number) {
  return sweep.validated || !number.validation;
}

std::string value_of(const SweepConfiguration& c, const std::string& flag) {
  const auto found = std::find_if(c.flags.begin(), c.flags.end(), [&](const auto& one) { return one.first == flag; });
  return found == c.flags.end() ? "-" : found->second;
}

double seconds_of(const SweepRun& run) {
  double seconds = 0;
  for (const Epoch& e : run.state.training.epochs) seconds += e.seconds;
  return seconds;
}

}  // namespace

std::string to_text(const Spread& s, const char* plus_minus) {
  const auto number = [](double x) { return std::abs(x) < 1e4 ? fmt::format("{:.4f}", x) : fmt::format("{:.4g}", x); };
  if (s.count == 0) return "";
  return s.count == 1 ? number(s.mean) : fmt::format("{} {} {}", number(s.mean), plus_minus, number(s.deviation));
}

std::string in_words(const SweepConfiguration& c) {
  std::string words;
  for (const auto& [flag, value] : c.flags) words += fmt::format("{}{} {}", words.empty() ? "" : " ", flag, value);
  return words;
}

std::string to_table(const Sweep& sweep, std::size_t columns_there, std::size_t most) {
  std::vector<std::string> head{"#"};
  for (const std::string& flag : sweep.flags) head.push_back(flag.substr(2));
  head.emplace_back("runs");
  head.emplace_back("epoch");
  for (const Number& n : numbers)
    if (shown(sweep, n) && n.in_table) head.emplace_back(n.title);
  std::vector<std::vector<std::string>> cells{head};
  const std::vector<std::size_t> order = ranked(sweep);
  for (std::size_t place = 0; place < std::min(most, order.size()); ++place) {
    const SweepConfiguration& c = sweep.configurations[order[place]];
    std::vector<std::string> line;
    line.push_back(fmt::format("{}", (sweep.validated ? place : order[place]) + 1));
    for (const std::string& flag : sweep.flags) line.push_back(value_of(c, flag));
    const Spread epochs = spread(sweep, order[place], [](const Epoch& e) { return static_cast<double>(e.number); });
    line.push_back(epochs.count == c.runs.size() ? std::to_string(c.runs.size())
                                                 : fmt::format("{}/{}", epochs.count, c.runs.size()));
    line.push_back(epochs.count ? fmt::format("{:.4g}", epochs.mean) : "");
    for (const Number& n : numbers)
      if (shown(sweep, n) && n.in_table) line.push_back(to_text(spread(sweep, order[place], n.of)));
    const auto failed =
        std::find_if(c.runs.begin(), c.runs.end(), [&](std::size_t i) { return !sweep.runs[i].error.empty(); });
    if (failed != c.runs.end()) line.push_back(sweep.runs[*failed].error);
    cells.push_back(std::move(line));
  }
  std::vector<std::size_t> widths;
  for (const auto& line : cells)
    for (std::size_t i = 0; i < std::min(line.size(), head.size()); ++i) {
      if (i == widths.size()) widths.push_back(0);
      widths[i] = std::max(widths[i], columns(line[i]));
    }
  std::string text;
  for (const auto& line : cells) {
    std::string row;
    for (std::size_t i = 0; i < line.size(); ++i)
      row += i < head.size() ? fmt::format("{}{:>{}}", i ? "  " : "", line[i], widths[i]) : "  " + line[i];
    text += fitted(row, std::max<std::size_t>(columns_there, 1)) + "\n";
  }
  if (order.size() > most) text += fmt::format("and {} more\n", order.size() - most);
  return text;
}

std::string to_csv(const Sweep& sweep) {
  std::string text;
  for (const std::string& flag : sweep.flags) text += csv_field(flag.substr(2)) + ",";
  text += "seed,validation,epochs_done,result_epoch";
  for (const Number& n : numbers)
    if (shown(sweep, n)) text += std::string(",") + n.key;
  text += ",seconds,weights_sha256,error\n";
  for (const SweepRun& run : sweep.runs) {
    const SweepConfiguration& c = sweep.configurations[run.configuration];
    for (const std::string& flag : sweep.flags) {
      const std::string value = value_of(c, flag);
      text += (value == "-" ? "" : csv_field(value)) + ",";
    }
    const bool done = run.has_result();
    text += fmt::format("{},{},{},{}", run.options.seed, csv_field(run.options.validation),
                        run.state.training.epochs.size(), done ? std::to_string(run.state.result_epoch().number) : "");
    for (const Number& n : numbers)
      if (shown(sweep, n)) text += done ? fmt::format(",{}", n.of(run.state.result_epoch())) : ",";
    text += fmt::format(",{},{},{}\n", seconds_of(run), run.state.weights_sha256, csv_field(run.error));
  }
  return text;
}

ordered_json to_json(const Sweep& sweep, const std::function<std::string(const SweepRun&)>& command) {
  const auto flags_of = [](const SweepConfiguration& c) {
    ordered_json flags = ordered_json::object();
    for (const auto& [flag, value] : c.flags) flags[flag] = value;
    return flags;
  };
  ordered_json configurations = ordered_json::array();
  for (const std::size_t place : ranked(sweep)) {
    const SweepConfiguration& c = sweep.configurations[place];
    ordered_json one = {{"flags", flags_of(c)}, {"runs", c.runs}};
    for (const Number& n : numbers) {
      if (!shown(sweep, n)) continue;
      const Spread s = spread(sweep, place, n.of);
      one[n.key] =
          s.count ? ordered_json{{"mean", s.mean}, {"deviation", s.deviation}, {"count", s.count}} : ordered_json();
    }
    configurations.push_back(std::move(one));
  }
  ordered_json runs = ordered_json::array();
  for (const SweepRun& run : sweep.runs) {
    ordered_json epochs = ordered_json::array();
    for (const Epoch& e : run.state.training.epochs) epochs.push_back(to_json(e));
    ordered_json one = {{"flags", flags_of(sweep.configurations[run.configuration])},
                        {"seed", run.options.seed},
                        {"validation", run.options.validation},
                        {"epochs", std::move(epochs)}};
    if (run.has_result()) {
      const Epoch& e = run.state.result_epoch();
      one["result_epoch"] = e.number;
      for (const Number& n : numbers)
        if (shown(sweep, n)) one[n.key] = n.of(e);
      one["weights_sha256"] = run.state.weights_sha256;
    }
    if (!run.error.empty()) one["error"] = run.error;
    one["seconds"] = seconds_of(run);
    one["command"] = command(run);
    runs.push_back(std::move(one));
  }
  return {{"command", "sweep"},
          {"flags", sweep.flags},
          {"best_by", !sweep.validated                ? ordered_json()
                      : sweep.best_by == BestBy::loss ? ordered_json("loss")
                                                      : ordered_json("accuracy")},
          {"configurations", std::move(configurations)},
          {"jobs", std::move(runs)}};
}

}  // namespace sluice::apps
