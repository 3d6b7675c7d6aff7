#include <sluice/stages/shard.hpp>

#include <gtest/gtest.h>

#include "tests/stages/example.hpp"

namespace sluice::stages::testing {
namespace {

TEST(Sharder, ShardsAreContiguousRunsOfWholeBlocksThatCoverTheBatchOnce) {
  for (const std::size_t rows : Sizes{1, 63, 64, 65, 256, 300, 1000})
    for (const std::size_t parts : Sizes{1, 2, 3, 4, 7, 32}) {
      const Work work(Example(rows, 1, 2).batch, example_weights(1, 2));
      std::size_t at = 0;
      for (std::size_t part = 0; part < parts; part++) {
        const Shard shard = Sharder{}(work, part, parts);
        if (shard.rows == 0) continue;
        EXPECT_EQ(shard.first_row, at);
        EXPECT_EQ(shard.first_row, shard.first_block * kernels::row_block);
        at += shard.rows;
        if (at < rows) {
          EXPECT_EQ(shard.rows % kernels::row_block, 0u);
        }
      }
      EXPECT_EQ(at, rows);
    }
}

TEST(Sharder, NoShardHasMoreThanOneBlockMoreThanAnother) {
  for (const std::size_t parts : Sizes{1, 2, 3, 4, 7}) {
    const Work work(Example(1000, 1, 2).batch, example_weights(1, 2));
    std::size_t least = 1000, most = 0;
    for (std::size_t part = 0; part < parts; part++) {
      const std::size_t blocks = (Sharder{}(work, part, parts).rows + 63) / 64;
      least = std::min(least, blocks), most = std::max(most, blocks);
    }
    EXPECT_LE(most - least, 1u);
  }
}

TEST(Sharder, WithFewerBlocksThanPartsSomeShardsAreEmpty) {
  const Work work(Example(65, 1, 2).batch, example_weights(1, 2));
  std::size_t empty = 0;
  for (std::size_t part = 0; part < 5; part++) empty += Sharder{}(work, part, 5).rows == 0;
  EXPECT_EQ(empty, 3u);
}

// What is fetched ahead: a thread works through a run of shards, and then has the same run of the next batch.
TEST(Sharder, BehindAShardComesTheNextOfItsRunOrTheFirstOfTheNextBatch) {
  const Example here(1000, 1, 2), there(700, 1, 2, 3);
  Work work(here.batch, example_weights(1, 2));
  Batch& batch = std::get<Batch>(work);
  batch.upcoming = there.batch.rows;
  for (const std::size_t parts : Sizes{4, 10, 15})
    for (const std::size_t workers : Sizes{1, 2, 3, 4, 16})
      for (std::size_t part = 0; part < parts; part++) {
        const auto worker = [&](std::size_t p) { return workers < parts ? p * workers / parts : p; };
        const Sharder sharder{.workers = workers};
        const bool last = part == parts - 1 || worker(part + 1) != worker(part);
        std::size_t its_first = part;
        while (its_first > 0 && worker(its_first - 1) == worker(part)) --its_first;
        const auto& rows = last ? batch.upcoming : batch.rows;
        const Shard next = sharder(work, last ? its_first : part + 1, parts);
        const std::size_t begin = std::min(next.first_row, rows.size());
        const std::size_t end = std::min(next.first_row + next.rows, rows.size());
        const Shard shard = sharder(work, part, parts);
        ASSERT_EQ(shard.upcoming.size(), end - begin) << workers << ", part " << part << " of " << parts;
        for (std::size_t i = begin; i < end; i++) EXPECT_EQ(shard.upcoming[i - begin], rows[i]) << part;
      }
  batch.upcoming.clear();
  EXPECT_TRUE(Sharder{.workers = 4}(work, 0, 4).upcoming.empty());
}

TEST(Sharder, AShardPointsAtItsBatchAndItsWeights) {
  const Work work(Example(65, 1, 2).batch, example_weights(1, 2));
  const Shard shard = Sharder{}(work, 0, 2);
  EXPECT_EQ(shard.batch, &std::get<Batch>(work));
  EXPECT_EQ(shard.weights, &std::get<Weights>(work));
  EXPECT_EQ(shard.model, std::get<Weights>(work).get());
}

}  // namespace
}  // namespace sluice::stages::testing
