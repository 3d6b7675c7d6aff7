// A race in a body, on purpose: two bodies at once add to one number that nothing guards.
//
//   numbers -> race -> end
#include <cstdio>

#include "tests/support/concurrency.hpp"
#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

int main() {
  using namespace sluice;
  test::Rendezvous both(2);
  int sum = 0;
  const auto race = [&](const int& n) {
    both.meet();
    sum += n;
    return n;
  };
  Graph g("canary", test::threads(2));
  g.sink(
      "end", [](const int&) {}, g.map("race", race, g.source("numbers", test::Count(2)), unlimited));
  g.run();
  std::printf("%d\n", sum);
}
