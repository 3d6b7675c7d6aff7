#include <sluice/stages/shared.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

namespace sluice::stages::testing {
namespace {

// Counts how many of it live.
struct Living {
  Living() { ++count; }
  ~Living() { --count; }
  Living(const Living&) = delete;
  Living& operator=(const Living&) = delete;
  int value = 0;
  static inline std::atomic<int> count{0};
};

TEST(Shared, AnEmptyHandleHoldsNothing) {
  const Shared<Living> empty;
  EXPECT_FALSE(empty);
  EXPECT_EQ(empty.get(), nullptr);
  const Shared<Living> copy = empty;
  EXPECT_FALSE(copy);
  EXPECT_EQ(Living::count, 0);
}

TEST(Shared, RenewGivesTheSameMemoryToTheOnlyHolder) {
  Shared<Living> handle;
  Living* const first = &handle.renew();
  first->value = 1;
  EXPECT_EQ(&handle.renew(), first);
  EXPECT_EQ(handle->value, 1) << "renew leaves what was in it, whose memory is used again";
  EXPECT_EQ(Living::count, 1);
}

TEST(Shared, RenewGivesOtherMemoryWhileSomebodyReads) {
  Shared<Living> handle;
  handle.renew().value = 1;
  Shared<Living> reader = handle;
  EXPECT_EQ(reader.get(), handle.get());
  handle.renew().value = 2;
  EXPECT_NE(reader.get(), handle.get());
  EXPECT_EQ((*reader).value, 1);
  EXPECT_EQ(Living::count, 2);
}

template <class T>
void emptied() {
  Shared<T> handle;
  handle.renew();
  handle = {};
}

TEST(Shared, AHandleThatATemplateEmptiesFreesTheValue) {
  emptied<Living>();
  EXPECT_EQ(Living::count, 0);
}

TEST(Shared, TheLastHolderFreesTheValue) {
  {
    Shared<Living> a;
    a.renew();
    {
      const Shared<Living> b = a;
      a = {};
      EXPECT_FALSE(a);
      EXPECT_EQ(Living::count, 1);
    }
    EXPECT_EQ(Living::count, 0);
  }
  EXPECT_EQ(Living::count, 0);
}

TEST(Shared, MovingLeavesTheSourceEmptyAndTheValueInPlace) {
  Shared<Living> a;
  const Living* const value = &a.renew();
  Shared<Living> b = std::move(a);
  EXPECT_EQ(b.get(), value);
  EXPECT_EQ(&b.renew(), value) << "still the only holder";
  Shared<Living> c;
  c.renew();
  c = std::move(b);
  EXPECT_EQ(c.get(), value);
  EXPECT_EQ(Living::count, 1);
}

TEST(Shared, AssignmentToItselfChangesNothing) {
  Shared<Living> a;
  const Living* const value = &a.renew();
  const Shared<Living>& same = a;
  a = same;
  EXPECT_EQ(a.get(), value);
  EXPECT_EQ(&a.renew(), value);
}

TEST(Pool, GivesAValueAgainWhenNobodyHoldsIt) {
  Pool<Living> pool;
  Shared<Living> a, b;
  const Living* const first = &pool.take(a);
  const Living* const second = &pool.take(b);
  EXPECT_NE(first, second);
  EXPECT_EQ(a.get(), first);
  Shared<Living> still = a;
  const Living* const third = &pool.take(a);
  EXPECT_NE(third, first) << "somebody holds it";
  still = {};
  EXPECT_EQ(&pool.take(b), first);
  EXPECT_EQ(Living::count, 3);
}

TEST(Pool, KeepsSomeAndGivesMore) {
  {
    Pool<Living> pool;
    std::vector<Shared<Living>> all(300);
    for (auto& one : all) pool.take(one).value = 7;
    EXPECT_EQ(Living::count, 300);
    all.clear();
    EXPECT_GT(Living::count, 0);
    EXPECT_LT(Living::count, 300);
  }
  EXPECT_EQ(Living::count, 0);
}

// Handles of one value, copied, read and dropped on many threads: what the last of them does is seen by renew().
TEST(Shared, HandlesOfOneValueMayBeUsedByManyThreads) {
  for (int round = 0; round < 200; ++round) {
    Shared<Living> handle;
    handle.renew().value = round;
    std::vector<std::thread> readers;
    for (int t = 0; t < 3; ++t)
      readers.emplace_back([copy = handle, round] {
        for (int i = 0; i < 20; ++i) {
          const Shared<Living> another = copy;
          EXPECT_EQ(another->value, round);
        }
      });
    handle.renew().value = -1;
    for (auto& reader : readers) reader.join();
    readers.clear();
    EXPECT_EQ(handle->value, -1);
    EXPECT_EQ(Living::count, 1);
  }
  EXPECT_EQ(Living::count, 0);
}

}  // namespace
}  // namespace sluice::stages::testing
