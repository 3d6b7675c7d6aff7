// Every verb in both its forms, and what is optional for a stage.
#include <gtest/gtest.h>

#include <cstddef>
#include <iterator>
#include <numeric>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

struct MutableCall {
  int operator()(const int& n) { return n; }
};
static_assert(verbs::Source<Count, int>);
static_assert(!verbs::Source<Count, long>);
static_assert(verbs::Map<Cut, int, int> == false);
static_assert(!verbs::Map<MutableCall, int, int>, "a map runs on several messages at once: const only");
static_assert(verbs::Expand<Lag, int, int>);
static_assert(verbs::Split<Cut, int, int>);
static_assert(verbs::Fold<Sum, int, long>);
static_assert(verbs::Sink<Collect<int>, int>);
static_assert(!verbs::Sink<Collect<int>, std::string>);

struct Values {
  int left = 3;
  using Output = std::vector<int>;
  bool operator()(std::vector<int>& out) {
    if (left == 0) return false;
    out.assign(2, left--);
    return true;
  }
};
struct Twice {
  using Output = std::vector<int>;
  void operator()(const std::vector<int>& in, std::vector<int>& out) const {
    out = in;
    out.insert(out.end(), in.begin(), in.end());
  }
};
struct Halves {
  using Output = std::vector<int>;
  void operator()(const std::vector<int>& in, std::size_t part, std::size_t parts, std::vector<int>& out) const {
    const auto at = [&](std::size_t p) { return in.begin() + static_cast<std::ptrdiff_t>(in.size() * p / parts); };
    out.assign(at(part), at(part + 1));
  }
};
struct Join {
  using Output = std::vector<int>;
  void operator()(Group<std::vector<int>> parts, std::vector<int>& out) {
    out.clear();
    for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
  }
};
struct Each {
  using Output = int;
  std::vector<int> held;
  std::size_t given = 0;
  void push(const std::vector<int>& in) { held = in, given = 0; }
  bool pull(int& out) {
    if (given == held.size()) return false;
    out = held[given++];
    return true;
  }
};

//  values -> twice -> halves => join -> each -> taken
TEST(Verbs, TheRecyclingFormWorksForEveryVerbThatMakesValues) {
  for_each_thread_count([](std::size_t count) {
    Collect taken;
    Graph g("recycling", threads(count));
    auto twice = g.map("twice", Twice{}, g.source("values", Values{}, capacity(2)), unlimited);
    auto join = g.fold("join", Join{}, g.split("halves", Halves{}, twice, shards(3)));
    g.sink("taken", std::ref(taken), g.expand("each", Each{}, join));
    g.run();
    EXPECT_EQ(taken.taken, (std::vector<int>{3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1}));
  });
}

TEST(Verbs, TheOutputTypeMayBeNamedAtTheWiringSite) {
  int left = 4, sum = 0;
  Graph g("named", threads(1));
  auto numbers = g.source<int>("numbers", [&](int& out) { return out = left, left-- > 0; });
  auto square = g.map<long>(
      "square", [](const int& n, long& out) { out = n * n; }, numbers);
  auto cut = g.split<int>(
      "cut", [](const long& n, std::size_t, std::size_t, int& out) { out = static_cast<int>(n); }, square, shards(2));
  auto joined = g.fold<int>(
      "joined", [](Group<int> parts, int& out) { out = parts[0] + parts[1]; }, cut);
  g.sink(
      "sum", [&](const int& n) { sum += n; }, joined);
  g.run();
  EXPECT_EQ(sum, 2 * (16 + 9 + 4 + 1));
}

TEST(Verbs, ARecyclingBodyFindsTheMemoryOfAnEarlierMessage) {
  std::vector<const int*> where;
  Graph g("recycling", threads(1));
  int made = 0;
  auto values = g.source<std::vector<int>>(
      "values", [&](std::vector<int>& out) { return out.assign(100, made), made++ < 5; }, capacity(1));
  g.sink(
      "look", [&](const std::vector<int>& v) { where.push_back(v.data()); }, values);
  g.run();
  ASSERT_EQ(where.size(), 5u);
  for (const int* p : where) EXPECT_EQ(p, where[0]);
}

TEST(Verbs, AMapMayMakeOptionalsWithoutEndingTheStream) {
  int empty = 0, full = 0;
  Graph g("optionals", threads(1));
  auto odd = g.map(
      "odd", [](const int& n) { return n % 2 ? std::optional(n) : std::nullopt; }, g.source("numbers", Count(7)));
  g.sink(
      "count", [&](const std::optional<int>& n) { ++(n ? full : empty); }, odd);
  g.run();
  EXPECT_EQ(full, 3);
  EXPECT_EQ(empty, 4);
}

TEST(Verbs, AParameterToSpareDoesNotMakeARecyclingForm) {
  Collect taken;
  Graph g("spare", threads(1));
  auto added = g.map(
      "added", [](const int& n, int more = 10) { return n + more; }, g.source("numbers", Count(3)));
  g.sink("taken", std::ref(taken),
         g.map(
             "any", [](const int& n, const auto&...) { return 2 * n; }, added));
  g.run();
  EXPECT_EQ(taken.taken, (std::vector<int>{20, 22, 24}));
}

TEST(Verbs, AStageGivenByReferenceIsUsedInPlace) {
  Count numbers(3);
  Cut cut;
  Sum sum;
  Lag lag(1);
  Collect<long> taken;
  Graph g("by reference", threads(1));
  auto lagged = g.expand("lag", std::ref(lag), g.source("numbers", std::ref(numbers)));
  auto total = g.fold("sum", std::ref(sum), g.split("cut", std::cref(cut), lagged, shards(2)));
  g.sink("taken", std::ref(taken), total);
  g.run();
  EXPECT_EQ(taken.taken, (std::vector<long>{1, 5, 9}));
  EXPECT_EQ(numbers(), std::nullopt) << "the caller's own source has ended";
}

TEST(Verbs, AFunctionPointerIsAStage) {
  Collect taken;
  Graph g("pointers", threads(1));
  int (*negate)(const int&) = [](const int& n) { return -n; };
  g.sink("taken", std::ref(taken), g.map("negate", negate, g.source("numbers", Count(3))));
  g.run();
  EXPECT_EQ(taken.taken, (std::vector<int>{0, -1, -2}));
}

//  numbers -> same -> taken
//          -> taken
//          -> taken
TEST(Verbs, ASinkTakesAMessageOfEachOfItsStreams) {
  for_each_thread_count([](std::size_t count) {
    std::vector<std::tuple<int, long, int>> taken;
    Graph g("sink", threads(count));
    auto numbers = g.source("numbers", Count(97));
    auto longs = g.map(
        "longs", [](const int& n) { return long{n} << 32; }, numbers, unlimited);
    g.sink(
        "taken", [&](const int& a, const long& b, const int& c) { taken.emplace_back(a, b, c); }, numbers, longs,
        numbers);
    g.run();
    ASSERT_EQ(taken.size(), 97u);
    for (int n = 0; n < 97; ++n) EXPECT_EQ(taken[static_cast<std::size_t>(n)], std::tuple(n, long{n} << 32, n));
  });
}

TEST(Verbs, FinishOfASinkIsCalledOnceAfterTheLastMessageAlsoOfAnEmptyStream) {
  for (const int items : item_counts) {
    std::vector<std::string> calls;
    struct Sink {
      std::vector<std::string>* calls;
      void operator()(const int&) { calls->push_back("message"); }
      void finish() { calls->push_back("finish"); }
    };
    Graph g("sink", threads(2));
    g.sink("sink", Sink{&calls}, g.source("numbers", Count(items)));
    g.run();
    std::vector<std::string> expected(static_cast<std::size_t>(items), "message");
    expected.push_back("finish");
    EXPECT_EQ(calls, expected);
  }
}

TEST(Verbs, ResetIsCalledBeforeEachRunOfEveryVerb) {
  struct Resets {
    int source = 0, map = 0, expand = 0, split = 0, fold = 0, sink = 0;
  } resets;
  struct Source : Count {
    int* resets;
    void reset() { Count::reset(), ++*resets; }
  };
  struct Map {
    int* resets;
    int operator()(const int& n) const { return n; }
    void reset() { ++*resets; }
  };
  struct Expand : Lag {
    int* resets;
    void reset() { Lag::reset(), ++*resets; }
  };
  struct Split : Cut {
    int* resets;
    void reset() { ++*resets; }
  };
  struct Fold : Sum {
    int* resets;
    void reset() { ++*resets; }
  };
  struct Sink {
    int* resets;
    void operator()(const long&) {}
    void reset() { ++*resets; }
  };
  Graph g("reset", threads(1));
  auto numbers = g.map("map", Map{&resets.map}, g.source("source", Source{Count(3), &resets.source}));
  auto shards = g.split("split", Split{{}, &resets.split}, g.expand("expand", Expand{Lag(1), &resets.expand}, numbers));
  g.sink("sink", Sink{&resets.sink}, g.fold("fold", Fold{{}, &resets.fold}, shards));
  for (int run = 1; run <= 3; ++run) {
    g.run();
    for (const int n : {resets.source, resets.map, resets.expand, resets.split, resets.fold, resets.sink})
      EXPECT_EQ(n, run);
  }
}

TEST(Verbs, ACallableWithAParameterToSpareIsCalledForItsValue) {
  Graph g("spare", threads(1));
  auto numbers = g.source("numbers", Count(5));
  auto defaulted = g.map(
      "defaulted", [](const int& n, int factor = 2) { return n * factor; }, numbers);
  auto variadic = g.map(
      "variadic", [](const auto&... n) { return (n + ...); }, defaulted);
  int sum = 0;
  g.sink(
      "sum", [&](const int& n) { sum += n; }, variadic);
  g.run();
  EXPECT_EQ(sum, 20);
}

TEST(Group, IsAViewOfTheShardsInOrderAlsoAroundTheEndOfTheRing) {
  const int slots[] = {6, 7, 4, 5};
  const auto* bytes = static_cast<const std::byte*>(static_cast<const void*>(slots));
  const Group<int> group(bytes, sizeof(int), 3, 6, 4);
  EXPECT_EQ(group.size(), 4u);
  EXPECT_EQ(group[0], 4);
  EXPECT_EQ(group[3], 7);
  EXPECT_EQ(std::vector<int>(group.begin(), group.end()), (std::vector<int>{4, 5, 6, 7}));
  EXPECT_EQ(std::accumulate(group.begin(), group.end(), 0), 22);
  auto at = group.begin();
  EXPECT_EQ(*at++, 4);
  EXPECT_EQ(*at, 5);
  EXPECT_EQ(*++at, 6);
}

}  // namespace
}  // namespace sluice::test
