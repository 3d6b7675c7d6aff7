// Text of others in an error message of one line: cut short, without commands to a terminal.
//
// Pure functions. What a terminal would take for a command, and the ends of lines, become '?'.
//
//   throw DataError(fmt::format("{}: has a column '{}' twice", path, one_line(name)));
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sluice::stages {

std::string one_line(std::string_view text, std::size_t most_bytes = 60);

}  // namespace sluice::stages
