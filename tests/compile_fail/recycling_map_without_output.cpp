// What a recycling form writes into is named by the stage, or where it is wired.
//
//  numbers -> text -> end
#include <optional>
#include <string>

#include <sluice/pipeline/graph.hpp>

struct Text {
#ifdef SLUICE_VALID
  using Output = std::string;
#endif
  void operator()(const int& n, std::string& out) const {
    out = std::to_string(n);
  }
};

void wire(sluice::Graph& g) {
  auto numbers = g.source("numbers", []() -> std::optional<int> { return std::nullopt; });
  g.sink(
      "end", [](const auto&) {}, g.map("text", Text{}, numbers));
}
