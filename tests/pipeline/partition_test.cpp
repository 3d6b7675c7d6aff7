// Two streams of one: by a predicate, or by what the body returns.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tests/support/parameters.hpp"
#include "tests/support/payloads.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

const auto even = [](const int& n) { return n % 2 == 0; };

TEST(Partition, EachMessageGoesOneWayInOrder) {
  for_each_thread_count([](std::size_t count) {
    for (const std::size_t room : {1u, 2u, 16u}) {
      Collect<> a, b;
      Graph g("parts", threads(count));
      auto [thirds, rest] = g.partition(
          "thirds", "rest", [](const int& n) { return n % 3 == 0; }, g.source("numbers", Count(1000), capacity(room)),
          capacity(room));
      g.sink("a", std::ref(a), thirds);
      g.sink("b", std::ref(b),
             g.map(
                 "same", [](const int& n) { return n; }, rest, unlimited));
      for (int run = 0; run < 2; ++run) {
        g.run();
        std::vector<int> in_thirds, in_rest;
        for (int n = 0; n < 1000; ++n) (n % 3 == 0 ? in_thirds : in_rest).push_back(n);
        EXPECT_EQ(a.taken, in_thirds);
        EXPECT_EQ(b.taken, in_rest);
        EXPECT_EQ(a.finished + b.finished, 2);
      }
      const GraphStats stats = g.stats();
      EXPECT_EQ(stats.stage("thirds").items, 2 * 334u);
      EXPECT_EQ(stats.stage("rest").items, 2 * 666u);
      EXPECT_LE(stats.stage("rest").high_water, room);
    }
  });
}

TEST(Partition, AStreamWithoutMessagesEndsToo) {
  for (const bool first : {false, true}) {
    Collect<> a, b;
    Graph g("parts", threads(2));
    auto [yes, no] = g.partition(
        "yes", "no", [&](const int&) { return first; }, g.source("numbers", Count(100)));
    g.sink("a", std::ref(a), yes);
    g.sink("b", std::ref(b), no);
    g.run();
    EXPECT_EQ(a.taken, first ? iota(100) : iota(0));
    EXPECT_EQ(b.taken, first ? iota(0) : iota(100));
    EXPECT_EQ(a.finished + b.finished, 2);
  }
}

TEST(Partition, MovesWhatNobodyElseReads) {
  Graph g("parts", threads(2));
  auto boxes = g.map(
      "boxes", [](const int& n) { return std::make_unique<int>(n); }, g.source("numbers", Count(100)));
  auto [evens, odds] = g.partition(
      "evens", "odds", [](const std::unique_ptr<int>& n) { return *n % 2 == 0; }, boxes);
  int sum_of_evens = 0, sum_of_odds = 0;
  g.sink(
      "a", [&](const std::unique_ptr<int>& n) { sum_of_evens += *n; }, evens);
  g.sink(
      "b", [&](const std::unique_ptr<int>& n) { sum_of_odds += *n; }, odds);
  g.run();
  EXPECT_EQ(sum_of_evens, 2450);
  EXPECT_EQ(sum_of_odds, 2500);
}

TEST(Partition, SortsByWhatItsBodyMakes) {
  for_each_thread_count([](std::size_t count) {
    Collect<int> numbers;
    Collect<std::string> words;
    Graph g("sorted", threads(count));
    auto [a, b] = g.partition(
        "numbers", "words", [](const int& n) { return n % 5 ? std::variant<int, std::string>(n) : std::to_string(n); },
        g.source("in", Count(500), capacity(4)), capacity(4));
    g.sink("a", std::ref(numbers), a);
    g.sink("b", std::ref(words), b);
    g.run();
    ASSERT_EQ(words.taken.size(), 100u);
    EXPECT_EQ(words.taken[7], "35");
    EXPECT_EQ(numbers.taken.size(), 400u);
    EXPECT_EQ(numbers.taken[399], 499);
  });
}

TEST(Partition, SortsWhatItTakes) {
  Graph g("sorted", threads(2));
  auto boxes = g.map(
      "boxes", [](const int& n) { return std::make_unique<int>(n); }, g.source("in", Count(100)));
  using Either = std::variant<std::unique_ptr<int>, int>;
  auto [a, b] = g.partition(
      "boxed", "bare", [](std::unique_ptr<int>&& n) { return *n < 30 ? Either(std::move(n)) : Either(*n); }, boxes);
  int boxed = 0, bare = 0;
  g.sink(
      "a", [&](const std::unique_ptr<int>& n) { boxed += *n; }, a);
  g.sink(
      "b", [&](const int& n) { bare += n; }, b);
  g.run();
  EXPECT_EQ(boxed, 435);
  EXPECT_EQ(bare, 4950 - 435);
}

// A branch that has no room holds the other back, too, and bounded both remain.
TEST(Partition, NeedsRoomInBothBeforeItJudges) {
  std::atomic<int> judged{0}, taken{0};
  int most_ahead = 0;
  Graph g("parts", threads(1));
  auto [evens, odds] = g.partition(
      "evens", "odds",
      [&](const int& n) {
        most_ahead = std::max(most_ahead, ++judged - taken);
        return n % 2 == 0;
      },
      g.source("numbers", Count(1000), capacity(64)), capacity(3));
  g.sink(
      "a", [&](const int&) { ++taken; }, evens);
  g.sink(
      "b", [&](const int&) { ++taken; }, odds);
  g.run();
  EXPECT_LE(most_ahead, 7);
}

TEST(Partition, AnExceptionHasItsAddress) {
  Graph g("parts", threads(2));
  auto [evens, odds] = g.partition(
      "evens", "odds",
      [](const int& n) {
        if (n == 37) throw std::runtime_error("37");
        return n % 2 == 0;
      },
      g.source("numbers", Count(100)));
  g.sink(
      "a", [](const int&) {}, evens);
  g.sink(
      "b", [](const int&) {}, odds);
  try {
    g.run();
    FAIL();
  } catch (const StageError& e) {
    EXPECT_EQ(e.stage(), "evens");
    EXPECT_EQ(e.sequence(), 37u);
  }
}

TEST(Partition, ItsStreamsAreNotJoinedAgain) {
  Graph g("parts", threads(1));
  auto numbers = g.source("numbers", Count(10));
  auto [evens, odds] = g.partition("evens", "odds", even, numbers);
  auto twice = g.map(
      "twice", [](const int& n) { return 2 * n; }, odds);
  g.sink(
      "both", [](const std::tuple<int, int>&) {}, g.zip("pair", evens, twice));
  g.sink(
      "odd", [](const int&, const int&) {}, odds, numbers);
  EXPECT_EQ(mistakes(g),
            (Mistakes{"zip 'pair': 'evens' and 'twice' come of one partition: which message belongs to which is lost, "
                      "and one would wait for the other for ever",
                      "sink 'odd': 'odds' is what 'odds' has let through, 'numbers' is not: join them first, and "
                      "partition behind it"}));
}

TEST(Partition, IsNotAmongShardsAndNotOnTheWayToAFeedback) {
  Graph g("parts", threads(1));
  auto cut = g.split(
      "cut", [](const int& n, std::size_t, std::size_t) { return n; }, g.source("numbers", Count(10)), shards(2));
  auto [a, b] = g.partition("a", "b", even, cut);
  g.sink(
      "of a", [](const int&) {}, a);
  g.sink(
      "of b", [](const int&) {}, b);
  auto state = g.feedback("state", 0);
  auto [c, d] = g.partition("c", "d", even,
                            g.map(
                                "next", [](const int& n) { return n + 1; }, state));
  state.close(c);
  g.sink(
      "of d", [](const int&) {}, d);
  const Mistakes found = mistakes(g);
  ASSERT_GE(found.size(), 2u);
  EXPECT_EQ(found[0],
            "partition 'a': 'cut' gives shards of 'cut', which are folded together: do it before they are cut, or "
            "behind the fold");
  EXPECT_NE(std::find(found.begin(), found.end(),
                      "feedback 'state': partition 'c' lies on its way: what is dropped there never comes back"),
            found.end());
}

TEST(Partition, StandsInTheTableAsTwoStages) {
  Graph g("parts", threads(1));
  auto [evens, odds] = g.partition("evens", "odds", even, g.source("numbers", Count(10)), capacity(3));
  g.set_capacity("odds", 5);
  g.sink(
      "a", [](const int&) {}, evens);
  g.sink(
      "b", [](const int&) {}, odds);
  EXPECT_EQ(g.picture(),
            "numbers -> evens -> a\n"
            "        -> odds -> b\n");
  EXPECT_EQ(g.stages()[1].capacity, 3u);
  EXPECT_EQ(g.stages()[2].capacity, 5u);
  EXPECT_EQ(g.stages()[2].verb, Verb::partition);
  EXPECT_EQ(g.stages()[2].inputs, std::vector<std::string>{"numbers"});
}

}  // namespace
}  // namespace sluice::test
