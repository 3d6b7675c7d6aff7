#include <sluice/stages/huge_pages.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <new>
#include <numeric>

namespace sluice::stages::testing {
namespace {

TEST(HugePages, AreAlignedToALineAndLargePiecesToAPage) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{100}, std::size_t{5} << 20, (std::size_t{7} << 20) + 3}) {
    auto* const memory = static_cast<std::uint8_t*>(take_pages(size));
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    EXPECT_EQ(address % (size > 4 << 20 ? 2 << 20 : 64), 0u) << size;
    memory[0] = memory[size - 1] = 1;  // a sanitizer sees what lies beyond
    release_pages(memory, size);
  }
}

TEST(HugePages, AColumnGrowsAsAVectorDoes) {
  Column<std::uint32_t> column;
  for (std::uint32_t i = 0; i < 3'000'000; ++i) column.push_back(i);
  Column<std::uint32_t> expected(column.size());
  std::iota(expected.begin(), expected.end(), 0u);
  EXPECT_EQ(column, expected);
}

TEST(HugePages, MoreThanThereCanBeIsAnError) {
  EXPECT_THROW(HugePages<double>{}.allocate(std::numeric_limits<std::size_t>::max() / 8), std::bad_alloc);
}

}  // namespace
}  // namespace sluice::stages::testing
