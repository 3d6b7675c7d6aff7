// The order in which an epoch takes the rows of a data set.
//
// (count, seed, epoch) -> a permutation of 0 .. count - 1, every one as likely; the same on every machine, and found
// without those of earlier epochs. count < 2^32.
// Order and thread-safety: a pure function. Errors: std::length_error if count is 2^32 or more.
//
//   std::vector<std::uint32_t> order;
//   shuffle(60000, seed, epoch, order);
//
// Source: the Fisher-Yates shuffle, with the words of Philox in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::stages {

// Writes into `order`, whose memory is used again.
void shuffle(std::size_t count, std::uint64_t seed, std::uint32_t epoch, std::vector<std::uint32_t>& order);

}  // namespace sluice::stages
