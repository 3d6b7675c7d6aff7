// Messages that a framework may get wrong: that only move, that have no default, that throw when copied, and one that
// counts how many of it live and how much memory they hold.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

namespace sluice::test {

class MoveOnly {
 public:
  MoveOnly() = default;
  explicit MoveOnly(int n) : n_(std::make_unique<int>(n)) {}
  int get() const { return n_ ? *n_ : -1; }

 private:
  std::unique_ptr<int> n_;
};

class NoDefault {
 public:
  explicit NoDefault(int n) : n_(n) {}
  int get() const { return n_; }

 private:
  int n_;
};

// Neither a default nor copies nor assignments.
class Rigid {
 public:
  explicit Rigid(int n) : n_(n) {}
  Rigid(Rigid&&) = default;
  int get() const { return n_; }

 private:
  const int n_;
};

// Throws when the value `n` is copied.
struct ThrowsOnCopy {
  ThrowsOnCopy() = default;
  ThrowsOnCopy(int value, int bad) : n(value), throws_at(bad) {}
  ThrowsOnCopy(const ThrowsOnCopy& other) : n(other.n), throws_at(other.throws_at) { check(); }
  ThrowsOnCopy& operator=(const ThrowsOnCopy& other) {
    n = other.n, throws_at = other.throws_at;
    check();
    return *this;
  }
  ThrowsOnCopy(ThrowsOnCopy&&) = default;
  ThrowsOnCopy& operator=(ThrowsOnCopy&&) = default;
  int n = 0, throws_at = -1;

 private:
  void check() const {
    if (n == throws_at) throw std::runtime_error("copied");
  }
};

// How much heap memory a TallyAllocator has given out, now and at most since begin().
class Tally {
 public:
  static void begin() { peak() = bytes().load(); }
  static void add(std::ptrdiff_t n) {
    const std::ptrdiff_t now = bytes().fetch_add(n) + n;
    std::ptrdiff_t before = peak();
    while (before < now && !peak().compare_exchange_weak(before, now)) {
    }
  }
  static std::atomic<std::ptrdiff_t>& bytes() {
    static std::atomic<std::ptrdiff_t> count{0};
    return count;
  }
  static std::atomic<std::ptrdiff_t>& peak() {
    static std::atomic<std::ptrdiff_t> count{0};
    return count;
  }
};

template <class T>
class TallyAllocator {
 public:
  using value_type = T;
  TallyAllocator() = default;
  template <class U>
  TallyAllocator(const TallyAllocator<U>&) {}
  T* allocate(std::size_t n) {
    Tally::add(static_cast<std::ptrdiff_t>(n * sizeof(T)));
    return static_cast<T*>(::operator new(n * sizeof(T)));
  }
  void deallocate(T* p, std::size_t n) {
    Tally::add(-static_cast<std::ptrdiff_t>(n * sizeof(T)));
    ::operator delete(p);
  }
  friend bool operator==(TallyAllocator, TallyAllocator) { return true; }
};

// A value that counts how many of its kind live.
class Counted {
 public:
  Counted() { ++living(); }
  explicit Counted(int value) : n(value) { ++living(); }
  Counted(const Counted& other) : n(other.n) { ++living(); }
  Counted(Counted&& other) noexcept : n(other.n) { ++living(); }
  Counted& operator=(const Counted&) = default;
  Counted& operator=(Counted&&) = default;
  ~Counted() { --living(); }
  static std::atomic<int>& living() {
    static std::atomic<int> count{0};
    return count;
  }
  int n = 0;
};

}  // namespace sluice::test
