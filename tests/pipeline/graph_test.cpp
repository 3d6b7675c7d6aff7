// graph.hpp's own example, as its comment has it.
#include <sluice/pipeline/graph.hpp>

#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "tests/support/parameters.hpp"

namespace sluice::test {
namespace {

struct Count {
  int next, last;
  std::optional<int> operator()() { return next <= last ? std::optional(next++) : std::nullopt; }
};
struct Total {
  long sum = 0;
  void operator()(const int& n) { sum += n; }
};

TEST(Graph, TheExampleOfItsHeaderCompilesAndRuns) {
  Total total;
  //  numbers -> square -> total
  sluice::Graph g("squares");
  auto numbers = g.source("numbers", Count{1, 100}, capacity(8));
  auto squares = g.map(
      "square", [](const int& n) { return n * n; }, numbers, unlimited);
  g.sink("total", std::ref(total), squares);
  g.run();
  EXPECT_EQ(total.sum, 338'350);
  EXPECT_EQ(g.name(), "squares");
  EXPECT_EQ(g.picture(), "numbers -> square -> total\n");
}

TEST(Graph, IsNeitherCopiedNorMoved) {
  static_assert(!std::is_copy_constructible_v<Graph> && !std::is_move_constructible_v<Graph>);
}

TEST(Graph, ACallableGivenByValueIsTheGraphsOwn) {
  Total total;
  Graph g("own", threads(1));
  g.sink("total", total, g.source("numbers", Count{1, 3}));
  g.run();
  EXPECT_EQ(total.sum, 0);
}

TEST(Graph, ACallableThatOnlyMovesIsMovedIn) {
  long sum = 0;
  Graph g("moves", threads(1));
  auto owned = std::make_unique<long>(10);
  g.sink(
      "total", [&sum, p = std::move(owned)](const int& n) { sum += n * *p; }, g.source("numbers", Count{1, 3}));
  g.run();
  EXPECT_EQ(sum, 60);
}

}  // namespace
}  // namespace sluice::test
