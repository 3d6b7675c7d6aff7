#include "stages/shuffle.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "stages/philox.hpp"

namespace sluice::stages {

void shuffle(std::size_t count, std::uint64_t seed, std::uint32_t epoch, std::vector<std::uint32_t>& order) {
  if (count > std::numeric_limits<std::uint32_t>::max()) throw std::length_error("more than 2^32 - 1 rows to shuffle");
  order.resize(count);
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  const RandomStream stream{seed, Purpose::shuffle, epoch};
  // From the end down: place `left - 1` gets one of the `left` that are not placed yet.
  std::array<std::uint32_t, 1024> words;
  for (std::size_t left = count, used = 0; left > 1; --left, ++used) {
    if (used % words.size() == 0) philox(stream, used / 4, std::min(words.size(), left + 2) / 4, words.data());
    std::swap(order[left - 1], order[below(words[used % words.size()], static_cast<std::uint32_t>(left))]);
  }
}

}  // namespace sluice::stages
