// Numbers as IDX files have them: the most significant byte first.
//
// sizeof(T) bytes, anywhere -> T, an integer or a floating-point number. Pure function.
//
//   big_endian<std::uint32_t>(header + 4)   // 00 00 ea 60 -> 60'000
//
// Format: yann.lecun.com/exdb/mnist, "THE IDX FILE FORMAT".
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace sluice::stages {

template <class T>
T big_endian(const std::uint8_t* bytes) {
  std::array<std::uint8_t, sizeof(T)> own;
  std::copy_n(bytes, sizeof(T), own.begin());
  if constexpr (std::endian::native == std::endian::little) std::reverse(own.begin(), own.end());
  return std::bit_cast<T>(own);
}

}  // namespace sluice::stages
