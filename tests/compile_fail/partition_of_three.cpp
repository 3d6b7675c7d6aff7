// A partition has two streams: by a bool, or by one of two types.
//
//  numbers -> one -> end
//          -> other -> end
#include <optional>
#include <variant>

#include <sluice/pipeline/graph.hpp>

void wire(sluice::Graph& g) {
  auto numbers = g.source("numbers", []() -> std::optional<int> { return std::nullopt; });
#ifdef SLUICE_VALID
  auto [one, other] = g.partition(
      "one", "other", [](const int& n) { return std::variant<int, double>(n); }, numbers);
#else
  auto [one, other] = g.partition(
      "one", "other", [](const int& n) { return std::variant<int, double, char>(n); }, numbers);
#endif
  g.sink(
      "end of one", [](const int&) {}, one);
  g.sink(
      "end of other", [](const auto&) {}, other);
}
