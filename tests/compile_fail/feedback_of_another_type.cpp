//  numbers -> step -> next -> value
//  value -> step
#include <optional>
#include <string>
#include <tuple>

#include <sluice/pipeline/graph.hpp>

#ifdef SLUICE_VALID
using Next = int;
#else
using Next = std::string;
#endif

void wire(sluice::Graph& g) {
  auto numbers = g.source("numbers", []() -> std::optional<int> { return std::nullopt; });
  auto value = g.feedback("value", 0);
  auto step = g.zip("step", numbers, value);
  value.close(g.map(
      "next", [](const std::tuple<int, int>&) { return Next(); }, step));
}
