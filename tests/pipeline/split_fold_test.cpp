// One message into its shards, the shards back into one.
#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <tuple>
#include <vector>

#include "tests/support/concurrency.hpp"
#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

using Rows = std::vector<int>;

// Contiguous parts; with more parts than rows some are empty.
struct CutRows {
  Rows operator()(const Rows& rows, std::size_t part, std::size_t parts) const {
    const auto at = [&](std::size_t p) { return rows.begin() + static_cast<std::ptrdiff_t>(rows.size() * p / parts); };
    return Rows(at(part), at(part + 1));
  }
};
struct JoinRows {
  Rows operator()(Group<Rows> parts) {
    Rows all;
    for (const Rows& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
  }
};
Rows rows(int n) {
  return iota(n % 5, n);
}

//  numbers -> rows -> cut => same => join -> taken
TEST(SplitAndFold, GiveBackWhatWasCutForEveryNumberOfShardsAlsoEmptyOnes) {
  for (std::size_t parts = 1; parts <= 9; ++parts)
    for_each_shape([parts](const Shape& shape) {
      Collect<Rows> taken;
      Graph g("split", threads(shape.threads));
      auto whole = g.map("rows", rows, g.source("numbers", Count(shape.items), capacity(2)), unlimited);
      auto cut = g.split("cut", CutRows{}, whole, shards(parts), capacity(shape.capacity));
      auto same = g.map(
          "same", [](const Rows& r) { return r; }, cut, unlimited);
      g.sink("taken", std::ref(taken), g.fold("join", JoinRows{}, same, capacity(shape.capacity)));
      g.run();
      std::vector<Rows> expected;
      for (int n = 0; n < shape.items; ++n) expected.push_back(rows(n));
      EXPECT_EQ(taken.taken, expected);
    });
}

TEST(SplitAndFold, TheBodiesAreToldThePartAndTheNumberOfParts) {
  std::vector<std::tuple<int, std::size_t, std::size_t>> told;
  std::vector<std::size_t> sizes;
  Graph g("split", threads(1));
  auto cut = g.split(
      "cut", [&](const int& n, std::size_t part, std::size_t parts) { return told.emplace_back(n, part, parts), n; },
      g.source("numbers", Count(2)), shards(3));
  auto joined = g.fold(
      "join", [&](Group<int> parts) { return sizes.push_back(parts.size()), 0; }, cut);
  g.sink(
      "end", [](const int&) {}, joined);
  g.run();
  using T = std::tuple<int, std::size_t, std::size_t>;
  EXPECT_EQ(told, (std::vector<T>{{0, 0, 3}, {0, 1, 3}, {0, 2, 3}, {1, 0, 3}, {1, 1, 3}, {1, 2, 3}}));
  EXPECT_EQ(sizes, (std::vector<std::size_t>{3, 3}));
}

//  numbers -> cut => first  -> taken
//                 => second -> taken
//                 => each
TEST(SplitAndFold, TwoFoldsAndASinkReadTheShardsOfOneSplit) {
  for_each_shape([](const Shape& shape) {
    std::vector<std::tuple<long, long>> sums;
    Collect each;
    Graph g("split", threads(shape.threads));
    auto cut = g.split("cut", Cut{}, g.source("numbers", Count(shape.items), capacity(shape.capacity)), shards(4),
                       capacity(shape.capacity));
    auto first = g.fold("first", Sum{}, cut, capacity(1));
    auto negated = g.map(
        "negate", [](const int& n) { return -n; }, cut, unlimited);
    auto second = g.fold("second", Sum{}, negated, capacity(2));
    g.sink("each", std::ref(each), cut);
    g.sink(
        "taken", [&](const long& a, const long& b) { sums.emplace_back(a, b); }, first, second);
    g.run();
    EXPECT_EQ(each.taken, iota(4 * shape.items));
    ASSERT_EQ(sums.size(), static_cast<std::size_t>(shape.items));
    for (int n = 0; n < shape.items; ++n)
      EXPECT_EQ(sums[static_cast<std::size_t>(n)], std::tuple(16L * n + 6, -16L * n - 6));
  });
}

struct PutAwaySlowly {
  PutAwaySlowly() = default;
  PutAwaySlowly(const PutAwaySlowly&) = default;
  PutAwaySlowly& operator=(const PutAwaySlowly&) = default;
  ~PutAwaySlowly() { std::this_thread::yield(); }
};

//  numbers -> cut => all -> whole
//                 => again => each
//
// Whoever puts messages away may do so for another reader of them, which has then left without room to offer: and of
// shards that are no whole group yet none is to come that it would wait for.
TEST(SplitAndFold, RoomThatAFoldGivesBackForAnotherReaderIsOffered) {
  for (const std::size_t workers : {2u, 3u}) {
    constexpr int items = 20'000;
    long whole = 0, each = 0;
    Graph g("split", threads(workers));
    auto cut = g.split(
        "cut", [](const int&, std::size_t, std::size_t) { return PutAwaySlowly(); }, g.source("numbers", Count(items)),
        shards(3), capacity(1));
    g.sink(
        "whole", [&](const int&) { ++whole; },
        g.fold(
            "all", [](Group<PutAwaySlowly> parts) { return static_cast<int>(parts.size()); }, cut, capacity(2)));
    auto again = g.split(
        "again", [](const PutAwaySlowly&, std::size_t, std::size_t) { return 1; }, cut, shards(1));
    g.sink(
        "each", [&](const int&) { ++each; }, again);
    g.run();
    EXPECT_EQ(whole, items);
    EXPECT_EQ(each, 3 * items);
  }
}

//  numbers -> cut => again => inner => outer -> taken
TEST(SplitAndFold, ASplitOfShardsIsFoldedTwice) {
  for_each_shape([](const Shape& shape) {
    Collect<long> taken;
    Graph g("nested", threads(shape.threads));
    auto cut = g.split("cut", Cut{}, g.source("numbers", Count(shape.items), capacity(shape.capacity)), shards(3),
                       capacity(shape.capacity));
    auto again = g.split("again", Cut{}, cut, shards(2), capacity(1));
    auto same = g.map(
        "same", [](const int& n) { return n; }, again, unlimited);
    auto inner = g.fold(
        "inner", [](Group<int> p) { return p[0] + p[1]; }, same, capacity(shape.capacity));
    g.sink("taken", std::ref(taken), g.fold("outer", Sum{}, inner));
    g.run();
    std::vector<long> expected;
    for (long n = 0; n < shape.items; ++n) expected.push_back(36 * n + 15);
    EXPECT_EQ(taken.taken, expected);
  });
}

//  numbers -> cut => pair => joined -> taken
//                 => pair
TEST(SplitAndFold, ShardsOfOneSplitMayBeZipped) {
  for_each_shape([](const Shape& shape) {
    Collect<long> taken;
    Graph g("zip of shards", threads(shape.threads));
    auto cut = g.split("cut", Cut{}, g.source("numbers", Count(shape.items)), shards(3), capacity(shape.capacity));
    auto square = g.map(
        "square", [](const int& n) { return n * n; }, cut, unlimited);
    auto pair = g.zip("pair", cut, square, capacity(shape.capacity));
    auto joined = g.fold(
        "joined",
        [](Group<std::tuple<int, int>> parts) {
          long sum = 0;
          for (const auto& [n, squared] : parts) sum += n + squared;
          return sum;
        },
        pair);
    g.sink("taken", std::ref(taken), joined);
    g.run();
    std::vector<long> expected;
    for (long n = 0; n < shape.items; ++n) {
      long sum = 0;
      for (long k = 3 * n; k < 3 * n + 3; ++k) sum += k + k * k;
      expected.push_back(sum);
    }
    EXPECT_EQ(taken.taken, expected);
  });
}

//  numbers -> cut => halve -> taken
TEST(SplitAndFold, AnExpandReadsShardsAsAStreamOfItsOwn) {
  Collect taken;
  Graph g("expand of shards", threads(2));
  auto cut = g.split("cut", Cut{}, g.source("numbers", Count(97)), shards(3), capacity(1));
  g.sink("taken", std::ref(taken), g.expand("repeat", Repeat(1), cut));
  g.run();
  EXPECT_EQ(taken.taken, Repeat::expected(3 * 97, 1));
}

//  boxes -> cut => look => count -> taken
TEST(SplitAndFold, TheInputOfASplitIsInPlaceUntilItsShardsAreConsumed) {
  for_each_thread_count([](std::size_t count) {
    struct View {
      const Rows* rows;
      std::size_t part;
    };
    int wrong = 0, seen = 0;
    Graph g("views", threads(count));
    auto boxes = g.map(
        "boxes", [](const int& n) { return Rows(4, n); }, g.source("numbers", Count(500), capacity(2)));
    auto cut = g.split(
        "cut",
        [](const Rows& r, std::size_t part, std::size_t) {
          return View{&r, part};
        },
        boxes, shards(4), capacity(4));
    auto look = g.map(
        "look", [](const View& v) { return (*v.rows)[v.part]; }, cut, unlimited);
    g.sink(
        "taken", [&](const bool& same) { ++seen, wrong += !same; },
        g.fold(
            "same", [](Group<int> p) { return p[0] == p[1] && p[1] == p[2] && p[2] == p[3]; }, look));
    g.run();
    EXPECT_EQ(seen, 500);
    EXPECT_EQ(wrong, 0);
  });
}

//  numbers -> cut => meet => sum -> taken
TEST(SplitAndFold, ShardsOfOneMessageAreWorkedOnAtTheSameTime) {
  for (const std::size_t parts : {2u, 8u}) {
    Rendezvous all(parts);
    Collect<long> taken;
    Graph g("shards", threads(parts));
    auto cut = g.split("cut", Cut{}, g.source("numbers", Count(1)), shards(parts), capacity(1));
    auto meet = g.map(
        "meet",
        [&](const int& n) {
          EXPECT_TRUE(all.meet());
          return n;
        },
        cut, unlimited);
    g.sink("taken", std::ref(taken), g.fold("sum", Sum{}, meet));
    g.run();
    EXPECT_TRUE(all.met());
  }
}

}  // namespace
}  // namespace sluice::test
