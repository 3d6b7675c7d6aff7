#include <sluice/stages/unknown_window.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

#include <sluice/stages/deflate_piece.hpp>

namespace sluice::stages {
namespace {

constexpr std::size_t in_row = 255;  // places with the same value in the second window

struct Windows {
  std::array<std::uint8_t, deflate_window> of[2];
  Windows() {
    for (std::size_t p = 0; p < deflate_window; ++p) {
      const std::size_t row = p / in_row, column = p % in_row;
      of[0][p] = static_cast<std::uint8_t>(column < row ? column : column + 1);
      of[1][p] = static_cast<std::uint8_t>(row);
    }
  }
};

// Of eight bytes, a bit for each that is another one.
std::uint64_t differing(const std::uint8_t* a, const std::uint8_t* b) {
  std::uint64_t first, second;
  std::memcpy(&first, a, 8);
  std::memcpy(&second, b, 8);
  std::uint64_t x = first ^ second;
  if (x == 0) return 0;
  if constexpr (std::endian::native == std::endian::big) x = __builtin_bswap64(x);
  constexpr std::uint64_t low = 0x7f7f7f7f7f7f7f7f;
  const std::uint64_t high = (((x & low) + low) | x) & ~low;  // of each byte that is not 0
  return (high >> 7) * 0x0102040810204080 >> 56;
}

}  // namespace

std::span<const std::uint8_t> invented_window(int which) {
  static const Windows windows;
  return windows.of[which];
}

WindowTable::WindowTable() : values_{} {
  for (std::size_t value = 0; value < 256; ++value) values_[256 * value + value] = static_cast<std::uint8_t>(value);
}

void WindowTable::set(std::span<const std::uint8_t> window) {
  missing_ = deflate_window - window.size();
  for (std::size_t p = missing_; p < deflate_window;) {
    const std::size_t row = p / in_row, column = p % in_row;
    // Those before the value that the row itself has, or those behind it.
    const std::size_t until = std::min(row * in_row + (column < row ? row : in_row), deflate_window);
    std::memcpy(&values_[256 * row + (column < row ? column : column + 1)], &window[p - missing_], until - p);
    p = until;
  }
}

void UnknownBytes::find(const std::uint8_t* a, const std::uint8_t* b, std::size_t n) {
  places.assign((n + 63) / 64, 0);
  std::uint8_t* next = second.reserve(n + 8);
  // Written whether it differs or not: the next one takes its place, if it does not.
  const auto look = [&](std::size_t begin, std::size_t count, std::uint64_t differ) {
    places[begin / 64] |= differ << begin % 64;
    for (std::size_t i = 0; i < count; ++i, differ >>= 1) {
      *next = b[begin + i];
      next += differ & 1;
    }
  };
  std::size_t begin = 0;
  for (; begin + 8 <= n; begin += 8)
    if (const std::uint64_t differ = differing(a + begin, b + begin)) look(begin, 8, differ);
  for (; begin < n; ++begin) look(begin, 1, a[begin] != b[begin]);
}

bool WindowTable::fill(std::uint8_t* bytes, const UnknownBytes& unknown) const {
  const auto each = [&](const auto& visit) {
    std::size_t next = 0;
    for (std::size_t word = 0; word < unknown.places.size(); ++word)
      for (std::uint64_t left = unknown.places[word]; left; left &= left - 1)
        visit(bytes[64 * word + static_cast<std::size_t>(std::countr_zero(left))], unknown.second.data[next++]);
  };
  if (missing_ > 0) {
    bool enough = true;
    each([&](std::uint8_t first, std::size_t row) {
      enough = enough && row * in_row + (first < row ? first : first - 1u) >= missing_;
    });
    if (!enough) return false;
  }
  each([&](std::uint8_t& first, std::size_t row) { first = values_[256 * row + first]; });
  return true;
}

}  // namespace sluice::stages
