#include <sluice/stages/shuffle.hpp>

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>

#include <sluice/stages/philox.hpp>

namespace sluice::stages {

void Shuffle::begin(std::size_t count, std::uint64_t seed, std::uint32_t epoch) {
  if (count > std::numeric_limits<std::uint32_t>::max()) throw std::length_error("more than 2^32 - 1 rows to shuffle");
  order_.resize(count);
  std::iota(order_.begin(), order_.end(), std::uint32_t{0});
  seed_ = seed;
  epoch_ = epoch;
  left_ = count;
  used_ = 0;
}

// From the end down: place `left - 1` gets one of the `left` that are not placed yet.
void Shuffle::advance(std::size_t places) {
  const RandomStream stream{seed_, Purpose::shuffle, epoch_};
  std::uint32_t* const order = order_.data();
  std::size_t left = left_, used = used_;
  for (; places > 0 && left > 1; --places, --left, ++used) {
    if (used % words_.size() == 0) philox(stream, used / 4, std::min(words_.size(), left + 2) / 4, words_.data());
    std::swap(order[left - 1], order[below(words_[used % words_.size()], static_cast<std::uint32_t>(left))]);
  }
  left_ = left, used_ = used;
}

bool Shuffle::is(std::size_t count, std::uint64_t seed, std::uint32_t epoch) const {
  return order_.size() == count && seed_ == seed && epoch_ == epoch;
}

Column<std::uint32_t> shuffle(std::size_t count, std::uint64_t seed, std::uint32_t epoch) {
  Shuffle all;
  all.begin(count, seed, epoch);
  all.advance(count);
  return all.order();
}

}  // namespace sluice::stages
