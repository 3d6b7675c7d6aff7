// Text for a terminal and for UTF-8 files: that of others (class names, say), and numbers as people read them.
//
// Pure functions. Text of others may hold anything: what is not UTF-8 becomes U+FFFD.
//
//   fmt::format("{:<{}}", fitted(name, 30), 30)   // fmt pads by the same measure as columns()
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::apps {

std::string utf8(std::string_view text);

// 0.1234 -> "12.3 %"
std::string percent(double share, int decimals = 1);

// A field of CSV, as RFC 4180 quotes it.
std::string csv_field(const std::string& text);

// How many columns of a terminal it takes.
std::size_t columns(std::string_view utf8);
// printable(), and in no more than so many columns, at least 1: what is longer ends in an ellipsis.
std::string fitted(std::string_view text, std::size_t most);

}  // namespace sluice::apps
