//  numbers -> cut => sum -> end
#include <cstddef>
#include <optional>

#include <sluice/pipeline/graph.hpp>

#ifdef SLUICE_VALID
using Element = int;
#else
using Element = float;
#endif

void wire(sluice::Graph& g) {
  auto numbers = g.source("numbers", []() -> std::optional<int> { return std::nullopt; });
  auto cut = g.split(
      "cut", [](const int& n, std::size_t, std::size_t) { return n; }, numbers);
  g.sink(
      "end", [](const int&) {},
      g.fold(
          "sum", [](sluice::Group<Element>) { return 1; }, cut));
}
