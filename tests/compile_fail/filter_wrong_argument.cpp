// A predicate of other messages.
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
      "some", [](const char* text) { return text != nullptr; }, numbers);
#endif
  g.sink(
      "end", [](const int&) {}, some);
}
