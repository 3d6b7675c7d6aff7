#include <sluice/pipeline/detail/ring.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include "tests/support/payloads.hpp"

namespace sluice::detail {
namespace {

using test::Counted;

TEST(Slot, IsEmptyUntilAValueIsSetAndEndsItsLife) {
  {
    Slot<Counted> slot;
    EXPECT_EQ(Counted::living(), 0);
    slot.set(Counted(3));
    EXPECT_EQ(Counted::living(), 1);
    EXPECT_EQ(slot.value().n, 3);
    slot.set(Counted(4));
    EXPECT_EQ(Counted::living(), 1);
    EXPECT_EQ(slot.value().n, 4);
  }
  EXPECT_EQ(Counted::living(), 0);
}

TEST(Slot, RecycledIsTheValueLeftBehindOrANewOne) {
  Slot<std::vector<int>> slot;
  EXPECT_TRUE(slot.recycled().empty());
  slot.recycled().assign(100, 7);
  const int* memory = slot.value().data();
  EXPECT_EQ(slot.recycled().data(), memory);
  slot.clear();
  EXPECT_TRUE(slot.recycled().empty());
}

TEST(Slot, TakesValuesThatCannotBeAssigned) {
  Slot<test::Rigid> slot;
  slot.set(test::Rigid(1));
  slot.set(test::Rigid(2));
  EXPECT_EQ(slot.value().get(), 2);
}

TEST(Slot, AConstructorThatThrowsLeavesItEmpty) {
  struct Throws {
    explicit Throws(int n) {
      if (n < 0) throw n;
    }
    Throws(Throws&&) = delete;
    Counted counted;
  };
  Slot<Throws> slot;
  slot.set(1);
  EXPECT_THROW(slot.set(-1), int);
  EXPECT_EQ(Counted::living(), 0);
  slot.set(2);
  EXPECT_EQ(Counted::living(), 1);
}

TEST(Ring, HasAPowerOfTwoOfSlotsAndMessageKLiesInSlotKModuloTheirNumber) {
  for (const auto& [messages, slots] :
       {std::pair(1u, 1u), std::pair(2u, 2u), std::pair(3u, 4u), std::pair(16u, 16u), std::pair(17u, 32u)}) {
    Ring<int> ring;
    ring.allocate(messages);
    ASSERT_EQ(ring.mask() + 1, slots);
    for (unsigned k = 0; k < slots; ++k) ring.slot(k).set(static_cast<int>(k));
    for (std::uint64_t k = 0; k < 3 * slots; ++k) EXPECT_EQ(ring[k], static_cast<int>(k % slots));
    EXPECT_EQ(ring[std::uint64_t{1} << 40 | (slots - 1)], static_cast<int>(slots - 1));
  }
}

TEST(Ring, KeepsItsValuesWhenTheNumberOfSlotsStaysAndDropsThemWhenItChanges) {
  Ring<Counted> ring;
  ring.allocate(3);
  ring.slot(0).set(Counted(1));
  ring.allocate(4);
  EXPECT_EQ(ring[0].n, 1);
  ring.allocate(2);
  EXPECT_EQ(Counted::living(), 0);
  EXPECT_EQ(ring.mask(), 1u);
}

TEST(Ring, GivesValuesOfACacheLineLinesOfTheirOwn) {
  struct Line {
    char bytes[65];
  };
  Ring<Line> ring;
  ring.allocate(4);
  EXPECT_EQ(Ring<Line>::stride % 64, 0u);
  for (std::uint64_t k = 0; k < 4; ++k) EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&ring.slot(k)) % 64, 0u);
  EXPECT_LE(Ring<int>::stride, 8u) << "small values are packed";
}

TEST(Ring, AGroupFindsTheValuesWhereTheRingHasPutThem) {
  Ring<std::string> ring;
  ring.allocate(4);
  for (std::uint64_t k = 5; k < 8; ++k) ring.slot(k).set(std::string(30, static_cast<char>('a' + k)));
  const Group<std::string> group(ring.bytes(), Ring<std::string>::stride, ring.mask(), 5, 3);
  for (std::size_t part = 0; part < 3; ++part) EXPECT_EQ(&group[part], &ring[5 + part]);
}

}  // namespace
}  // namespace sluice::detail
