#include "apps/job/training_settings.hpp"

#include <gtest/gtest.h>

#include <tuple>

namespace sluice::apps::testing {
namespace {

// Of a row block, 64 rows.
TEST(Shards, OfABatchAreAsManyAsItHasBlocksOrThreadsToWorkOnThem) {
  for (const auto& [rows, threads, expected] : {std::tuple{1u, 2u, 1u},
                                                {64u, 2u, 1u},
                                                {65u, 2u, 2u},
                                                {100u, 2u, 2u},
                                                {100u, 1u, 1u},
                                                {128u, 8u, 2u},
                                                {129u, 8u, 3u},
                                                {256u, 2u, 2u},
                                                {6400u, 8u, 8u}})
    EXPECT_EQ(shards_of({.batch_size = rows}, threads), expected) << rows << " rows on " << threads << " threads";
}

TEST(Shards, AreAsManyAsAreAskedFor) {
  for (const std::size_t asked : {1u, 3u, 100u}) EXPECT_EQ(shards_of({.batch_size = 100, .shards = asked}, 2), asked);
}

}  // namespace
}  // namespace sluice::apps::testing
