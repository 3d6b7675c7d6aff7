#include <sluice/stages/chunk.hpp>

#include <gtest/gtest.h>

#include <cstddef>
#include <new>
#include <utility>

#include "tests/support/sanitized.hpp"

namespace sluice::stages::testing {
namespace {

TEST(Bytes, KeepTheirMemoryWhileItIsEnough) {
  Bytes bytes;
  EXPECT_EQ(bytes.capacity, 0u);
  auto* const first = bytes.reserve(100);
  first[99] = 7;
  EXPECT_EQ(bytes.reserve(100), first);
  EXPECT_EQ(bytes.reserve(1), first);
  EXPECT_EQ(bytes.capacity, 100u);
  EXPECT_EQ(first[99], 7);
  bytes.reserve(101)[100] = 1;
  EXPECT_EQ(bytes.capacity, 101u);
}

TEST(Bytes, WithoutMemoryTheyHaveNone) {
  if (test::sanitized) GTEST_SKIP() << "a sanitizer ends the program where operator new would throw";
  Bytes bytes;
  bytes.reserve(100);
  EXPECT_THROW(bytes.reserve(std::size_t{1} << 60), std::bad_alloc);
  EXPECT_EQ(bytes.capacity, 0u);
  bytes.reserve(50)[49] = 7;
  EXPECT_EQ(bytes.capacity, 50u);
}

TEST(Bytes, NothingIsAskedForNothing) {
  Bytes bytes;
  bytes.reserve(0);
  EXPECT_EQ(bytes.capacity, 0u);
}

TEST(Chunk, ACopiedHandleKeepsTheBytesInPlace) {
  Chunk held;
  {
    Chunk chunk;
    chunk.data = chunk.owner.renew().reserve(3);
    chunk.owner.renew().data[0] = 42;
    chunk.size = 3;
    held = chunk;
    EXPECT_NE(chunk.owner.renew().reserve(3), held.data);
  }
  EXPECT_EQ(held.data[0], 42);
}

}  // namespace
}  // namespace sluice::stages::testing
