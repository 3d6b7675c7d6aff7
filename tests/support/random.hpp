// Numbers that look random and are the same everywhere: splitmix64. Never a std:: distribution, whose results differ
// from one library to the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace sluice::test {

// Sebastiano Vigna, "splitmix64.c": the finalizer.
constexpr std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}
// Depends on the order of the two.
constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return mix(mix(a + 0x9e3779b97f4a7c15u) + b);
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mix(seed)) {}
  std::uint64_t operator()() { return mix(state_ += 0x9e3779b97f4a7c15u); }
  // 0 .. n - 1; n is far below 2^64, so that it does not matter that the low ones are a little likelier.
  std::size_t below(std::size_t n) { return static_cast<std::size_t>((*this)() % n); }
  std::size_t between(std::size_t least, std::size_t most) { return least + below(most - least + 1); }
  bool chance(unsigned percent) { return below(100) < percent; }
  template <class T>
  T of(std::initializer_list<T> choices) {
    return choices.begin()[below(choices.size())];
  }

 private:
  std::uint64_t state_;
};

}  // namespace sluice::test
