// Payloads that only move, that have no default, that can do next to nothing.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "tests/support/parameters.hpp"
#include "tests/support/payloads.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

// Every verb in value form. T: made from an int, get() gives it back.
//
//  numbers -> map -> expand -> pair -> cut => fold -> taken
//  others -> pair
template <class T>
void every_verb(std::size_t count, int items) {
  struct Numbers {
    int items, next = 0;
    std::optional<T> operator()() { return next < items ? std::optional<T>(T(next++)) : std::nullopt; }
    void reset() { next = 0; }
  };
  struct Hold {
    std::optional<int> held;
    void push(const T& in) { held = in.get(); }
    std::optional<T> pull() {
      if (!held) return std::nullopt;
      return T(*std::exchange(held, std::nullopt));
    }
  };
  std::vector<int> taken;
  Graph g("payload", threads(count));
  auto mapped = g.map(
      "map", [](const T& in) { return T(in.get() + 1); }, g.source("numbers", Numbers{items}, capacity(2)), unlimited);
  auto held = g.expand("expand", Hold{}, mapped, capacity(3));
  auto pair = g.zip("pair", held, g.source("others", Numbers{items}), capacity(2));
  auto cut = g.split(
      "cut",
      [](const std::tuple<T, T>& in, std::size_t part, std::size_t) {
        return T(std::get<0>(in).get() + std::get<1>(in).get() + static_cast<int>(part));
      },
      pair, shards(2));
  auto sum = g.fold(
      "fold", [](Group<T> p) { return T(p[0].get() + p[1].get()); }, cut, capacity(1));
  g.sink(
      "taken", [&](const T& in) { taken.push_back(in.get()); }, sum);
  std::vector<int> expected;
  for (int n = 0; n < items; ++n) expected.push_back(2 * (2 * n + 1) + 1);
  for (int run = 0; run < 2; ++run) {
    taken.clear();
    g.run();
    EXPECT_EQ(taken, expected);
  }
}

TEST(Payload, ThatOnlyMovesGoesThroughEveryVerb) {
  for_each_thread_count([](std::size_t count) {
    for (const int items : item_counts) every_verb<MoveOnly>(count, items);
  });
}
TEST(Payload, WithoutADefaultGoesThroughEveryVerb) {
  for_each_thread_count([](std::size_t count) {
    for (const int items : item_counts) every_verb<NoDefault>(count, items);
  });
}
TEST(Payload, ThatCanBeNeitherCopiedNorAssignedNorMadeByDefaultGoesThroughEveryVerb) {
  for_each_thread_count([](std::size_t count) {
    for (const int items : item_counts) every_verb<Rigid>(count, items);
  });
}

template <class T>
void round_and_round(std::size_t count) {
  for (const int laps : item_counts) {
    Graph g("loop", threads(count));
    auto value = g.feedback("value", T(5));
    auto step = g.zip("step", g.source("numbers", Count(laps)), value);
    value.close(g.map(
        "next", [](const std::tuple<int, T>& s) { return T(std::get<1>(s).get() + std::get<0>(s)); }, step));
    int expected = 5;
    for (int run = 0; run < 3; ++run) {
      g.run();
      expected += laps * (laps - 1) / 2;
      EXPECT_EQ(value.value().get(), expected);
    }
  }
}

TEST(Payload, ThatOnlyMovesGoesRoundAFeedback) {
  for_each_thread_count(round_and_round<MoveOnly>);
}
TEST(Payload, WithoutADefaultGoesRoundAFeedback) {
  for_each_thread_count(round_and_round<NoDefault>);
}

TEST(Payload, OfOveralignedTypeLiesAligned) {
  struct alignas(128) Wide {
    int n = 0;
  };
  int misaligned = 0, seen = 0;
  Graph g("wide", threads(2));
  auto wide = g.map(
      "wide", [](const int& n) { return Wide{n}; }, g.source("numbers", Count(97)), unlimited);
  g.sink(
      "end",
      [&](const Wide& w) {
        misaligned += reinterpret_cast<std::uintptr_t>(&w) % 128 != 0;
        seen += w.n;
      },
      wide);
  g.run();
  EXPECT_EQ(misaligned, 0);
  EXPECT_EQ(seen, 96 * 97 / 2);
}

TEST(Payload, LivesNoLongerThanItsRun) {
  ASSERT_EQ(Counted::living(), 0);
  for (const bool fail : {false, true}) {
    Graph g("counted", threads(2));
    auto made = g.map(
        "made", [](const int& n) { return Counted(n); }, g.source("numbers", Count(97)), unlimited);
    auto pair = g.zip("pair", made, made);
    g.sink(
        "end",
        [&](const std::tuple<Counted, Counted>& p) {
          if (fail && std::get<0>(p).n == 50) throw std::runtime_error("stop");
        },
        pair);
    if (fail)
      EXPECT_THROW(g.run(), StageError);
    else
      g.run();
    EXPECT_EQ(Counted::living(), 0) << "nothing of a run lives on, however it ended";
  }
  EXPECT_EQ(Counted::living(), 0);
}

}  // namespace
}  // namespace sluice::test
