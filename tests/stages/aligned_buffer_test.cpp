#include <sluice/stages/aligned_buffer.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace sluice::stages {
namespace {

TEST(AlignedBuffer, StartsOnA64ByteBoundary) {
  for (const std::size_t size : std::vector<std::size_t>{1, 3, 1000}) {
    AlignedBuffer<float> buffer;
    buffer.resize(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64, 0u);
  }
}

TEST(AlignedBuffer, KeepsItsMemoryWhenItNeedNotGrow) {
  AlignedBuffer<float> buffer;
  buffer.resize(100);
  const float* memory = buffer.data();
  buffer.resize(3);
  EXPECT_EQ(buffer.size(), 3u);
  buffer.resize(100);
  EXPECT_EQ(buffer.data(), memory);
}

TEST(AlignedBuffer, MovesWithoutCopying) {
  AlignedBuffer<float> from, to;
  from.resize(10);
  const float* memory = from.data();
  to = std::move(from);
  EXPECT_EQ(to.data(), memory);
  EXPECT_EQ(to.size(), 10u);
}

// What it can hold goes with the memory.
TEST(AlignedBuffer, BehindAMoveItGrowsWhereItsMemoryIsTooSmall) {
  AlignedBuffer<float> large, small;
  large.resize(1000), small.resize(10);
  const float* const memory = small.data();
  large = std::move(small);
  large.resize(1000);
  EXPECT_NE(large.data(), memory);
  large.begin()[999] = 1;
}

}  // namespace
}  // namespace sluice::stages
