#include "apps/commands/grid.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <sluice/stages/input_files.hpp>
#include <sluice/stages/shuffle.hpp>
#include "apps/flags/command_line.hpp"
#include "apps/job/usage_error.hpp"

namespace sluice::apps {
namespace {

using Words = std::vector<std::string>;

constexpr std::size_t most_jobs = 10'000;

struct Axis {
  std::string flag;
  Words values;
};

// A combination, as what is left of it: pairs of flag and value.
using Given = std::vector<std::pair<std::string, std::string>>;

// Without the flags that have no effect; used: those that have.
Options options_of(const Words& shared, Given& given, std::set<std::string>& used,
                   std::map<std::string, std::string>& unused) {
  for (;;) {
    Words words = shared;
    for (const auto& [flag, value] : given) words.push_back(flag + "=" + value);
    try {
      Options o = train_options(words);
      for (const auto& [flag, value] : given) used.insert(flag);
      return o;
    } catch (const NoEffect& error) {
      const auto it =
          std::find_if(given.begin(), given.end(), [&](const auto& one) { return one.first == error.flag; });
      if (it == given.end()) throw;
      unused[error.flag] = error.what();
      given.erase(it);
    }
  }
}

std::size_t product(const std::vector<Axis>& axes) {
  std::size_t count = 1;
  for (const Axis& axis : axes) {
    count *= axis.values.size();
    if (count > most_jobs)
      throw UsageError(fmt::format("more than {} combinations of values: give fewer of them", most_jobs));
  }
  return count;
}

Given combination(const std::vector<Axis>& axes, std::size_t number) {
  Given given(axes.size());
  for (std::size_t a = axes.size(); a-- > 0;) {
    given[a] = {axes[a].flag, axes[a].values[number % axes[a].values.size()]};
    number /= axes[a].values.size();
  }
  return given;
}

}  // namespace

std::vector<std::string> swept_values(const std::string& flag, const std::string& text) {
  std::vector<std::string> all;
  for (const std::string& part : stages::between_commas(text)) {
    const std::size_t dots = part.find("..");
    if (part.empty()) throw UsageError(fmt::format("{}: '{}' has no value between two commas", flag, text));
    if (dots == std::string::npos) {
      all.push_back(part);
      continue;
    }
    std::uint64_t first = 0, last = 0;
    const auto whole = [](std::string_view digits, std::uint64_t& number) {
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
      return error == std::errc() && end == digits.data() + digits.size();
    };
    const std::string_view view = part;
    if (!whole(view.substr(0, dots), first) || !whole(view.substr(dots + 2), last) || last < first)
      throw UsageError(fmt::format("{}: '{}' is no range of whole numbers, as 0..4", flag, part));
    if (last - first >= most_jobs)
      throw UsageError(fmt::format("{}: '{}' has more than {} values", flag, part, most_jobs));
    for (std::uint64_t n = first;; ++n) {
      all.push_back(std::to_string(n));
      if (n == last) break;
    }
  }
  std::set<std::string> seen;
  for (const std::string& value : all)
    if (!seen.insert(value).second) throw UsageError(fmt::format("{}: the value {} is there twice", flag, value));
  return all;
}

Sweep grid(const SweepOptions& options, const Words& shared, const std::set<std::string>& by_hand) {
  std::vector<Axis> axes;
  Words seeds{""};
  for (const SweepOptions::Flag& flag : options.flags) {
    if (flag.values.empty()) continue;
    const Words values = swept_values(flag.name, flag.values);
    if (flag.name == "--seed")
      seeds = values;
    else
      axes.push_back({flag.name, values});
  }
  Words parts{""};
  if (options.folds) {
    parts.clear();
    for (std::size_t k = 1; k <= options.folds; ++k) parts.push_back(fmt::format("{}/{}", k, options.folds));
  }
  const std::size_t count = product(axes);
  product({{"", Words(count)}, {"--seed", seeds}, {"", parts}});

  Sweep sweep;
  std::set<std::string> used;
  std::map<std::string, std::string> unused;
  std::set<Given> seen;
  const auto differs = [&](const std::string& flag) {
    return std::any_of(axes.begin(), axes.end(), [&](const Axis& a) { return a.flag == flag && a.values.size() > 1; });
  };
  // The runs of a combination, unless it is there already.
  const auto add = [&](const Given& all) {
    SweepConfiguration configuration;
    std::vector<SweepRun> runs;
    for (const std::string& seed : seeds)
      for (const std::string& part : parts) {
        Given given = all;
        Words its = shared;
        if (!seed.empty()) its.push_back("--seed=" + seed);
        if (!part.empty()) its.push_back("--validation=" + part);
        SweepRun run{.configuration = sweep.configurations.size(), .options = options_of(its, given, used, unused)};
        if (runs.empty() && !seen.insert(given).second) return;
        if (runs.empty())
          std::copy_if(given.begin(), given.end(), std::back_inserter(configuration.flags),
                       [&](const auto& pair) { return differs(pair.first); });
        run.state.plan = plan_of(run.options, {}, 0);
        configuration.runs.push_back(sweep.runs.size() + runs.size());
        runs.push_back(std::move(run));
      }
    sweep.configurations.push_back(std::move(configuration));
    std::move(runs.begin(), runs.end(), std::back_inserter(sweep.runs));
  };
  // Of a draw the configurations come in the order of the grid, too.
  std::vector<std::size_t> numbers;
  if (options.random) {
    const auto order = stages::shuffle(count, 0, 0);
    for (std::size_t i = 0; i < count && sweep.configurations.size() < options.random; ++i) {
      const std::size_t before = sweep.configurations.size();
      add(combination(axes, order[i]));
      if (sweep.configurations.size() > before) numbers.push_back(order[i]);
    }
    std::sort(numbers.begin(), numbers.end());
    sweep = {}, seen.clear();
  } else {
    numbers.resize(count);
    std::iota(numbers.begin(), numbers.end(), std::size_t{0});
  }
  for (const std::size_t number : numbers) add(combination(axes, number));
  // A variable is a default for all commands; and what was not drawn may have an effect.
  if (numbers.size() == count)
    for (const auto& [flag, why] : unused)
      if (!used.contains(flag) && by_hand.contains(flag)) throw UsageError(why);
  for (const Axis& axis : axes)
    if (axis.values.size() > 1) sweep.flags.push_back(axis.flag);
  sweep.validated = sweep.runs.front().options.validates();
  return sweep;
}

}  // namespace sluice::apps
