// What tests run over: numbers of messages, of threads and capacities, and threads that are shared by all tests of a
// program (an arena is dear to make).
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <map>
#include <mutex>
#include <ostream>
#include <string>
#include <vector>

#include <sluice/pipeline/threads.hpp>

namespace sluice::test {

inline const Threads& threads(std::size_t count) {
  static std::mutex mutex;
  static std::map<std::size_t, Threads> made;
  const std::lock_guard lock(mutex);
  return made.try_emplace(count, count).first->second;
}

inline constexpr int item_counts[] = {0, 1, 2, 97};
inline constexpr std::size_t thread_counts[] = {1, 2, 8};
inline constexpr std::size_t capacities[] = {1, 2, 3, 16};

struct Shape {
  int items;
  std::size_t threads, capacity;
  friend std::ostream& operator<<(std::ostream& out, const Shape& s) {
    return out << s.items << " items, " << s.threads << " threads, capacity " << s.capacity;
  }
};

inline std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (const int items : item_counts)
    for (const std::size_t t : thread_counts)
      for (const std::size_t c : capacities) all.push_back({items, t, c});
  return all;
}

// Calls f(shape) for each, and says which one it was when an expectation fails.
template <class F>
void for_each_shape(F&& f) {
  for (const Shape& shape : shapes()) {
    SCOPED_TRACE(testing::Message() << shape);
    f(shape);
    if (testing::Test::HasFatalFailure()) return;
  }
}

template <class F>
void for_each_thread_count(F&& f) {
  for (const std::size_t count : thread_counts) {
    SCOPED_TRACE(testing::Message() << count << " threads");
    f(count);
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace sluice::test
