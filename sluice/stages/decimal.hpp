// A decimal number as text -> the float32 that is nearest to it, rounded once, to even where two are as near.
//
// [+-] digits [. digits] [e [+-] digits], with at least one digit before or behind the point; nothing around it. No
// hexadecimal digits, no inf or nan, no separators of thousands, and the point is a point in every locale. What is too
// small to be told from zero is zero, with its sign.
// Pure functions. Errors: none; what is no such number is said.
//
//   decimal("1.5e3").value        // 1500
//   decimal("1e40").kind          // Decimal::too_large
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice::stages {

struct Decimal {
  enum Kind : std::uint8_t { number, too_large, none } kind = none;
  float value = 0;  // of a number
};

Decimal decimal(std::string_view text);

// Many of them, in cells that lie one behind the other with a byte between: where cell i ends is ends[i + 1], and it
// begins a byte behind ends[i]. How many of `count` are read, up to the first that is no number, or has something
// around it, or is an unusual one, which is to be looked at by itself. As bytes: whole numbers of one to three digits,
// 0 to 255.
std::uint32_t read_bytes(std::string_view text, const std::uint32_t* ends, std::uint32_t count, std::uint8_t* to);
std::uint32_t read_floats(std::string_view text, const std::uint32_t* ends, std::uint32_t count, float* to);

}  // namespace sluice::stages
