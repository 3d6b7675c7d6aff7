// What operator new gives out in this program: the largest piece and the sum since begin(). Link
// sluice_test_allocations. Under a sanitizer nothing is counted.
//
//   Allocations::begin();
//   parse(header that promises terabytes);
//   EXPECT_LT(Allocations::largest(), 1000u);
#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace sluice::test {

class Allocations {
 public:
  static void begin() { largest_ = total_ = 0; }
  // The next that this thread asks for is refused.
  static void refuse() { refuses_ = true; }
  static bool refused() { return std::exchange(refuses_, false); }
  static std::size_t largest() { return largest_; }
  static std::size_t total() { return total_; }

  static void count(std::size_t size) {
    total_ += size;
    std::size_t before = largest_;
    while (before < size && !largest_.compare_exchange_weak(before, size)) {
    }
  }

 private:
  static inline std::atomic<std::size_t> largest_{0}, total_{0};
  static inline thread_local bool refuses_ = false;
};

}  // namespace sluice::test
