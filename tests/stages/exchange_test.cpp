#include <sluice/stages/exchange.hpp>

#include <gtest/gtest.h>

#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <sluice/stages/batcher.hpp>
#include "tests/stages/example.hpp"
#include "tests/support/thread_peers.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::testing::ThreadRanks;

// Of a batch, the rows that one of several ranks has.
Batch share_of(const Batch& all, std::size_t rank, std::size_t ranks) {
  const RowRun its = Batcher{.rank = rank, .ranks = ranks}.share(all.count());
  Batch part;
  part.pixels = all.pixels;
  const auto take = [&](const auto& from, auto& to) {
    const auto first = from.begin() + static_cast<std::ptrdiff_t>(its.first_row);
    to.assign(first, first + static_cast<std::ptrdiff_t>(its.rows));
  };
  take(all.rows, part.rows);
  take(all.labels, part.labels);
  part.step = step_of(all.count(), ranks);
  part.runs = {{.rows = its.rows, .first_block = its.first_block}};
  return part;
}

// A step of one rank, up to the sums that it brings.
struct Brought {
  Brought(const Batch& batch, const Weights& weights, std::size_t parts) : work(batch, weights), scored(parts) {
    std::vector<Shared<PartialGradient>> partial(parts);
    for (std::size_t part = 0; part < parts; part++) {
      SoftmaxForward{}(Sharder{}(work, part, parts), scored[part]);
      SoftmaxGradient{}(scored[part], partial[part]);
    }
    Plan plan{.part = true};
    plan(group_of(partial), std::get<0>(sums));
    auto& [losses, hits] = std::get<1>(sums);
    CrossEntropyOfBlocks{}(group_of(scored), losses);
    hits = Accuracy{}(group_of(scored));
  }

  Work work;
  std::vector<Scored> scored;
  RankSums sums;
};

std::vector<float> sum_of(const GradientPlan& plan) {
  SliceSum sum;
  Reduce{}(Slicer{}(plan, 0, 1), sum);
  return {sum.values, sum.values + (sum.end - sum.begin)};
}

// Processes, of how many on a host, rows, way.
class Ranks : public ::testing::TestWithParam<std::tuple<std::size_t, std::size_t, std::size_t, ExchangeWay>> {};

TEST_P(Ranks, TheSumHasTheBitsOfOneProcess) {
  const auto [count, of_a_host, rows, way] = GetParam();
  const Example example(rows, 100, 10);
  const Weights weights = example_weights(100, 10);
  const Step whole(example.batch, weights, 1);
  const BatchHits hits = Accuracy{}(group_of(whole.scored));
  for (const std::size_t shards : Sizes{1, 2, 5}) {
    ThreadRanks ranks(count, of_a_host);
    ranks.run([&, count = count, of_a_host = of_a_host, rows = rows, way = way](Peers& peers) {
      ExchangeState state{.peers = &peers, .way = way};
      const Batch batch = share_of(example.batch, peers.rank(), count);
      const Brought brought(batch, weights, shards);
      Exchanged all;
      for (int again = 0; again < 3; ++again) {  // into memory that was used
        Exchange{.state = &state}(brought.sums, all);
        EXPECT_EQ(bytes_of(sum_of(all)) == bytes_of(whole.gradient), true) << "rank " << peers.rank();
        EXPECT_EQ(all.rows, rows);
        EXPECT_EQ(all.loss.sum, whole.loss.sum);
        EXPECT_EQ(all.loss.count, rows);
        EXPECT_EQ(all.hits.hits, hits.hits);
        EXPECT_EQ(all.hits.count, rows);
        EXPECT_EQ(all.wish, 0);
      }
      EXPECT_EQ(state.steps, 3u);
      if (way == ExchangeWay::gather && of_a_host >= count) {
        // Less than a node: what is said.
        EXPECT_LT(state.bytes / 3, count * std::get<0>(brought.sums).size * sizeof(float));
      }
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Exchange, Ranks,
                         ::testing::Combine(::testing::Values(1, 2, 3, 4, 7), ::testing::Values(1, 2, 7),
                                            ::testing::Values(1, 64, 100, 256, 1000, 1025),
                                            ::testing::Values(ExchangeWay::gather, ExchangeWay::slices)));

TEST(Exchange, AWishOfOneRankIsThatOfAllAndBehindItNothingIsExchanged) {
  const Example example(300, 20, 3);
  const Weights weights = example_weights(20, 3);
  ThreadRanks ranks(3);
  ranks.run([&](Peers& peers) {
    ExchangeState state{.peers = &peers};
    const Brought brought(share_of(example.batch, peers.rank(), 3), weights, 1);
    Exchanged all;
    const Exchange exchange{.state = &state};
    exchange(brought.sums, all);
    EXPECT_EQ(all.wish, 0);
    if (peers.rank() == 1) state.wish = 15;
    exchange(brought.sums, all);
    EXPECT_EQ(all.wish, 15);
    EXPECT_FALSE(all.over);
    if (peers.rank() != 0) return;  // nobody waits for the others any more
    exchange(brought.sums, all);
    EXPECT_TRUE(all.over);
    EXPECT_EQ(sum_of(all).size(), sum_of(std::get<0>(brought.sums)).size());
    EXPECT_EQ(state.steps, 2u);
  });
}

TEST(Exchange, ABatchThatIsCutForOthersIsRefused) {
  const Example example(300, 20, 3);
  ThreadRanks ranks(2);
  EXPECT_THROW(ranks.run([&](Peers& peers) {
    ExchangeState state{.peers = &peers};
    const Brought brought(share_of(example.batch, 0, 3), example_weights(20, 3), 1);
    Exchanged all;
    Exchange{.state = &state}(brought.sums, all);
  }),
               std::invalid_argument);
}

TEST(Exchange, TheWayFollowsFromRanksAndBytes) {
  constexpr std::size_t chapter = 785 * 16;
  EXPECT_EQ(exchange_way(2, 2, chapter), ExchangeWay::gather);
  // As docs/many-machines.md has it: by eight of four row blocks, by three where each has several.
  constexpr std::size_t gradient = 7850 + 6;
  EXPECT_EQ(exchange_way(7, 4, gradient), ExchangeWay::gather);
  EXPECT_EQ(exchange_way(16, 16, chapter), ExchangeWay::slices);
  EXPECT_EQ(exchange_way(64, 64, 16), ExchangeWay::gather);  // so little that rounds are what counts
}

TEST(Exchange, TakesNoMoreMemoryThanItStates) {
  for (const std::size_t count : Sizes{1, 2, 3, 7})
    for (const std::size_t rows : Sizes{1, 64, 300, 1025, 4096})
      for (const ExchangeWay way : {ExchangeWay::gather, ExchangeWay::slices}) {
        const Example example(rows, 100, 10);
        ThreadRanks ranks(count, rows % 2 ? 1 : 2);
        ranks.run([&](Peers& peers) {
          ExchangeState state{.peers = &peers, .way = way};
          const Exchange exchange{.state = &state, .limits = {rows, 100, 10}};
          // A last step, which is smaller, may have more nodes.
          for (const std::size_t fewer : Sizes{rows, rows - rows / 64, rows * 63 / 64, rows * 42 / 64}) {
            if (fewer == 0) continue;
            Batch part = example.batch;
            part.rows.resize(fewer), part.labels.resize(fewer);
            const Brought brought(share_of(part, peers.rank(), count), example_weights(100, 10), 1);
            Exchanged all;
            exchange(brought.sums, all);
            EXPECT_LE(all.memory.size() * sizeof(float), *exchange.payload_bytes()) << count << " ranks, " << fewer;
            EXPECT_LE((state.outgoing.size() + 2 * state.shared_floats + state.sum.sums.size()) * sizeof(float),
                      exchange.state_bytes())
                << count << " ranks, " << fewer;
          }
        });
      }
}

// By either way in turn, of short and of long steps: on one host, on two, and on as many as there are ranks.
TEST(Exchange, WaysAndLengthsMayChangeFromStepToStep) {
  const Example small(70, 20, 3), large(1000, 20, 3, 2);
  const Weights weights = example_weights(20, 3);
  const std::vector<float> wanted[] = {Step(small.batch, weights, 1).gradient, Step(large.batch, weights, 1).gradient};
  constexpr auto gather = ExchangeWay::gather, slices = ExchangeWay::slices, either = ExchangeWay::automatic;
  const std::pair<std::size_t, ExchangeWay> steps[] = {{0, gather}, {1, slices}, {1, gather}, {1, gather}, {0, either},
                                                       {1, gather}, {1, slices}, {0, slices}, {1, gather}, {1, either}};
  for (const std::size_t of_a_host : Sizes{1, 2, 3}) {
    ThreadRanks ranks(3, of_a_host);
    ranks.run([&](Peers& peers) {
      ExchangeState state{.peers = &peers};
      const Brought brought[] = {{share_of(small.batch, peers.rank(), 3), weights, 1},
                                 {share_of(large.batch, peers.rank(), 3), weights, 1}};
      for (const auto& [size, way] : steps) {
        Exchanged all;
        state.way = way;
        Exchange{.state = &state}(brought[size].sums, all);
        ASSERT_EQ(sum_of(all), wanted[size]);
      }
      EXPECT_GE(state.steps_by_slices, 3u);
    });
  }
}

// Each writes what it brings to the next step while the other may still read this one's: what it has read stays as it
// was.
TEST(Exchange, WhatRanksOfAHostReadStaysUntilTheyHandInTheNextStep) {
  const Example example(300, 20, 3), other(300, 20, 3, 2);
  const Weights weights = example_weights(20, 3);
  const std::vector<float> wanted[] = {Step(example.batch, weights, 1).gradient,
                                       Step(other.batch, weights, 1).gradient};
  ASSERT_NE(wanted[0], wanted[1]);
  ThreadRanks ranks(2, 2);
  ranks.run([&](Peers& peers) {
    ExchangeState state{.peers = &peers, .way = ExchangeWay::gather};
    const Brought brought[] = {{share_of(example.batch, peers.rank(), 2), weights, 1},
                               {share_of(other.batch, peers.rank(), 2), weights, 1}};
    for (std::size_t step = 0; step < 200; ++step) {
      Exchanged all;
      Exchange{.state = &state}(brought[step % 3 % 2].sums, all);
      if ((step + peers.rank()) % 2) std::this_thread::yield();
      ASSERT_EQ(sum_of(all), wanted[step % 3 % 2]) << step;
    }
  });
}

}  // namespace
}  // namespace sluice::stages::testing
