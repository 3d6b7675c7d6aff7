// Files of NumPy's format as bytes, put together by hand, sound ones and broken ones.
//
//   npy("<i2", "(2, 3)", little_endian<std::int16_t>({1, 2, 3, 4, 5, 6}))
//   npy_text("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", data)
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sluice::test {

// Any text; padded with spaces and a newline to a multiple of 64 bytes.
inline std::string npy_text(std::string text, const std::string& data = {}, int major = 1) {
  const std::size_t before = 8 + (major == 1 ? 2 : 4);
  while ((before + text.size() + 1) % 64 != 0) text += ' ';
  text += '\n';
  std::string file = "\x93NUMPY";
  file += static_cast<char>(major);
  file += '\0';
  for (std::size_t i = 8; i < before; ++i) file += static_cast<char>(text.size() >> 8 * (i - 8) & 0xff);
  return file + text + data;
}

inline std::string npy(const std::string& descr, const std::string& shape, const std::string& data,
                       bool fortran_order = false, int major = 1) {
  return npy_text("{'descr': '" + descr + "', 'fortran_order': " + (fortran_order ? "True" : "False") +
                      ", 'shape': " + shape + ", }",
                  data, major);
}

template <class T>
std::string as_bytes(const std::vector<T>& values, std::endian order) {
  std::string all;
  for (const T value : values) {
    auto bytes = std::bit_cast<std::array<char, sizeof(T)>>(value);
    if (order != std::endian::native) std::reverse(bytes.begin(), bytes.end());
    all.append(bytes.begin(), bytes.end());
  }
  return all;
}
template <class T>
std::string little_endian(const std::vector<T>& values) {
  return as_bytes(values, std::endian::little);
}

}  // namespace sluice::test
