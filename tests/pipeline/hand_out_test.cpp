// To which thread a shard is sent, and that all of them arrive however they are cut into tickets.
#include <sluice/pipeline/detail/segment.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include "tests/support/parameters.hpp"
#include "tests/support/stages.hpp"

namespace sluice::test {
namespace {

struct Segment : detail::Segment {
  Segment(std::size_t parts, std::size_t workers_of_all) {
    shards = parts, threads = workers_of_all;
    workers = std::make_unique<Worker[]>(parts);
  }
};

// Whoever took one of them in between.
TEST(HandOut, WhereThereAreShardsForAllEachThreadHasItsRunOfNeighbours) {
  const Segment s(10, 4);
  std::vector<int> workers;
  for (detail::Number k = 0; k < 10; ++k) workers.push_back(s.worker_of(k));
  EXPECT_EQ(workers, (std::vector<int>{0, 0, 0, 1, 1, 2, 2, 2, 3, 3}));
  EXPECT_EQ(s.worker_of(10 * 7 + 4), 1) << "the same of every message";
}

TEST(HandOut, FewerShardsThanThreadsGoToThoseThatWorkedOnThemTheLastTime) {
  Segment s(2, 8);
  EXPECT_EQ(s.worker_of(0), -1);
  s.worked_on(0, 5), s.worked_on(1, 3);
  for (const detail::Number message : {1u, 2u, 100u}) {
    EXPECT_EQ(s.worker_of(2 * message), 5);
    EXPECT_EQ(s.worker_of(2 * message + 1), 3);
  }
  s.worked_on(2 * 7 + 1, 6);  // by a thread that was free
  EXPECT_EQ(s.worker_of(2 * 8 + 1), 6);
}

//  numbers -> cut => work -> end
TEST(HandOut, EachShardArrivesOnceInTicketsOfAnyLength) {
  for (const std::size_t parts : {2u, 3u, 5u, 16u, 33u})
    for (const std::size_t count : {1u, 2u, 3u, 4u, 16u}) {
      Graph g("cut", threads(count));
      auto cut = g.split("cut", Cut{}, g.source("numbers", Count(20)), shards(parts), capacity(2));
      auto work = g.map(
          "work",
          [](const int& n) {
            // of some microseconds, so that shards are worth a thread
            volatile int turns = 0;
            while (turns < 3000) turns = turns + 1;
            return n;
          },
          cut, unlimited);
      std::vector<int> taken, expected;
      g.sink(
          "end", [&](const int& n) { taken.push_back(n); }, work);
      g.run();
      for (int n = 0; n < 20 * static_cast<int>(parts); ++n) expected.push_back(n);
      EXPECT_EQ(taken, expected) << parts << " shards on " << count << " threads";
    }
}

}  // namespace
}  // namespace sluice::test
