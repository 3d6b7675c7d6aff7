// Random numbers by counter: the n-th number of a stream is a function of its key and n, whoever asks and when.
//
// (seed, purpose, epoch, index) -> four uniform 32-bit words. Same words on every machine, compiler and thread.
// Order and thread-safety: pure functions. Errors: none.
//
//   const auto words = philox({.seed = 0, .purpose = Purpose::shuffle, .epoch = 3}, index);
//
// Source: Philox4x32-10 of Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sluice::stages {

enum class Purpose : std::uint32_t {
  initial_weights = 1,
  shuffle = 2,
  synthesis = 3,
  shuffle_buffer = 4,
  held_out = 5
};

struct RandomStream {
  std::uint64_t seed = 0;
  Purpose purpose = Purpose::shuffle;
  std::uint32_t epoch = 0;
};

using Words = std::array<std::uint32_t, 4>;

// The bijection itself: counter and key as in the paper.
constexpr Words philox4x32_10(Words counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0], b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

constexpr Words philox(const RandomStream& stream, std::uint64_t index) {
  return philox4x32_10({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), stream.epoch,
                        static_cast<std::uint32_t>(stream.purpose)},
                       {static_cast<std::uint32_t>(stream.seed), static_cast<std::uint32_t>(stream.seed >> 32)});
}

// The words of `blocks` neighbouring indices from `first` on, in order: the same as one after the other, and faster.
void philox(const RandomStream& stream, std::uint64_t first, std::size_t blocks, std::uint32_t* words);

// A word -> 0 .. bound - 1. Off from uniform by at most bound / 2^32.
constexpr std::uint32_t below(std::uint32_t word, std::uint32_t bound) {
  return static_cast<std::uint32_t>((std::uint64_t{word} * bound) >> 32);
}

// The normal deviate (mean 0, variance 1) at an index of a stream. Marsaglia's polar method in double with a logarithm
// of its own, so that it is the same on every machine; a rejected pair goes on to the next words of the same index.
double normal(const RandomStream& stream, std::uint64_t index);

}  // namespace sluice::stages
