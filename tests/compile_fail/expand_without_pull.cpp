//  numbers -> words -> end
#include <optional>

#include <sluice/pipeline/graph.hpp>

struct Words {
  void push(const int&) {}
#ifdef SLUICE_VALID
  std::optional<int> pull() {
    return std::nullopt;
  }
#else
  int pull() {
    return 1;
  }
#endif
};

void wire(sluice::Graph& g) {
  auto numbers = g.source("numbers", []() -> std::optional<int> { return std::nullopt; });
  g.sink(
      "end", [](const int&) {}, g.expand("words", Words{}, numbers));
}
