// A source that may wait ends as any other: by a nullopt.
//
//  numbers -> end
#include <optional>
#include <stop_token>

#include <sluice/pipeline/graph.hpp>

void wire(sluice::Graph& g) {
#ifdef SLUICE_VALID
  auto numbers = g.source("numbers", [](const std::stop_token&) -> std::optional<int> { return std::nullopt; });
#else
  auto numbers = g.source("numbers", [](const std::stop_token&) { return 1; });
#endif
  g.sink(
      "end", [](const int&) {}, numbers);
}
