// The one legal cycle.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "tests/pipeline/everything.hpp"
#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

using Step = std::tuple<int, long>;

long next(const Step& step) {
  return (3 * std::get<1>(step) + std::get<0>(step)) % 1'000'003;
}
long after(int laps, long value) {
  for (int n = 0; n < laps; ++n) value = next({n, value});
  return value;
}

//  numbers -> step -> next -> value
//  value -> step
TEST(Feedback, GoesRoundOnceForEachMessageThatItsConsumerTakes) {
  for_each_shape([](const Shape& shape) {
    for (const int laps : {shape.items, 20 * shape.items}) {
      Graph g("loop", threads(shape.threads));
      auto value = g.feedback("value", 7L);
      auto step =
          g.zip("step", g.source("numbers", Count(laps), capacity(shape.capacity)), value, capacity(shape.capacity));
      value.close(g.map("next", next, step));
      g.run();
      EXPECT_EQ(value.value(), after(laps, 7));
    }
  });
}

TEST(Feedback, LeavesItsLastValueWhateverItsCapacity) {
  for (const std::size_t room : capacities) {
    Graph g("loop", threads(2));
    auto value = g.feedback("value", 7L, capacity(room));
    value.close(g.map("next", next, g.zip("step", g.source("numbers", Count(10)), value)));
    g.run();
    EXPECT_EQ(value.value(), after(10, 7));
    g.run();
    EXPECT_EQ(value.value(), after(10, after(10, 7)));
  }
}

TEST(Feedback, TheNextRunStartsFromTheValueLeftOver) {
  for_each_thread_count([](std::size_t count) {
    Graph g("loop", threads(count));
    auto value = g.feedback("value", 7L);
    value.close(g.map("next", next, g.zip("step", g.source("numbers", Count(10)), value)));
    EXPECT_EQ(value.value(), 7);
    long expected = 7;
    for (int run = 0; run < 3; ++run) {
      g.run();
      expected = after(10, expected);
      EXPECT_EQ(value.value(), expected);
    }
    value.set_value(1);
    g.run();
    EXPECT_EQ(value.value(), after(10, 1));
  });
}

//  numbers -> step -> next -> value
//  value -> step
//        -> seen
TEST(Feedback, AReaderBesideTheLoopAlsoSeesTheValueLeftOver) {
  for_each_shape([](const Shape& shape) {
    std::vector<long> seen;
    Graph g("loop", threads(shape.threads));
    auto value = g.feedback("value", 7L);
    auto step = g.zip("step", g.source("numbers", Count(shape.items), capacity(shape.capacity)), value);
    g.sink(
        "seen", [&](const long& v) { seen.push_back(v); }, value);
    value.close(g.map("next", next, step));
    g.run();
    ASSERT_EQ(seen.size(), static_cast<std::size_t>(shape.items) + 1);
    for (int n = 0; n <= shape.items; ++n) EXPECT_EQ(seen[static_cast<std::size_t>(n)], after(n, 7));
    EXPECT_EQ(value.value(), seen.back());
  });
}

//  numbers -> step -> next -> value
//  value -> twice -> step
TEST(Feedback, HasNoLengthBehindAMapEither) {
  Graph g("loop", threads(2));
  auto value = g.feedback("value", 7L);
  auto twice = g.map(
      "twice", [](const long& v) { return 2 * v; }, value);
  auto step = g.zip("step", g.source("numbers", Count(50)), twice);
  value.close(g.map(
      "next", [](const Step& s) { return (std::get<1>(s) + std::get<0>(s)) % 1009; }, step));
  g.run();
  long expected = 7;
  for (int n = 0; n < 50; ++n) expected = (2 * expected + n) % 1009;
  EXPECT_EQ(value.value(), expected);
}

//  numbers -> step -> next -> a
//                          -> b
//  a, b -> both -> step
TEST(Feedback, TwoFeedbacksMayBeZippedBeforeTheyMeetAStream) {
  for_each_shape([](const Shape& shape) {
    using Both = std::tuple<long, long>;
    Graph g("loop", threads(shape.threads));
    auto a = g.feedback("a", 1L);
    auto b = g.feedback("b", 2L);
    auto both = g.zip("both", a, b, capacity(shape.capacity));
    auto step = g.zip("step", g.source("numbers", Count(shape.items), capacity(shape.capacity)), both);
    a.close(g.map(
        "next a", [](const std::tuple<int, Both>& s) { return std::get<1>(std::get<1>(s)); }, step));
    b.close(g.map(
        "next b",
        [](const std::tuple<int, Both>& s) {
          return (std::get<0>(std::get<1>(s)) + std::get<1>(std::get<1>(s))) % 1009;
        },
        step));
    g.run();
    long x = 1, y = 2;
    for (int n = 0; n < shape.items; ++n) std::tie(x, y) = std::tuple(y, (x + y) % 1009);
    EXPECT_EQ(a.value(), x);
    EXPECT_EQ(b.value(), y);
  });
}

//  numbers -> step -> next -> value
//  value -> cut => same => sum -> step
TEST(Feedback, MayBeCutAndFoldedBeforeItMeetsAStream) {
  for_each_shape([](const Shape& shape) {
    Graph g("loop", threads(shape.threads));
    auto value = g.feedback("value", 3);
    auto cut = g.split(
        "cut", [](const int& v, std::size_t part, std::size_t) { return v + static_cast<int>(part); }, value, shards(3),
        capacity(shape.capacity));
    auto same = g.map(
        "same", [](const int& v) { return v; }, cut, unlimited);
    auto step =
        g.zip("step", g.source("numbers", Count(shape.items)), g.fold("sum", Sum{}, same, capacity(shape.capacity)));
    value.close(g.map(
        "next", [](const Step& s) { return static_cast<int>((std::get<0>(s) + std::get<1>(s)) % 1009); }, step));
    g.run();
    int expected = 3;
    for (int n = 0; n < shape.items; ++n) expected = (n + 3 * expected + 3) % 1009;
    EXPECT_EQ(value.value(), expected);
  });
}

//  numbers -> step -> next -> value
//  value -> ahead -> step
TEST(Feedback, MoreThanOneValueLeftOverIsAnErrorForEveryCapacity) {
  struct Ahead {  // gives the first value twice
    long n = 0;
    int left = 0;
    bool begun = false;
    void push(const long& in) { n = in, left = std::exchange(begun, true) ? 1 : 2; }
    std::optional<long> pull() { return left-- > 0 ? std::optional(n) : std::nullopt; }
    void finish() { left = 0; }
    void reset() { begun = false; }
  };
  for_each_shape([](const Shape& shape) {
    Graph g("loop", threads(shape.threads));
    auto value = g.feedback("value", 7L);
    auto ahead = g.expand("ahead", Ahead{}, value, capacity(1));
    auto step = g.zip("step", g.source("numbers", Count(shape.items)), ahead, capacity(shape.capacity + 1));
    value.close(g.map("next", next, step));
    const auto error = stage_error([&] { g.run(); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->stage(), "step");
    EXPECT_EQ(error->sequence(), shape.items);
    EXPECT_EQ(value.value(), 7);
  });
}

//  numbers -> step -> next -> value
//  value -> pass -> read -> step
// Capacity 1: the slot of an output that the map has not yet read is none to be filled.
TEST(Feedback, TheValueLeftOverHasItsRoomUntilItHasPassedEveryMap) {
  struct Pass {
    std::atomic<int>* read;
    int given = 0;
    std::optional<long> held{};
    void push(const long& in) { held = in; }
    std::optional<long> pull() {
      EXPECT_GE(*read, given) << "asked for output " << given << " without room";
      if (held) ++given;
      return std::exchange(held, std::nullopt);
    }
  };
  for (const Concurrency concurrency : {serial, unlimited})
    for_each_shape([&](const Shape& shape) {
      std::atomic<int> read{0};
      Graph g("loop", threads(shape.threads));
      auto value = g.feedback("value", 7L);
      auto pass = g.expand("pass", Pass{&read}, value, capacity(1));
      auto map = g.map(
          "read", [&](const long& v) { return ++read, v; }, pass, concurrency);
      auto step = g.zip("step", g.source("numbers", Count(shape.items)), map, capacity(shape.capacity));
      value.close(g.map("next", next, step));
      g.run();
      EXPECT_EQ(value.value(), after(shape.items, 7));
      EXPECT_EQ(read, shape.items + 1);
      EXPECT_EQ(g.stats().stage("pass").queued, 0u);
    });
}

TEST(Feedback, AfterARunThatFailedTheValueIsWhatTheRunStartedFrom) {
  for_each_thread_count([](std::size_t count) {
    Everything all(30, threads(count));
    std::vector<long> expected;
    all.graph.run();
    const long left = all.expected(expected);
    all.trap = {"sum", 9};
    EXPECT_THROW(all.graph.run(), StageError);
    EXPECT_EQ(all.state.value(), left);
    all.trap = {};
    all.graph.run();
    EXPECT_EQ(all.state.value(), all.expected(expected, left));
    EXPECT_EQ(all.taken, expected);
  });
}

}  // namespace
}  // namespace sluice::test
