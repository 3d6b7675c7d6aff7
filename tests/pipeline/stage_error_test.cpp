// Errors have an address: whatever throws, run() throws one StageError with stage, sequence number and cause, and the
// next run works.
#include <gtest/gtest.h>

#include <chrono>
#include <new>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "tests/pipeline/everything.hpp"
#include "tests/support/allocations.hpp"
#include "tests/support/concurrency.hpp"
#include "tests/support/parameters.hpp"
#include "tests/support/payloads.hpp"
#include "tests/support/sanitized.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

struct Case {
  const char* where;  // as the stage says it to its trap
  std::uint64_t sequence;
  const char* stage;
  std::optional<std::uint64_t> expected;
};

// The sequence number is that of the message being made; of an expand, and of a sink, that of the one being taken.
constexpr Case cases[] = {
    {"numbers", 0, "numbers", 0},
    {"numbers", 11, "numbers", 11},
    {"numbers", 30, "numbers", 30},  // asked for the end
    {"plus", 0, "plus", 0},
    {"plus", 17, "plus", 17},
    {"repeat.push", 0, "repeat", 0},
    {"repeat.push", 20, "repeat", 20},
    {"repeat.pull", 0, "repeat", 0},
    {"repeat.pull", 9, "repeat", 7},  // asked in vain after nine outputs, of the inputs 0 to 7
    {"repeat.finish", 0, "repeat", std::nullopt},
    {"cut", 0, "cut", 0},
    {"cut", 40, "cut", 40},
    {"sum", 0, "sum", 0},
    {"sum", 13, "sum", 13},
    {"total", 0, "total", 0},
    {"total", 21, "total", 21},
    {"total.finish", 0, "total", std::nullopt},
    {"numbers.reset", 0, "numbers", std::nullopt},
    {"plus.reset", 0, "plus", std::nullopt},
    {"repeat.reset", 0, "repeat", std::nullopt},
    {"cut.reset", 0, "cut", std::nullopt},
    {"sum.reset", 0, "sum", std::nullopt},
    {"total.reset", 0, "total", std::nullopt},
};

TEST(StageError, NamesStageSequenceAndCauseOfAThrowInAnyBodyAndTheGraphRunsAgain) {
  for_each_thread_count([](std::size_t count) {
    for (const std::size_t room : capacities) {
      Everything all(30, threads(count), room);
      std::vector<long> expected;
      all.expected(expected);
      for (const Case& c : cases) {
        SCOPED_TRACE(testing::Message() << c.where << " at " << c.sequence << ", capacity " << room);
        all.trap = {c.where, c.sequence};
        const auto error = stage_error([&] { all.graph.run(); });
        ASSERT_TRUE(error);
        EXPECT_EQ(error->stage(), c.stage);
        EXPECT_EQ(error->sequence(), c.expected);
        const auto* const cause = error->cause_as<std::runtime_error>();
        ASSERT_TRUE(cause);
        EXPECT_STREQ(cause->what(), "trap");
        all.trap = {};
        all.state.set_value(0);
        all.graph.run();
        ASSERT_EQ(all.taken, expected);
      }
    }
  });
}

//  numbers -> pair -> end
//          -> pair
TEST(StageError, APayloadThatThrowsWhenAZipCopiesItIsTheZipsError) {
  for_each_thread_count([](std::size_t count) {
    int bad = 5;
    Graph g("copies", threads(count));
    auto numbers = g.map(
        "numbers", [&](const int& n) { return ThrowsOnCopy(n, bad); }, g.source("source", Count(9)));
    g.sink(
        "end", [](const std::tuple<ThrowsOnCopy, ThrowsOnCopy>&) {}, g.zip("pair", numbers, numbers));
    for (int again = 0; again < 2; ++again) {
      const auto error = stage_error([&] { g.run(); });
      ASSERT_TRUE(error);
      EXPECT_EQ(error->stage(), "pair");
      EXPECT_EQ(error->sequence(), 5u);
    }
    bad = -1;
    g.run();
  });
}

TEST(StageError, APayloadThatThrowsWhenAFeedbackCopiesItIsTheFeedbacksError) {
  Graph g("copies", threads(2));
  auto value = g.feedback("value", ThrowsOnCopy(0, 3));
  auto step = g.zip("step", g.source("source", Count(9)), value);
  auto next = g.map(
      "next", [](const std::tuple<int, ThrowsOnCopy>& s) { return ThrowsOnCopy(std::get<0>(s) + 1, 3); }, step);
  g.sink(
      "beside", [](const ThrowsOnCopy&) {}, next);
  value.close(next);
  const auto error = stage_error([&] { g.run(); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->stage(), "value");
  EXPECT_EQ(error->sequence(), 3u) << "the feedback's message: number 2 of the stream that closes it";
}

// Of a shard that was sent to another thread, too, where oneTBB keeps what is thrown to itself.
TEST(StageError, OneWhoseAddressFindsNoMemoryIsNotLost) {
  if (sanitized) GTEST_SKIP() << "a sanitizer brings an operator new of its own";
  for_each_thread_count([](std::size_t count) {
    Graph g("cut", threads(count));
    bool fails = true;
    auto cut = g.split("cut", Cut{}, g.source("numbers", Count(40)), shards(4));
    auto works = g.map(
        "a name that does not lie in the string itself",
        [&](const int& n) {
          std::this_thread::sleep_for(std::chrono::microseconds(50));  // worth a thread
          if (fails && n == 101) {
            Allocations::refuse();
            throw n;
          }
          return n;
        },
        cut, unlimited);
    g.sink(
        "end", [](const int&) {}, works);
    for (int again = 0; again < 5; ++again) {
      EXPECT_THROW(g.run(), std::bad_alloc);
      fails = false;
      g.run();
      fails = true;
    }
  });
}

TEST(StageError, AnExceptionThatIsNoStdExceptionArrivesToo) {
  Graph g("int", threads(2));
  g.sink(
      "end",
      [](const int& n) {
        if (n == 4) throw n;
      },
      g.source("numbers", Count(9)));
  const auto error = stage_error([&] { g.run(); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->sequence(), 4u);
  const int* const cause = error->cause_as<int>();
  ASSERT_TRUE(cause);
  EXPECT_EQ(*cause, 4);
}

//  numbers -> meet -> end
TEST(StageError, OfTwoBodiesThatThrowAtOnceOneIsReported) {
  Rendezvous both(2);
  Graph g("two", threads(2));
  auto meet = g.map(
      "meet",
      [&](const int& n) -> int {
        EXPECT_TRUE(both.meet());
        throw std::runtime_error(std::to_string(n));
      },
      g.source("numbers", Count(2)), unlimited);
  g.sink(
      "end", [](const int&) {}, meet);
  const auto error = stage_error([&] { g.run(); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->stage(), "meet");
  EXPECT_EQ(error->what(),
            "stage 'meet', message " + std::to_string(*error->sequence()) + ": " + std::to_string(*error->sequence()));
}

//  numbers -> texts -> repeat -> end
// The message after the one that failed was never made, and nobody may look at it. (Run under the address sanitizer.)
TEST(StageError, NoBodySeesAMessageThatWasNotMade) {
  struct Letters {
    std::size_t left = 0;
    void push(const std::string& text) {
      EXPECT_EQ(text.size(), 40u);
      left = 1;
    }
    std::optional<int> pull() { return left-- > 0 ? std::optional(1) : std::nullopt; }
    void finish() { left = 0; }
  };
  for (int bad = 0; bad < 200; ++bad) {
    Graph g("fails", threads(2));
    auto texts = g.map(
        "texts",
        [&](const int& n) {
          if (n == bad % 20) throw std::runtime_error("bad");
          return std::string(40, 'x');
        },
        g.source("numbers", Count(60), capacity(4)), unlimited);
    g.sink(
        "end", [](const int&) {}, g.expand("letters", Letters{}, texts));
    g.sink(
        "beside", [](const std::string& text) { EXPECT_EQ(text.size(), 40u); }, texts);
    ASSERT_TRUE(stage_error([&] { g.run(); }));
  }
}

}  // namespace
}  // namespace sluice::test
