// What tests of concurrency are made of; nothing here sleeps. Thread-safe, all of it.
//
//   Peak         how many are inside at once, and the most that ever were
//   Rendezvous   proves that n bodies overlap: meet() returns true in all of them, or false after a generous time
//   Signal       raised once; wait() returns whether it was, within the same time
//   spin(n)      some work, n nanoseconds or so of it
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace sluice::test {

// Long enough for a loaded machine under a sanitizer, shorter than the watchdog's patience.
inline constexpr std::chrono::seconds patience{20};

class Peak {
 public:
  void enter(long n = 1) {
    const std::lock_guard lock(mutex_);
    inside_ += n;
    peak_ = std::max(peak_, inside_);
  }
  void leave(long n = 1) { enter(-n); }
  long inside() const {
    const std::lock_guard lock(mutex_);
    return inside_;
  }
  long peak() const {
    const std::lock_guard lock(mutex_);
    return peak_;
  }

 private:
  mutable std::mutex mutex_;
  long inside_ = 0, peak_ = 0;
};

// Inside a Peak for as long as it lives.
class Inside {
 public:
  explicit Inside(Peak& peak) : peak_(peak) { peak_.enter(); }
  ~Inside() { peak_.leave(); }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  Peak& peak_;
};

class Rendezvous {
 public:
  explicit Rendezvous(std::size_t parties) : parties_(parties) {}

  // Waits until as many have come as there are parties; later guests pass. Nobody waits after one has waited in vain.
  bool meet() {
    std::unique_lock lock(mutex_);
    if (++came_ >= parties_) changed_.notify_all();
    const bool met = changed_.wait_for(lock, patience, [&] { return came_ >= parties_ || failed_; }) && !failed_;
    if (!met) failed_ = true, changed_.notify_all();
    return met;
  }
  bool met() const {
    const std::lock_guard lock(mutex_);
    return came_ >= parties_ && !failed_;
  }

 private:
  const std::size_t parties_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t came_ = 0;
  bool failed_ = false;
};

class Signal {
 public:
  void raise() {
    const std::lock_guard lock(mutex_);
    raised_ = true;
    changed_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] { return raised_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool raised_ = false;
};

inline void spin(int n) {
  static std::atomic<int> turns{0};
  for (; n > 0; --n) turns.load(std::memory_order_relaxed);
  turns.store(n, std::memory_order_relaxed);
}

}  // namespace sluice::test
