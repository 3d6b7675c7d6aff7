// Letters for pictures: printable ASCII as 5 x 7 dots, and 2 more below the line.
//
// Pure functions. A character that is not printable ASCII is drawn as '?'.
//
//   for (char c : ascii("Mütze")) ... dot(c, x, y)   // M?tze
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::apps {

inline constexpr std::size_t glyph_width = 5, glyph_height = 9;

// Each other character of UTF-8 as one '?'.
std::string ascii(std::string_view utf8);
// Whether a character has a dot there: x 0 to 4 from the left, y 0 to 8 from the top.
bool dot(char c, std::size_t x, std::size_t y);

}  // namespace sluice::apps
