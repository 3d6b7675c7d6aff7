#include "apps/job/training_settings.hpp"

#include <gtest/gtest.h>

#include <tuple>

namespace sluice::apps::testing {
namespace {

stages::DataShape images(std::size_t rows, std::size_t columns, std::size_t classes = 10,
                         stages::ElementType stored = stages::ElementType::uint8) {
  stages::DataShape shape;
  shape.rows = rows, shape.columns = columns, shape.classes = classes, shape.stored = stored;
  return shape;
}

// Of a row block, 64 rows.
TEST(Cut, ABatchIsCutIntoAsManyShardsAsThereAreThreadsToWorkOnItsRowBlocks) {
  for (const auto& [rows, threads] :
       {std::pair{1u, 1u}, {65u, 2u}, {100u, 2u}, {100u, 1u}, {256u, 2u}, {256u, 4u}, {2048u, 8u}}) {
    const Cut cut = cut_of({.batch_size = rows}, images(28, 28), threads);
    EXPECT_EQ(cut.shards, threads) << rows << " rows on " << threads << " threads";
    EXPECT_EQ(cut.run, 1u) << rows << " rows on " << threads << " threads";
    EXPECT_FALSE(cut.gradient_by_slices);
  }
}

TEST(Cut, ABatchOfFewerRowBlocksThanThreadsIsCutFinerAndItsGradientBySlices) {
  for (const auto& [rows, threads, shards] :
       {std::tuple{1u, 2u, 1u}, {64u, 2u, 2u}, {64u, 16u, 4u}, {128u, 3u, 3u}, {256u, 16u, 16u}, {256u, 5u, 5u}}) {
    const Cut cut = cut_of({.batch_size = rows}, images(28, 28), threads);
    EXPECT_EQ(cut.shards, shards) << rows << " rows on " << threads << " threads";
    EXPECT_TRUE(cut.gradient_by_slices) << rows << " rows on " << threads << " threads";
  }
}

// The gradient of few pixels, or a small one, has no slices for all.
TEST(Cut, TheGradientIsTakenBySlicesOnlyWhereThereAreMoreOfThemThanRowBlocks) {
  EXPECT_FALSE(cut_of({.batch_size = 960}, images(8, 8), 16).gradient_by_slices);        // 2.6 KB: one slice
  EXPECT_FALSE(cut_of({.batch_size = 64}, images(4, 4, 1000), 16).gradient_by_slices);   // 16 pixels: one slice
  EXPECT_TRUE(cut_of({.batch_size = 64}, images(16, 16, 1000), 16).gradient_by_slices);  // 16 of them
  EXPECT_EQ(slices_of(images(4, 4, 1000), 16), 1u);
}

TEST(Cut, AShardIsNoLargerThanACoresCache) {
  // 784 bytes an image: 512 rows.
  Cut cut = cut_of({.batch_size = 4096}, images(28, 28), 1);
  EXPECT_EQ(cut.shards, 8u);
  EXPECT_EQ(cut.run, 8u);
  cut = cut_of({.batch_size = 4096}, images(28, 28), 6);
  EXPECT_EQ(cut.shards, 12u);
  EXPECT_EQ(cut.run, 2u);
  // float32, four times as much: 128 rows.
  EXPECT_EQ(cut_of({.batch_size = 4096}, images(28, 28, 10, stages::ElementType::float32), 2).shards, 32u);
  // An image that is larger than that.
  EXPECT_EQ(cut_of({.batch_size = 128}, images(200, 200, 2), 1).shards, 2u);
  // But its gradients take no more than a mebibyte a thread: one is 3 MB.
  EXPECT_EQ(cut_of({.batch_size = 4096}, images(28, 28, 1000), 2).shards, 2u);
}

TEST(Cut, ABatchIsCutAsIsAskedFor) {
  for (const std::size_t asked : {1u, 3u, 100u})
    EXPECT_EQ(cut_of({.batch_size = 100, .shards = asked}, images(28, 28), 2).shards, asked);
}

TEST(Cut, IsToldWithItsReason) {
  const auto told = [](TrainingSettings settings, std::size_t threads) {
    return cut_in_words(settings, images(28, 28), threads);
  };
  EXPECT_EQ(told({.batch_size = 256}, 2),
            "a batch: 2 shards of 128 rows, one a thread; the gradient: 2 slices of about 15.3 KiB, one a thread");
  EXPECT_EQ(told({.batch_size = 256}, 1),
            "a batch: 1 shard of 256 rows, one a thread; the gradient: 1 slice of about 30.7 KiB, one a thread");
  EXPECT_TRUE(told({.batch_size = 256}, 3).starts_with("a batch: 3 shards of 64 to 128 rows, one a thread; "));
  EXPECT_TRUE(
      told({.batch_size = 4096}, 2)
          .starts_with("a batch: 8 shards of 512 rows, 4 a thread, so that what it works on stays in its cache; "));
  EXPECT_TRUE(
      told({.batch_size = 100000}, 2)
          .starts_with(
              "a batch: 66 shards of 1472 to 1536 rows, 33 a thread, no more, since their gradients take memory"));
  EXPECT_EQ(told({.batch_size = 100}, 16),
            "a batch: 7 shards of 4 to 16 rows, for scores alone, since it has 2 row blocks of 64 for 16 threads, and "
            "a shard "
            "has no less than 16 rows; the gradient: 15 slices of about 2.0 KiB, since smaller ones cost more than "
            "they save");
  EXPECT_TRUE(told({.batch_size = 64}, 2)
                  .starts_with("a batch: 2 shards of 32 rows, for scores alone, since it has 1 row block of 64 for 2 "
                               "threads; the gradient: 2 slices"));
  EXPECT_TRUE(told({.batch_size = 100, .shards = 2}, 2).starts_with("a batch: 2 shards of 36 to 64 rows, as --shards"));
  EXPECT_TRUE(told({.batch_size = 257}, 4).starts_with("a batch: 4 shards of 64 to 65 rows, one a thread; "));
  EXPECT_TRUE(told({.batch_size = 1, .shards = 1}, 1).starts_with("a batch: 1 shard of 1 row, as --shards says; "));
  EXPECT_TRUE(
      told({.batch_size = 100, .shards = 7}, 2)
          .starts_with("a batch: 7 shards of 0 to 64 rows, as --shards says, 5 of them empty: it has 2 row blocks "
                       "of 64; "));
}

// A batch of 256 rows in 4 lanes is 4 row blocks.
TEST(Cut, EachLaneIsCutInAsManyShardsAsTheOthers) {
  const auto shards = [](TrainingSettings settings, std::size_t threads) {
    const Cut cut = cut_of(settings, images(28, 28), threads);
    EXPECT_FALSE(cut.gradient_by_slices);
    return cut.shards;
  };
  EXPECT_EQ(shards({.batch_size = 256, .lanes = 4}, 1), 4u);
  EXPECT_EQ(shards({.batch_size = 256, .lanes = 4}, 16), 4u);
  EXPECT_EQ(shards({.batch_size = 4096, .lanes = 2}, 1), 8u);
  EXPECT_EQ(shards({.batch_size = 4096, .lanes = 3}, 1), 9u);
  EXPECT_EQ(shards({.batch_size = 100, .lanes = 8}, 16), 8u);
  EXPECT_EQ(shards({.batch_size = 256, .lanes = 3, .shards = 4}, 2), 6u) << "as asked for, rounded up";
  EXPECT_EQ(shards({.batch_size = 256, .lanes = 3, .shards = 1}, 2), 3u);
  EXPECT_TRUE(cut_in_words({.batch_size = 300, .lanes = 2}, images(28, 28), 2)
                  .starts_with("a batch: 2 shards of 150 rows, 1 for each of 2 lanes; "));
  EXPECT_TRUE(cut_in_words({.batch_size = 300, .lanes = 2, .shards = 3}, images(28, 28), 2)
                  .starts_with("a batch: 4 shards of 64 to 86 rows, 2 for each of 2 lanes, as --shards says; "));
}

TEST(Cut, BeforeTheShapeIsKnownThereIsOneToo) {
  EXPECT_EQ(cut_of({.batch_size = 256}, {}, 2).shards, 2u);
  EXPECT_EQ(slices_of({}, 2), 1u);
}

TEST(Slices, AreAsManyAsThreadsWhereEachIsWorthIt) {
  EXPECT_EQ(slices_of(images(28, 28), 1), 1u);
  EXPECT_EQ(slices_of(images(28, 28), 2), 2u);
  EXPECT_EQ(slices_of(images(28, 28), 64), 15u);  // of 31 KB
  EXPECT_EQ(slices_of(images(2, 2, 2), 16), 1u);
}

}  // namespace
}  // namespace sluice::apps::testing
