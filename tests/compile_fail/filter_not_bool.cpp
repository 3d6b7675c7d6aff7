// What is no bool may be meant otherwise: a number, a pointer, an optional.
//
//  numbers -> some -> end
#include <optional>

#include <sluice/pipeline/graph.hpp>

void wire(sluice::Graph& g) {
  auto numbers = g.source("numbers", []() -> std::optional<int> { return std::nullopt; });
#ifdef SLUICE_VALID
  auto some = g.filter(
      "some", [](const int& n) { return n % 2 == 1; }, numbers);
#else
  auto some = g.filter(
      "some", [](const int& n) { return n % 2; }, numbers);
#endif
  g.sink(
      "end", [](const int&) {}, some);
}
