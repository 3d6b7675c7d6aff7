// A map runs on several messages at once, so it may keep no state.
//
//  numbers -> count -> end
#include <optional>

#include <sluice/pipeline/graph.hpp>

struct Count {
  int seen = 0;
#ifdef SLUICE_VALID
  int operator()(const int& n) const {
    return n;
  }
#else
  int operator()(const int& n) {
    return n + seen++;
  }
#endif
};

void wire(sluice::Graph& g) {
  auto numbers = g.source("numbers", []() -> std::optional<int> { return std::nullopt; });
  g.sink(
      "end", [](const int&) {}, g.map("count", Count{}, numbers));
}
