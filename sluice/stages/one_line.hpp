// Text of others for an error message: on one line, short, and whole characters of UTF-8.
//
// Pure functions. Control characters and what is no UTF-8 become question marks; what is longer than `most` bytes ends
// in three points. Errors: none.
//
//   fmt::format("{}: has no column '{}'", path, one_line(name))
//
// Format: RFC 3629 (UTF-8).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::stages {

// Of the character that `text` begins with; 0: of none. The text has at least one byte.
std::size_t utf8_bytes(std::string_view text);
// Whether a character of so many bytes is one that is not shown.
bool is_control(std::string_view character);

std::string one_line(std::string_view text, std::size_t most = 60);

}  // namespace sluice::stages
