// Names as other languages spell them, and shares as people read them.
#pragma once

#include <string>
#include <string_view>

namespace sluice::detail {

// With the quotes. Bytes that are not UTF-8 are the caller's.
std::string json_string(std::string_view text);

// Between tags, or within double quotes.
std::string xml_text(std::string_view text);

// "42 %".
std::string percent(double share);

}  // namespace sluice::detail
