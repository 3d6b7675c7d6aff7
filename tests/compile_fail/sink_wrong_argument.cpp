//  numbers -> end
#include <optional>
#include <string>

#include <sluice/pipeline/graph.hpp>

#ifdef SLUICE_VALID
using Argument = int;
#else
using Argument = std::string;
#endif

void wire(sluice::Graph& g) {
  auto numbers = g.source("numbers", []() -> std::optional<int> { return std::nullopt; });
  g.sink(
      "end", [](const Argument&) {}, numbers);
}
