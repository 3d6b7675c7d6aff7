//  numbers -> length -> end
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
  auto length = g.map(
      "length", [](const Argument&) { return 1; }, numbers);
  g.sink(
      "end", [](const int&) {}, length);
}
