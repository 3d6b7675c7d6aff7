// The smallest use of an installed sluice: a source, a map, a sink, and a check of what came out.
#include <cstdio>
#include <functional>
#include <optional>

#include <sluice/pipeline/graph.hpp>
#include "pipeline/errors.hpp"

int main() {
  long sum = 0;
  auto total = [&sum](const int& n) { sum += n; };

  //  numbers -> square -> total
  sluice::Graph g("squares");
  auto numbers = g.source("numbers", [n = 0]() mutable { return n < 100 ? std::optional(++n) : std::nullopt; });
  auto squares = g.map(
      "square", [](const int& n) { return n * n; }, numbers, sluice::unlimited);
  g.sink("total", std::ref(total), squares);
  g.run();

  std::printf("%ld\n", sum);
  using consumer::pipeline::Error;
  return exit_code(sum == 338350 ? Error::none : Error::wrong_result);
}
