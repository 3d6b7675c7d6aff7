// The picture above each graph is the one that it prints.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "tests/pipeline/everything.hpp"
#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

const auto same = [](const int& n) { return n; };
const auto drop = [](const int&) {};
const auto first = [](const std::tuple<int, int>& p) { return std::get<0>(p); };

TEST(Picture, OfAChain) {
  Graph g("chain", threads(1));
  g.sink("end", drop, g.map("b", same, g.map("a", same, g.source("numbers", Count(1)))));
  EXPECT_EQ(g.picture(), "numbers -> a -> b -> end\n");
}

TEST(Picture, OfAZip) {
  Graph g("zip", threads(1));
  auto a = g.map("inflate", same, g.source("images", Count(1)));
  auto b = g.source("labels", Count(1));
  g.sink(
      "end", [](const std::tuple<int, int>&) {}, g.zip("pair", a, b));
  EXPECT_EQ(g.picture(),
            "images -> inflate -> pair -> end\n"
            "labels -> pair\n");
}

TEST(Picture, OfAFanOut) {
  Graph g("fan out", threads(1));
  auto numbers = g.source("numbers", Count(1));
  g.sink("end", drop, g.map("b", same, g.map("a", same, numbers)));
  g.sink("beside", drop, g.map("c", same, numbers));
  g.sink("last", drop, numbers);
  EXPECT_EQ(g.picture(),
            "numbers -> a -> b -> end\n"
            "        -> c -> beside\n"
            "        -> last\n");
}

TEST(Picture, OfADiamond) {
  Graph g("diamond", threads(1));
  auto numbers = g.source("numbers", Count(1));
  auto a = g.map("a", same, numbers);
  auto b = g.map("longer", same, numbers);
  g.sink(
      "end", [](const std::tuple<int, int>&) {}, g.zip("pair", a, b));
  EXPECT_EQ(g.picture(),
            "numbers -> a -> pair -> end\n"
            "        -> longer -> pair\n");
}

TEST(Picture, OfShards) {
  Graph g("shards", threads(1));
  auto cut = g.split("cut", Cut{}, g.source("numbers", Count(1)), shards(2));
  auto f = g.map("forward", same, cut);
  auto gradient = g.map("gradient", same, f);
  g.sink(
      "end", [](const long&) {}, g.fold("reduce", Sum{}, gradient));
  g.sink(
      "losses", [](const long&) {}, g.fold("loss", Sum{}, f));
  EXPECT_EQ(g.picture(),
            "numbers -> cut => forward => gradient => reduce -> end\n"
            "                          => loss -> losses\n");
}

TEST(Picture, OfACycleWhoseLastWordIsItsFirst) {
  Graph g("cycle", threads(1));
  auto value = g.feedback("value", 0);
  auto step = g.zip("step", g.source("numbers", Count(1)), value);
  value.close(g.map("next", first, step));
  EXPECT_EQ(g.picture(),
            "numbers -> step -> next -> value\n"
            "value -> step\n");
}

TEST(Picture, OfEveryVerbTogether) {
  Everything all(1, threads(1));
  EXPECT_EQ(all.graph.picture(),
            "numbers -> plus -> repeat -> pair -> cut => square => sum -> next -> state\n"
            "state -> pair\n"
            "                                                          -> total\n");
}

TEST(Picture, EveryArrowIsDrawnOnce) {
  Graph g("arrows", threads(1));
  auto numbers = g.source("numbers", Count(1));
  auto a = g.map("a", same, numbers);
  auto b = g.map("b", same, a);
  g.sink(
      "end", [](const int&, const int&, const int&) {}, numbers, a, b);
  const std::string picture = g.picture();
  std::size_t arrows = 0;
  for (std::size_t at = 0; (at = picture.find("->", at)) != picture.npos; ++at) ++arrows;
  EXPECT_EQ(arrows, 5u) << picture;
}

TEST(Table, HasALineForEachStageWithItsEffectiveSettingsAndBound) {
  Graph g("table", threads(1));
  auto numbers = g.source("numbers", Count(1), capacity(4));
  auto texts = g.map(
      "texts", [](const int&) { return std::string(); }, numbers, unlimited);
  auto cut = g.split(
      "cut", [](const std::string&, std::size_t, std::size_t) { return 1; }, texts, shards(3), capacity(2));
  g.sink("end", drop, g.map("m", same, cut, up_to(5)));
  g.set_capacity("numbers", 8);
  EXPECT_EQ(g.table(),
            "stage    verb      concurrency  capacity  shards  messages  at most\n"
            "numbers  source    serial              8       -         8  64 B\n"
            "texts    map       unlimited           -       -         8  320 B + undeclared\n"
            "cut      split     serial              2       3         6  64 B\n"
            "m        map       up to 5             -       -         6  64 B\n"
            "end      sink      serial              -       -         -  -\n"
            "bound: 28 messages, 512 B + undeclared\n");
}

}  // namespace
}  // namespace sluice::test
