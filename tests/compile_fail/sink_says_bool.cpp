// A sink that wants no more says so by a Demand: a bool may be meant otherwise.
//
//  numbers -> end
#include <optional>

#include <sluice/pipeline/graph.hpp>

void wire(sluice::Graph& g) {
  auto numbers = g.source("numbers", []() -> std::optional<int> { return std::nullopt; });
#ifdef SLUICE_VALID
  g.sink(
      "end", [](const int& n) { return n < 3 ? sluice::Demand::more : sluice::Demand::enough; }, numbers);
#else
  g.sink(
      "end", [](const int& n) { return n < 3; }, numbers);
#endif
}
