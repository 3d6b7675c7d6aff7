#include "apps/flags/overrides.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include <sluice/pipeline/suggestion.hpp>
#include "apps/flags/checks.hpp"
#include "apps/job/usage_error.hpp"

namespace sluice::apps {
namespace {

constexpr std::size_t most_capacity = 1 << 20;

using Override = std::pair<std::string, std::size_t>;
Override parsed(const std::string& flag, const std::string& text, std::size_t most) {
  const auto equals = text.rfind('=');
  const std::string number = equals == std::string::npos ? "" : text.substr(equals + 1);
  if (equals == 0 || equals == std::string::npos)
    throw UsageError(fmt::format("{}: '{}', expected STAGE=N", flag, text));
  if (const std::string wrong = whole(1, most)(number); !wrong.empty())
    throw UsageError(fmt::format("{} {}: {}", flag, text, wrong));
  return {text.substr(0, equals), std::stoull(number)};
}

void apply(const std::string& flag, const std::vector<std::string>& texts, std::size_t most,
           const std::vector<Graph*>& graphs, const std::function<void(Graph&, const std::string&, std::size_t)>& set) {
  std::map<std::pair<const Graph*, std::string>, std::string> set_by;
  for (const std::string& text : texts) {
    const auto [wanted, n] = parsed(flag, text, most);
    std::vector<std::string> known;
    bool found = false, taken = false;
    std::string reason;
    for (Graph* graph : graphs)
      for (const StageInfo& stage : graph->stages()) {
        const std::string family = stage.name.substr(0, stage.name.find('.'));
        if (std::find(known.begin(), known.end(), family) == known.end()) known.push_back(family);
        if (stage.name != wanted && family != wanted) continue;
        found = true;
        // A name may be a fold in one graph and a map in another: one that takes the setting is enough.
        try {
          set(*graph, stage.name, n);
          taken = true;
          set_by[{graph, stage.name}] = text;
        } catch (const std::invalid_argument& e) {
          if (reason.empty()) reason = e.what();
        }
      }
    if (!found) throw UsageError(fmt::format("{} {}: no stage '{}'{}", flag, text, wanted, suggestion(wanted, known)));
    if (!taken) throw UsageError(fmt::format("{} {}: {}", flag, text, reason));
  }
  for (auto text = texts.begin(); text != texts.end(); ++text) {
    const auto in_effect = [&](const auto& stage) { return stage.second == *text; };
    if (std::find(text + 1, texts.end(), *text) != texts.end() || std::none_of(set_by.begin(), set_by.end(), in_effect))
      throw UsageError(fmt::format("{} {}: has no effect: what is given behind it sets the same", flag, *text));
  }
}

}  // namespace

void override_stages(const Options& options, const std::vector<Graph*>& graphs) {
  apply("--concurrency", options.concurrency, most_threads, graphs,
        [](Graph& g, const std::string& stage, std::size_t n) { g.set_concurrency(stage, Concurrency{n}); });
  apply("--capacity", options.capacity, most_capacity, graphs,
        [](Graph& g, const std::string& stage, std::size_t n) { g.set_capacity(stage, n); });
  // What each setting allows may still be too much together.
  for (Graph* graph : graphs) {
    try {
      graph->check();
    } catch (const WiringError& error) {
      throw UsageError(fmt::format("--shards and --capacity: {}", fmt::join(error.mistakes(), "; ")));
    }
  }
}

}  // namespace sluice::apps
