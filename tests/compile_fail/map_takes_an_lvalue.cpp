// A message is looked at or taken, not changed where it lies.
//
//  numbers -> changed -> end
#include <optional>

#include <sluice/pipeline/graph.hpp>

void wire(sluice::Graph& g) {
  auto numbers = g.source("numbers", []() -> std::optional<int> { return std::nullopt; });
#ifdef SLUICE_VALID
  auto changed = g.map(
      "changed", [](int&& n) { return ++n; }, numbers);
#else
  auto changed = g.map(
      "changed", [](int& n) { return ++n; }, numbers);
#endif
  g.sink(
      "end", [](const int&) {}, changed);
}
