// The order in which an epoch takes the rows of a data set.
//
// (count, seed, epoch) -> a permutation of 0 .. count - 1, every one as likely; the same on every machine, and found
// without those of earlier epochs. count < 2^32.
// Order and thread-safety: shuffle() is a pure function; a Shuffle finds the same permutation a few places at a time,
// one thread at a time. Errors: std::length_error if count is 2^32 or more.
//
//   Shuffle next;
//   next.begin(60000, seed, epoch);
//   while (!next.done()) next.advance(256);  // between other work
//   use(next.order());
//
// Source: the Fisher-Yates shuffle, with the words of Philox in order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <sluice/stages/huge_pages.hpp>

namespace sluice::stages {

class Shuffle {
 public:
  // Keeps the memory of an earlier permutation.
  void begin(std::size_t count, std::uint64_t seed, std::uint32_t epoch);
  void advance(std::size_t places);  // finds so many more, or all that are left
  bool done() const { return left_ <= 1; }
  bool is(std::size_t count, std::uint64_t seed, std::uint32_t epoch) const;  // whether it was begun with these
  const Column<std::uint32_t>& order() const { return order_; }               // complete once it is done

 private:
  Column<std::uint32_t> order_;
  std::uint64_t seed_ = 0;
  std::uint32_t epoch_ = 0;
  std::size_t left_ = 0;  // places 0 .. left - 1 are not found yet
  std::size_t used_ = 0;  // words
  std::array<std::uint32_t, 1024> words_{};
};

Column<std::uint32_t> shuffle(std::size_t count, std::uint64_t seed, std::uint32_t epoch);

}  // namespace sluice::stages
