#include <sluice/stages/batcher.hpp>

#include <gtest/gtest.h>

#include <numeric>
#include <stdexcept>
#include <vector>

#include <sluice/stages/shuffle.hpp>
#include "tests/support/drive.hpp"

namespace sluice::stages {
namespace {

using Sizes = std::vector<std::size_t>;

using sluice::test::drive;

// `count` images of two pixels; an image's place tells its index.
struct Rows {
  explicit Rows(std::size_t count) : memory(2 * count) {
    set.rows = 1, set.columns = 2, set.classes = 10;
    for (std::size_t i = 0; i < count; ++i) {
      set.images.push_back(memory.data() + 2 * i);
      set.labels.push_back(static_cast<std::uint16_t>(i % 10));
    }
  }
  std::uint32_t index(const std::uint8_t* row) const { return static_cast<std::uint32_t>((row - memory.data()) / 2); }

  // The rows of the epoch that comes next, in the order of its batches.
  Column<std::uint32_t> order(Batcher& batcher) const {
    Column<std::uint32_t> all;
    batcher.reset();
    drive(batcher, [&](const Batch& batch) {
      EXPECT_EQ(batch.pixels, 2u);
      EXPECT_EQ(batch.labels.size(), batch.count());
      for (std::size_t i = 0; i < batch.count(); ++i) {
        all.push_back(index(batch.rows[i]));
        EXPECT_EQ(batch.labels[i], all.back() % 10);
      }
    });
    return all;
  }

  std::vector<std::uint8_t> memory;
  DataSet set;
};

TEST(Batcher, TakesTheRowsOfAnEpochInItsShuffledOrder) {
  const Rows rows(1000);
  for (const std::size_t size : Sizes{1, 7, 256, 999, 1000, 5000}) {
    Batcher batcher{.data = &rows.set, .batch_size = size, .seed = 5};
    for (const std::uint32_t epoch : {1u, 2u, 7u, 1u}) {
      batcher.epoch(epoch);
      EXPECT_EQ(rows.order(batcher), shuffle(1000, 5, epoch));
    }
  }
}

TEST(Batcher, TakesTheRowsInOrderWhenTheyAreNotShuffled) {
  const Rows rows(1000);
  Batcher batcher{.data = &rows.set, .batch_size = 64, .shuffled = false};
  Column<std::uint32_t> in_order(1000);
  std::iota(in_order.begin(), in_order.end(), 0u);
  EXPECT_EQ(rows.order(batcher), in_order);
}

TEST(Batcher, OnlyTheLastBatchIsSmaller) {
  const Rows rows(1000);
  Batcher batcher{.data = &rows.set, .batch_size = 256};
  std::vector<std::size_t> sizes;
  drive(batcher, [&](const Batch& batch) { sizes.push_back(batch.count()); });
  EXPECT_EQ(sizes, (std::vector<std::size_t>{256, 256, 256, 232}));
}

// So that they are in the cache by then.
TEST(Batcher, ABatchAnnouncesTheRowsOfTheNextOne) {
  const Rows rows(1000);
  for (const bool shuffled : {true, false})
    for (const std::size_t size : Sizes{1, 256, 1000}) {
      Batcher batcher{.data = &rows.set, .batch_size = size, .seed = 5, .shuffled = shuffled};
      Batch batch;
      ASSERT_TRUE(batcher(batch));
      for (std::vector<const std::uint8_t*> announced; !batch.upcoming.empty();) {
        announced.assign(batch.upcoming.begin(), batch.upcoming.end());
        ASSERT_TRUE(batcher(batch));
        EXPECT_EQ(std::vector(batch.rows.begin(), batch.rows.end()), announced);
      }
      EXPECT_FALSE(batcher(batch)) << "only the last one announces none";
    }
}

TEST(Batcher, AnEpochPreparedAlongTheWayIsTheSameAsOneThatIsNot) {
  const Rows rows(1000);
  Batcher batcher{.data = &rows.set, .batch_size = 64, .seed = 5};
  for (const std::uint32_t epoch : {1u, 2u, 9u, 3u, 4u}) {
    batcher.epoch(epoch);
    EXPECT_EQ(rows.order(batcher), shuffle(1000, 5, epoch));
    EXPECT_TRUE(batcher.ahead_.is(1000, 5, epoch + 1));
    EXPECT_TRUE(batcher.ahead_.done());
  }
  batcher.seed = 6;
  batcher.epoch(5);
  EXPECT_EQ(rows.order(batcher), shuffle(1000, 6, 5));
}

TEST(Batcher, AnEpochThatWasLeftInTheMiddlePreparesNothingWrong) {
  const Rows rows(1000);
  Batcher batcher{.data = &rows.set, .batch_size = 64, .seed = 5};
  Batch batch;
  batcher.epoch(1);
  EXPECT_TRUE(batcher(batch));
  batcher.epoch(2), batcher.reset();
  EXPECT_EQ(rows.order(batcher), shuffle(1000, 5, 2));
}

TEST(Batcher, NothingIsPreparedAfterTheLastEpoch) {
  const Rows rows(1000);
  Batcher batcher{.data = &rows.set, .batch_size = 64, .seed = 5, .last_epoch = 2};
  batcher.epoch(2);
  EXPECT_EQ(rows.order(batcher), shuffle(1000, 5, 2));
  EXPECT_TRUE(batcher.ahead_.order().empty());
}

TEST(Batcher, UsesTheMemoryOfABatchAgainAndNoMoreThanItStates) {
  const Rows rows(1000);
  Batcher batcher{.data = &rows.set, .batch_size = 100};
  Batch batch;
  EXPECT_TRUE(batcher(batch));
  const auto* memory = batch.rows.data();
  while (batcher(batch)) EXPECT_EQ(batch.rows.data(), memory);
  EXPECT_LE(batch.rows.capacity() * sizeof(batch.rows[0]) + batch.labels.capacity() * sizeof(batch.labels[0]),
            batcher.payload_bytes());
}

// A vector that grows by a few takes room for twice as many.
TEST(Batcher, ABatchThatFollowsAShorterOneTakesNoMoreMemoryThanItStates) {
  const Rows rows(456);
  Batcher batcher{.data = &rows.set, .batch_size = 256};
  Batch batch;
  EXPECT_TRUE(batcher(batch));
  batch = {};
  EXPECT_TRUE(batcher(batch));  // the last, of 200
  batcher.epoch(2);
  batcher.reset();
  EXPECT_TRUE(batcher(batch));
  EXPECT_EQ(batch.count(), 256u);
  EXPECT_LE((batch.rows.capacity() + batch.upcoming.capacity()) * sizeof(batch.rows[0]) +
                batch.labels.capacity() * sizeof(batch.labels[0]),
            batcher.payload_bytes());
}

TEST(Batcher, AnEpochMayBeginBehindAnyOfItsBatches) {
  const Rows rows(1000);
  const Column<std::uint32_t> whole = shuffle(1000, 5, 3);
  for (const std::size_t size : Sizes{1, 7, 256, 1000})
    for (std::size_t cut = 0; cut <= 1000; cut += 3 * size) {
      Batcher batcher{.data = &rows.set, .batch_size = size, .seed = 5};
      batcher.epoch(3, cut);
      EXPECT_EQ(rows.order(batcher),
                Column<std::uint32_t>(whole.begin() + static_cast<std::ptrdiff_t>(cut), whole.end()))
          << size << ", cut at " << cut;
      batcher.epoch(4);
      EXPECT_EQ(rows.order(batcher), shuffle(1000, 5, 4));
    }
}

// Of which nothing is left: as a run goes on whose epoch was complete.
TEST(Batcher, AnEpochMayBeginBehindItsLastRow) {
  const Rows rows(456);
  Batcher batcher{.data = &rows.set, .batch_size = 256};
  batcher.epoch(1, 456);
  batcher.reset();
  Batch batch;
  EXPECT_FALSE(batcher(batch));
}

TEST(Batcher, AnEpochBeginsWithABatch) {
  const Rows rows(100);
  Batcher batcher{.data = &rows.set, .batch_size = 10, .seed = 5};
  batcher.epoch(1, 15);
  EXPECT_THROW(rows.order(batcher), std::invalid_argument);
}

TEST(Batcher, StaysEndedUntilItIsReset) {
  const Rows rows(10);
  Batcher batcher{.data = &rows.set};
  Batch batch;
  EXPECT_TRUE(batcher(batch));
  EXPECT_FALSE(batcher(batch));
  EXPECT_FALSE(batcher(batch));
  batcher.reset();
  EXPECT_TRUE(batcher(batch));
}

TEST(Batcher, ABatchSizeOfZeroAndNoDataAreRefused) {
  const Rows rows(10);
  Batch batch;
  Batcher no_size{.data = &rows.set, .batch_size = 0}, no_data;
  EXPECT_THROW(no_size(batch), std::invalid_argument);
  EXPECT_THROW(no_data(batch), std::invalid_argument);
}

}  // namespace
}  // namespace sluice::stages
