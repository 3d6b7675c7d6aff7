// A source must be able to end: it returns an optional.
//
//  numbers -> end
#include <optional>

#include <sluice/pipeline/graph.hpp>

#ifdef SLUICE_VALID
using Result = std::optional<int>;
#else
using Result = int;
#endif

void wire(sluice::Graph& g) {
  g.sink(
      "end", [](const int&) {}, g.source("numbers", []() -> Result { return 1; }));
}
