#include <sluice/stages/lanes.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

namespace sluice::stages::testing {
namespace {

Lanes lanes(std::uint64_t rows, std::size_t count, std::size_t batch_size = 1, std::size_t rank = 0,
            std::size_t ranks = 1) {
  return {.rows = rows, .batch_size = batch_size, .share = {.lanes = count, .rank = rank, .ranks = ranks}};
}

// The lane of each position, dealt one by one.
std::vector<std::size_t> dealt(const Lanes& all) {
  std::vector<std::uint64_t> left;
  for (std::size_t lane = 0; lane < all.share.lanes; ++lane) left.push_back(all.rows_of(lane));
  std::vector<std::size_t> order;
  while (order.size() < all.rows)
    for (std::size_t lane = 0; lane < left.size(); ++lane)
      if (left[lane] > 0) --left[lane], order.push_back(lane);
  return order;
}

TEST(Lanes, HaveTheRowsOfTheSetOneBehindTheOther) {
  for (const std::uint64_t rows : {8u, 9u, 15u, 100u, 1003u}) {
    const Lanes all = lanes(rows, 8);
    EXPECT_EQ(all.first_row(0), 0u);
    EXPECT_EQ(all.first_row(8), rows);
    for (std::size_t lane = 0; lane < 8; ++lane) {
      EXPECT_GE(all.rows_of(lane), rows / 8);
      EXPECT_LE(all.rows_of(lane), rows / 8 + 1);
    }
  }
}

TEST(Lanes, PositionsAreDealtOneByOne) {
  for (const std::size_t count : {1u, 2u, 3u, 7u, 8u})
    for (const std::uint64_t rows : {8u, 9u, 10u, 13u, 15u, 64u, 100u, 1003u}) {
      const Lanes all = lanes(rows, count);
      const std::vector<std::size_t> order = dealt(all);
      std::vector<std::uint64_t> before(count);
      for (std::uint64_t position = 0; position <= rows; ++position) {
        for (std::size_t lane = 0; lane < count; ++lane)
          ASSERT_EQ(all.rows_before(lane, position), before[lane]) << count << " " << rows << " " << position;
        if (position < rows) ++before[order[position]];
      }
    }
}

TEST(Lanes, AStepIsMadeOfRunsWhoseBlocksFollowOneAnother) {
  for (const std::size_t count : {2u, 3u, 8u})
    for (const std::size_t batch_size : {8u, 100u, 256u, 1000u})
      for (const std::uint64_t rows : {99u, 1003u, 1025u}) {
        const Lanes all = lanes(rows, count, batch_size);
        std::uint64_t in_all = 0;
        for (std::uint64_t step = 0; step < all.steps(); ++step) {
          std::size_t block = 0, its = 0;
          for (std::size_t lane = 0; lane < count; ++lane) {
            const RowRun run = all.run(lane, step);
            EXPECT_EQ(run.first_block, block);
            EXPECT_LE(run.rows, all.most_in_step());
            block += run.blocks(), its += run.rows;
          }
          EXPECT_EQ(its, std::min<std::uint64_t>(batch_size, rows - step * batch_size));
          EXPECT_EQ(all.step(step).rows, its);
          EXPECT_EQ(all.step(step).blocks(), block);
          in_all += its;
        }
        EXPECT_EQ(in_all, rows);
      }
}

TEST(Lanes, ProcessesOwnNeighboursAndKnowWhereTheBlocksOfEachBegin) {
  for (const std::size_t ranks : {1u, 2u, 3u, 5u, 8u}) {
    std::size_t next = 0;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      const LaneShare share{.lanes = 8, .rank = rank, .ranks = ranks};
      EXPECT_EQ(share.first(), next);
      EXPECT_GE(share.owned(), 1u);
      next = share.last();
    }
    EXPECT_EQ(next, 8u);
    const Lanes all = lanes(1003, 8, 600, 0, ranks);
    for (std::uint64_t step = 0; step < 2; ++step) {
      const StepRows rows = all.step(step);
      ASSERT_EQ(rows.begins.size(), ranks + 1);
      for (std::size_t rank = 0; rank < ranks; ++rank)
        EXPECT_EQ(rows.begins[rank], all.run(all.share.first_of(rank), step).first_block);
    }
  }
}

TEST(Lanes, ShareTheShuffleBuffer) {
  EXPECT_EQ(lanes(1000, 4).buffer_rows(0, 100), 25u);
  EXPECT_EQ(lanes(1000, 3).buffer_rows(0, 100), 34u);
  EXPECT_EQ(lanes(1000, 4).buffer_rows(0, 2), 1u);
  EXPECT_EQ(lanes(10, 4).buffer_rows(0, 100), 2u) << "no more than it has rows";
}

TEST(Lanes, EveryProcessHasOne) {
  EXPECT_NO_THROW((LaneShare{.lanes = 3, .rank = 2, .ranks = 3}.check()));
  EXPECT_THROW((LaneShare{.lanes = 2, .rank = 0, .ranks = 3}.check()), std::invalid_argument);
  EXPECT_THROW((LaneShare{.lanes = 3, .rank = 3, .ranks = 3}.check()), std::invalid_argument);
}

}  // namespace
}  // namespace sluice::stages::testing
