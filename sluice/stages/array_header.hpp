// What a file of one array says of it before the numbers come: IDX (sluice/stages/idx.hpp) or NumPy's .npy
// (sluice/stages/npy.hpp), told by its first bytes.
//
// the first bytes of a file -> how long its header is -> type, order of bytes and sizes. What the sizes mean is
// sluice/stages/item_layout.hpp's. Order and thread-safety: pure functions. Errors: DataError naming `path`, for a .npy
// header that is damaged or of numbers that are not read here; what is neither format is none.
//
//   std::vector<std::uint8_t> header;
//   while (!take_array_header(header, bytes, path)) bytes = next_chunk();
//   if (is_array(header)) parse_array_header(header, path).sizes   // 60000, 28, 28
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sluice/stages/elements.hpp>

namespace sluice::stages {

struct ArrayHeader {
  ElementType type = ElementType::uint8;
  std::endian order = std::endian::big;  // of the bytes of a number
  bool fortran_order = false;            // the first index changes fastest, not the last
  std::vector<std::uint64_t> sizes;      // none: a single number
  std::size_t bytes = 0;                 // of the header: where the numbers begin

  // What all numbers take; nothing if it is 2^64 or more.
  std::optional<std::uint64_t> element_bytes() const;
  // Whether Fortran order is another order than C's.
  bool is_reordered() const;
};

// "60000 x 28 x 28"
std::string sizes_text(std::span<const std::uint64_t> sizes);
// "60000 x 28 x 28 of uint8"
std::string array_text(const ArrayHeader& header);

// By these 4 bytes.
inline constexpr std::size_t array_start_bytes = 4;
bool is_array(std::span<const std::uint8_t> start);

// Takes the bytes of a header from the front of `data`, behind what is in `header` already, as many as are missing, and
// not one more; whether it is complete. A file that is no array has it with its first 4 bytes.
bool take_array_header(std::vector<std::uint8_t>& header, std::span<const std::uint8_t>& data, const std::string& path);
// How many bytes it has, as far as these first ones tell: at least so many.
std::size_t array_header_bytes(std::span<const std::uint8_t> start, const std::string& path);
// Of a complete header of an array.
ArrayHeader parse_array_header(std::span<const std::uint8_t> header, const std::string& path);

}  // namespace sluice::stages
