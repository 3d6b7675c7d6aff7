// What is said of a sink stands before its streams, of which there may be several.
//
//  numbers -> end
#include <optional>

#include <sluice/pipeline/graph.hpp>

void wire(sluice::Graph& g) {
  auto numbers = g.source("numbers", []() -> std::optional<int> { return std::nullopt; });
#ifdef SLUICE_VALID
  g.sink(
      "end", [](const int&) {}, sluice::on_error(sluice::skip), numbers);
#else
  g.sink(
      "end", [](const int&) {}, numbers, sluice::on_error(sluice::skip));
#endif
}
