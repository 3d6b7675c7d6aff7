#include <sluice/stages/join_lanes.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace sluice::stages::testing {
namespace {

Batch batch(const std::vector<std::uint8_t>& pixels, std::size_t first_block) {
  Batch out;
  for (const std::uint8_t& pixel : pixels) {
    out.rows.push_back(&pixel);
    out.labels.push_back(pixel);
  }
  out.pixels = 1;
  out.owners.resize(1);
  out.owners.front().renew();
  if (!pixels.empty()) out.runs = {{.rows = pixels.size(), .first_block = first_block}};
  out.step = {.rows = 100, .begins = {0, 3}};
  return out;
}

TEST(JoinLanes, TheRowsOfTheFirstComeFirstEachInItsRun) {
  const std::vector<std::uint8_t> one{1, 2, 3}, two{4, 5}, three{6};
  Batch both, all;
  JoinLanes{}({batch(one, 0), batch(two, 1)}, both);
  JoinLanes{}({both, batch(three, 2)}, all);
  EXPECT_EQ(all.labels, (std::vector<std::uint16_t>{1, 2, 3, 4, 5, 6}));
  for (std::size_t i = 0; i < all.count(); ++i) EXPECT_EQ(*all.rows[i], all.labels[i]);
  EXPECT_EQ(all.runs, (std::vector<RowRun>{{0, 3, 0}, {3, 2, 1}, {5, 1, 2}}));
  EXPECT_EQ(all.owners.size(), 3u);
  EXPECT_EQ(all.pixels, 1u);
  EXPECT_EQ(all.step.begins, (std::vector<std::size_t>{0, 3}));
}

TEST(JoinLanes, ALaneWithoutRowsHasNoRun) {
  const std::vector<std::uint8_t> one{1, 2}, none;
  Batch all;
  JoinLanes{}({batch(none, 0), batch(one, 0)}, all);
  EXPECT_EQ(all.runs, (std::vector<RowRun>{{0, 2, 0}}));
  JoinLanes{}({batch(one, 0), batch(none, 1)}, all);
  EXPECT_EQ(all.runs, (std::vector<RowRun>{{0, 2, 0}}));
  EXPECT_EQ(all.count(), 2u);
}

}  // namespace
}  // namespace sluice::stages::testing
