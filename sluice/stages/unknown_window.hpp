// Bytes that were decoded before the 32 KiB in front of them were known.
//
// A piece of a deflate stream is decoded twice, each time behind an invented window. The two differ in every place, and
// no two places have the same pair of values: so where the two results agree, a byte is what it will be; and where they
// do not, the pair tells the place in the window that it was copied from, by however many copies.
//
// Place p of the window, 0 the oldest: in the second window p / 255; in the first the (p % 255)th of the 255 values
// that are not that.
//
// Order and thread-safety: pure functions; a table is read by any number of threads once it is set. Errors:
// std::bad_alloc; what is taken from before the member's beginning is refused.
//
//   decoder.decode(in, 0, bytes, bits, invented_window(0), a, most);
//   decoder.decode(in, 0, bytes, bits, invented_window(1), b, most);
//   unknown.find(a + deflate_window, b + deflate_window, n);
//   table.set(window);                                          // now it is known
//   if (table.fill(a + deflate_window, unknown)) ...
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <sluice/stages/chunk.hpp>

namespace sluice::stages {

// which: 0 or 1; deflate_window bytes.
std::span<const std::uint8_t> invented_window(int which);

// Which bytes of the first result are of the window, and what the second has in their place.
struct UnknownBytes {
  std::vector<std::uint64_t> places;  // a bit for each byte
  Bytes second;                       // in their order

  // a, b: (n) decoded behind the two windows.
  void find(const std::uint8_t* a, const std::uint8_t* b, std::size_t n);
};

class WindowTable {
 public:
  WindowTable();
  // At most deflate_window bytes: the last ones before the piece, of its member.
  void set(std::span<const std::uint8_t> window);
  // The first result becomes what it is. false, and nothing is changed: it needs more than the window has.
  bool fill(std::uint8_t* bytes, const UnknownBytes& unknown) const;

 private:
  std::size_t missing_ = 0;                   // places that the window does not have
  std::array<std::uint8_t, 1 << 16> values_;  // of a pair: 256 x the second + the first
};

}  // namespace sluice::stages
