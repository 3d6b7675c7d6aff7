// Bounded by construction: no segment ever holds more than its capacity, and the graph says how much memory that is.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <tuple>
#include <vector>

#include "tests/support/concurrency.hpp"
#include "tests/support/parameters.hpp"
#include "tests/support/payloads.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

// A message enters a segment when its body begins and leaves it when the body that consumed it has returned.
struct Enter {
  Peak* level;
  int count, next = 0;
  std::optional<int> operator()() {
    if (next == count) return std::nullopt;
    level->enter();
    return next++;
  }
};
struct Leave {
  Peak* level;
  void operator()(const int&) { level->leave(); }
};
struct Move {  // an expand: takes a message out of one segment and puts it into the next
  Peak *from, *to;
  std::optional<int> held;
  void push(const int& n) { held = n; }
  std::optional<int> pull() {
    if (!held) {
      if (from->inside() > 0 && pushed) from->leave();
      pushed = false;
      return std::nullopt;
    }
    pushed = true;
    to->enter();
    return std::exchange(held, std::nullopt);
  }
  bool pushed = false;
};

//  numbers -> a -> b -> end
TEST(Bound, ASourceIsNeverFurtherAheadOfItsConsumerThanTheCapacity) {
  for_each_shape([](const Shape& shape) {
    Peak level;
    Graph g("bound", threads(shape.threads));
    const auto same = [](const int& n) { return n; };
    auto numbers = g.source("numbers", Enter{&level, shape.items}, capacity(shape.capacity));
    auto b = g.map("b", same, g.map("a", same, numbers, unlimited), unlimited);
    g.sink("end", Leave{&level}, b);
    g.run();
    EXPECT_LE(level.peak(), static_cast<long>(shape.capacity));
    EXPECT_LE(g.stats().stage("numbers").high_water, shape.capacity);
    EXPECT_EQ(level.inside(), 0);
  });
}

//  numbers -> move -> again -> end
TEST(Bound, EachSegmentOfAChainHasItsOwn) {
  for_each_shape([](const Shape& shape) {
    Peak first, second, third;
    Graph g("bound", threads(shape.threads));
    auto numbers = g.source("numbers", Enter{&first, shape.items}, capacity(shape.capacity));
    auto move = g.expand("move", Move{&first, &second, {}}, numbers, capacity(2));
    auto again = g.expand("again", Move{&second, &third, {}}, move, capacity(3));
    g.sink("end", Leave{&third}, again);
    g.run();
    EXPECT_LE(first.peak(), static_cast<long>(shape.capacity));
    EXPECT_LE(second.peak(), 2);
    EXPECT_LE(third.peak(), 3);
  });
}

// The source must be let run until the segment is full, and no further: the consumer of message 0 waits for it.
TEST(Bound, ASourceGoesOnUntilTheSegmentIsFull) {
  for (const std::size_t room : capacities) {
    Signal full;
    int made = 0;
    Graph g("bound", threads(2));
    auto numbers = g.source(
        "numbers",
        [&]() -> std::optional<int> {
          if (made == static_cast<int>(room) - 1) full.raise();
          return made < 97 ? std::optional(made++) : std::nullopt;
        },
        capacity(room));
    g.sink(
        "end",
        [&](const int& n) {
          if (n == 0) {
            EXPECT_TRUE(full.wait());
          }
        },
        numbers);
    if (room == 1) full.raise();
    g.run();
    EXPECT_EQ(g.stats().stage("numbers").high_water, room);
  }
}

//  numbers -> fast
//          -> slow
TEST(Bound, TheSlowestOfSeveralConsumersHoldsTheProducerBack) {
  for (const std::size_t room : capacities) {
    Peak level;
    Graph g("bound", threads(8));
    auto numbers = g.source("numbers", Enter{&level, 500}, capacity(room));
    g.sink(
        "fast", [](const int&) {}, numbers);
    g.sink("slow", Leave{&level}, g.expand("pass", Lag(room - 1), numbers, capacity(1)));
    g.sink(
        "other", [](const int&) {},
        g.map(
            "m", [](const int& n) { return n; }, numbers, unlimited));
    g.run();
    EXPECT_LE(level.peak(), static_cast<long>(room) + 1 + static_cast<long>(room - 1)) << "and what the lag holds";
  }
}

//  numbers -> cut => same => sum -> end
TEST(Bound, TheCapacityOfASplitCountsMessagesBeforeTheCut) {
  for_each_shape([](const Shape& shape) {
    Peak shards_inside;
    struct CutAndCount {
      Peak* level;
      int operator()(const int& n, std::size_t, std::size_t) const { return level->enter(), n; }
    };
    Graph g("bound", threads(shape.threads));
    auto cut = g.split("cut", CutAndCount{&shards_inside}, g.source("numbers", Count(shape.items)), shards(3),
                       capacity(shape.capacity));
    auto same = g.map(
        "same", [](const int& n) { return n; }, cut, unlimited);
    auto sum = g.fold(
        "sum", [&](Group<int> p) { return shards_inside.leave(3), p[0]; }, same);
    g.sink(
        "end", [](const int&) {}, sum);
    g.run();
    EXPECT_LE(shards_inside.peak(), static_cast<long>(3 * shape.capacity));
    EXPECT_LE(g.stats().stage("cut").high_water, 3 * shape.capacity);
  });
}

//  numbers -> cut => same => sum -> end
TEST(Bound, AMessageThatWasSplitCountsUntilItsShardsAreConsumed) {
  for_each_shape([](const Shape& shape) {
    Peak level;
    Graph g("bound", threads(shape.threads));
    auto numbers = g.source("numbers", Enter{&level, shape.items}, capacity(shape.capacity));
    auto cut = g.split("cut", Cut{}, numbers, shards(3), capacity(16));
    auto same = g.map(
        "same", [](const int& n) { return n; }, cut, unlimited);
    auto sum = g.fold(
        "sum", [&](Group<int> p) { return level.leave(), p[0]; }, same);
    g.sink(
        "end", [](const int&) {}, sum);
    g.run();
    EXPECT_LE(level.peak(), static_cast<long>(shape.capacity));
  });
}

//  numbers -> pair -> end
//          -> pair
TEST(Bound, EveryVerbThatBeginsASegmentKeepsItsCapacity) {
  for_each_shape([](const Shape& shape) {
    Graph g("bound", threads(shape.threads));
    const auto room = capacity(shape.capacity);
    auto numbers = g.source("source", Count(shape.items), room);
    auto value = g.feedback("feedback", 0);
    auto pair = g.zip("zip", g.expand("expand", Repeat(3), numbers, room), value, room);
    auto cut = g.split(
        "split", [](const std::tuple<int, int>& p, std::size_t, std::size_t) { return std::get<0>(p); }, pair,
        shards(2), room);
    auto sum = g.fold(
        "fold", [](Group<int> p) { return p[0] + p[1]; },
        g.map(
            "m", [](const int& n) { return n; }, cut, unlimited),
        room);
    value.close(sum);
    g.sink(
        "end", [](const int&) {}, sum);
    g.run();
    for (const StageStats& s : g.stats().stages) {
      const std::size_t limit = s.name == "split" ? 2 * s.capacity : s.capacity;
      EXPECT_LE(s.high_water, limit) << s.name;
      if (shape.items > 1 && limit > 0) {
        EXPECT_GE(s.high_water, 1u) << s.name;
      }
    }
  });
}

using Bytes = std::vector<char, TallyAllocator<char>>;
constexpr std::size_t payload = 1000;

struct MakeBytes {
  int left;
  std::optional<Bytes> operator()() {
    if (left-- == 0) return std::nullopt;
    return Bytes(payload, 'x');
  }
  std::size_t payload_bytes() const { return payload; }
};
struct CopyBytes {
  Bytes operator()(const Bytes& in) const { return Bytes(in); }
  std::size_t payload_bytes() const { return payload; }
};

//  bytes -> copy -> pair -> end
//  others -> pair
TEST(Bound, TheMemoryThatTheMessagesOwnNeverExceedsTheStatedBound) {
  for_each_shape([](const Shape& shape) {
    Tally::begin();
    {
      Graph g("bound", threads(shape.threads));
      const auto room = capacity(shape.capacity);
      auto copied = g.map("copy", CopyBytes{}, g.source("bytes", MakeBytes{shape.items}, room), unlimited);
      auto pair = g.zip("pair", copied, g.source("others", MakeBytes{shape.items}, room), capacity(1));
      g.sink(
          "end", [](const std::tuple<Bytes, Bytes>&) {}, pair);
      const Bound bound = g.bound();
      EXPECT_TRUE(bound.complete);
      g.run();
      EXPECT_LE(static_cast<std::size_t>(Tally::peak()), bound.bytes);
      if (shape.items == 97) {
        EXPECT_GE(static_cast<std::size_t>(Tally::peak()), 3 * payload) << "a bound far above the truth says nothing";
      }
    }
    EXPECT_EQ(Tally::bytes(), 0);
  });
}

TEST(Bound, HasWhatACallableHoldsItself) {
  struct Buffer {
    using Output = int;
    void push(const int&) {}
    bool pull(int&) { return false; }
    std::size_t payload_bytes() const { return 0; }
    std::size_t state_bytes() const { return held; }
    std::size_t held;
  };
  const auto bytes = [](std::size_t held) {
    Graph g("bound", threads(1));
    Buffer buffer{held};
    auto out = g.expand("buffer", std::ref(buffer), g.source("numbers", Count(1)), capacity(1));
    g.sink(
        "end", [](const int&) {}, out);
    return g.bound().bytes;
  };
  EXPECT_EQ(bytes(5000), bytes(0) + 5000);
}

//  numbers -> step -> next -> value
//  value -> step
TEST(Bound, TheMemoryOfALoopNeverExceedsTheStatedBound) {
  struct Next {
    Bytes operator()(const std::tuple<int, Bytes>& step) const { return std::get<1>(step); }
    std::size_t payload_bytes() const { return payload; }
  };
  for_each_thread_count([](std::size_t count) {
    Tally::begin();
    Graph g("bound", threads(count));
    auto value = g.feedback("value", Bytes(payload, 'x'));
    auto step = g.zip("step", g.source("numbers", Count(97), capacity(1)), value, capacity(1));
    value.close(g.map("next", Next{}, step));
    const Bound bound = g.bound();
    EXPECT_TRUE(bound.complete);
    g.run();
    EXPECT_LE(static_cast<std::size_t>(Tally::peak()), bound.bytes);
  });
}

TEST(Bound, IsStatedInMessagesAndBytesForEachStageAndTheWhole) {
  Graph g("bound", threads(1));
  auto numbers = g.source("numbers", Count(1), capacity(3));
  auto wide = g.map(
      "wide", [](const int& n) { return std::tuple<long, long>(n, n); }, numbers);
  auto cut = g.split(
      "cut", [](const std::tuple<long, long>&, std::size_t, std::size_t) { return 'c'; }, wide, shards(5), capacity(2));
  g.sink(
      "end", [](const char&) {}, cut);
  const auto stages = g.stages();
  ASSERT_EQ(stages.size(), 4u);
  EXPECT_EQ(stages[0].bound.messages, 3u);
  EXPECT_EQ(stages[1].bound.messages, 3u) << "a map's messages lie in the segment of its gate";
  EXPECT_EQ(stages[2].bound.messages, 10u);
  EXPECT_EQ(stages[3].bound.messages, 0u);
  EXPECT_GE(stages[1].bound.bytes, 3 * sizeof(std::tuple<long, long>));
  const Bound all = g.bound();
  EXPECT_EQ(all.messages, 16u);
  EXPECT_EQ(all.bytes, stages[0].bound.bytes + stages[1].bound.bytes + stages[2].bound.bytes);
  EXPECT_TRUE(all.complete);
}

TEST(Bound, IsIncompleteWhileAStageDoesNotDeclareWhatItsMessagesOwn) {
  Graph g("bound", threads(1));
  auto texts = g.map(
      "texts", [](const int&) { return std::string(); }, g.source("numbers", Count(1)));
  g.sink(
      "end", [](const std::string&) {}, texts);
  EXPECT_FALSE(g.bound().complete);
  EXPECT_TRUE(g.stages()[0].bound.complete);
  EXPECT_FALSE(g.stages()[1].bound.complete);
}

TEST(Bound, ARunUsesNoMoreSlotsThanItStates) {
  // Values stay in their slots, so the living are the slots of the three streams and the bodies' own.
  for (const std::size_t room : capacities) {
    Graph g("slots", threads(1));
    auto made = g.map(
        "made", [](const int& n) { return Counted(n); }, g.source("numbers", Count(97), capacity(room)));
    int most = 0;
    g.sink(
        "end", [&](const Counted&) { most = std::max(most, Counted::living().load()); }, made);
    g.run();
    EXPECT_LE(static_cast<std::size_t>(most), g.stages()[1].bound.bytes / sizeof(Counted));
  }
}

}  // namespace
}  // namespace sluice::test
