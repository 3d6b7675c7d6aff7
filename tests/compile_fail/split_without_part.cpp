//  numbers -> cut => end
#include <cstddef>
#include <optional>

#include <sluice/pipeline/graph.hpp>

struct Cut {
#ifdef SLUICE_VALID
  int operator()(const int& n, std::size_t, std::size_t) const {
    return n;
  }
#else
  int operator()(const int& n) const {
    return n;
  }
#endif
};

void wire(sluice::Graph& g) {
  auto numbers = g.source("numbers", []() -> std::optional<int> { return std::nullopt; });
  g.sink(
      "end", [](const int&) {}, g.split("cut", Cut{}, numbers));
}
