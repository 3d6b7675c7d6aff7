// A number alone says nothing: capacity(4)?  shards(4)?
//
//  numbers -> end
#include <optional>

#include <sluice/pipeline/graph.hpp>

void wire(sluice::Graph& g) {
  const auto none = []() -> std::optional<int> { return std::nullopt; };
#ifdef SLUICE_VALID
  auto numbers = g.source("numbers", none, sluice::capacity(4));
#else
  auto numbers = g.source("numbers", none, 4);
#endif
  g.sink(
      "end", [](const int&) {}, numbers);
}
