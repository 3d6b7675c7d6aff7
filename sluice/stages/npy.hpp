// The header of a .npy file, NumPy's format of one array: what its numbers are, in which order, and how many.
//
// 93 "NUMPY", the version (1 0, 2 0 or 3 0), the length of the text behind (little-endian, 2 bytes in version 1.0,
// otherwise 4), the text, and the numbers. The text is a dictionary as Python writes it, with just these keys, each
// once, in any order, then spaces and a newline:
//
//   {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 28, 28), }
//
// of which is taken: spaces between any two words, either quote, a comma or none behind the last part of a dictionary
// or a tuple (behind the only one of a tuple there has to be one), sizes in decimal, those of Python 2 with an L.
// Nothing of it is evaluated.
// Order and thread-safety: pure functions. Errors: DataError naming `path` and the byte of the file; numbers that are
// not read here (objects, which are a pickle; records, text, times, complex ones) are refused by name.
//
// Source: numpy.lib.format, "NPY format" (NumPy 1.24, neps/nep-0001-npy-format). NumPy, too, refuses headers that are
// longer than most_npy_header, unless it is told otherwise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <sluice/stages/array_header.hpp>

namespace sluice::stages {

inline constexpr std::size_t most_npy_header = 10'000;  // bytes of the text

// By the first 4 bytes.
bool is_npy(std::span<const std::uint8_t> start);

// How many bytes the header of such a file has, as far as these first ones tell: at least so many.
std::size_t npy_header_bytes(std::span<const std::uint8_t> start, const std::string& path);
// Of a complete header.
ArrayHeader parse_npy_header(std::span<const std::uint8_t> header, const std::string& path);

// The header of such a file, as NumPy writes it (version 1.0, a multiple of 64 bytes).
std::vector<std::uint8_t> npy_header(const ArrayHeader& header);

}  // namespace sluice::stages
