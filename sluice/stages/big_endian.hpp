// Numbers as IDX files have them: the most significant byte first.
//
// sizeof(T) bytes, anywhere -> T, an integer or a floating-point number. Pure function.
//
//   big_endian<std::uint32_t>(header + 4)   // 00 00 ea 60 -> 60'000
//
// Format: yann.lecun.com/exdb/mnist, "THE IDX FILE FORMAT".
#pragma once

#include <bit>
#include <cstdint>

#include <sluice/stages/stored_number.hpp>

namespace sluice::stages {

template <class T>
T big_endian(const std::uint8_t* bytes) {
  return stored<T, std::endian::big>(bytes);
}

}  // namespace sluice::stages
