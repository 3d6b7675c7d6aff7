// JSON that anybody may have written: within bounds, so that it can be read, copied and printed with little stack and
// in a time that follows its length.
//
// text -> its value; a discarded value for what is no JSON. Order and thread-safety: a free function. Errors:
// std::invalid_argument, in words that say what exceeds the bounds: nesting exhausts the stack where a value is copied
// or printed; an ordered_json looks for a name among all the names of an object; and of two values with one name each
// reader would take another.
//
//   const nlohmann::ordered_json header = parse_bounded(R"({"shape": [2, 3]})", 4);
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string_view>

namespace sluice::stages {

inline constexpr std::size_t usual_most_names = 256;

// most_names: of an object.
nlohmann::ordered_json parse_bounded(std::string_view text, std::size_t most_depth,
                                     std::size_t most_names = usual_most_names);

}  // namespace sluice::stages
