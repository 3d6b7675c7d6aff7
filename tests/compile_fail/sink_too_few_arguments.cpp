//  numbers -> end
//  others -> end
#include <optional>

#include <sluice/pipeline/graph.hpp>

void wire(sluice::Graph& g) {
  const auto none = []() -> std::optional<int> { return std::nullopt; };
  auto numbers = g.source("numbers", none);
  auto others = g.source("others", none);
#ifdef SLUICE_VALID
  g.sink(
      "end", [](const int&, const int&) {}, numbers, others);
#else
  g.sink(
      "end", [](const int&) {}, numbers, others);
#endif
}
