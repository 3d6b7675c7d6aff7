//  numbers -> half -> end
#include <optional>

#include <sluice/pipeline/graph.hpp>

#ifdef SLUICE_VALID
using Out = int;
#else
using Out = double;
#endif

void wire(sluice::Graph& g) {
  auto numbers = g.source("numbers", []() -> std::optional<int> { return std::nullopt; });
  g.sink(
      "end", [](const auto&) {},
      g.map<Out>(
          "half", [](const int& n) { return n / 2; }, numbers));
}
