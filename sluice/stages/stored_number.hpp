// Numbers as files store them: of any type of sluice/stages/elements.hpp, in either order of bytes.
//
// sizeof(T) bytes, anywhere -> T. Pure functions. Errors: none.
//
//   stored<std::uint16_t, std::endian::little>(bytes)   // 02 01 -> 258
//   with_stored(type, order, [&]<class T, std::endian order>() { sum += stored<T, order>(bytes); });
//
// Format of Float16: IEEE 754-2019, 3.6, binary16.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <utility>

#include <sluice/stages/elements.hpp>

namespace sluice::stages {

template <class T, std::endian order>
T stored(const std::uint8_t* bytes) {
  std::array<std::uint8_t, sizeof(T)> own;
  std::copy_n(bytes, sizeof(T), own.begin());
  if constexpr (order != std::endian::native) std::reverse(own.begin(), own.end());
  return std::bit_cast<T>(own);
}

// Of which every value is a float's, too.
struct Float16 {
  std::uint16_t bits = 0;
  explicit operator float() const {
    const std::uint32_t sign = std::uint32_t{bits & 0x8000u} << 16, exponent = bits >> 10 & 31u,
                        fraction = bits & 0x3ffu;
    if (exponent == 0) {
      const float value = static_cast<float>(fraction) * 0x1p-24f;
      return sign ? -value : value;
    }
    const std::uint32_t of_float = exponent == 31 ? 255 : exponent - 15 + 127;
    return std::bit_cast<float>(sign | of_float << 23 | fraction << 13);
  }
};

// f, a lambda with template parameters <class T, std::endian order>, for the type and the order of bytes that a file
// has.
template <class F>
void with_stored(ElementType type, std::endian order, F&& f) {
  const auto of_type = [&]<class T>() {
    if (order == std::endian::little)
      f.template operator()<T, std::endian::little>();
    else
      f.template operator()<T, std::endian::big>();
  };
  switch (type) {
    case ElementType::boolean:
    case ElementType::uint8:
      return of_type.template operator()<std::uint8_t>();
    case ElementType::uint16:
      return of_type.template operator()<std::uint16_t>();
    case ElementType::uint32:
      return of_type.template operator()<std::uint32_t>();
    case ElementType::uint64:
      return of_type.template operator()<std::uint64_t>();
    case ElementType::int8:
      return of_type.template operator()<std::int8_t>();
    case ElementType::int16:
      return of_type.template operator()<std::int16_t>();
    case ElementType::int32:
      return of_type.template operator()<std::int32_t>();
    case ElementType::int64:
      return of_type.template operator()<std::int64_t>();
    case ElementType::float16:
      return of_type.template operator()<Float16>();
    case ElementType::float32:
      return of_type.template operator()<float>();
    case ElementType::float64:
      return of_type.template operator()<double>();
  }
}

}  // namespace sluice::stages
