// The squares of 0 to 9, worked out on every CPU, added up in order.
//
//  numbers -> square -> total
#include <cstdio>
#include <optional>

#include <sluice/pipeline/graph.hpp>

int main() {
  int next = 0, sum = 0;
  const auto count = [&]() -> std::optional<int> { return next < 10 ? std::optional(next++) : std::nullopt; };

  sluice::Graph g("hello");
  auto numbers = g.source("numbers", count);
  auto squares = g.map(
      "square", [](const int& n) { return n * n; }, numbers, sluice::unlimited);
  g.sink(
      "total", [&](const int& square) { sum += square; }, squares);
  g.run();

  std::printf("%s%d\n", g.picture().c_str(), sum);
}
