// Text within SVG or HTML.
//
// A pure function. Text may hold anything: what is not UTF-8, or not a character that a page may hold, becomes U+FFFD.
//
//   fmt::format("<title>{}</title>", escaped(name))
#pragma once

#include <string>
#include <string_view>

namespace sluice::apps {

std::string escaped(std::string_view text);  // for an element or a quoted attribute

}  // namespace sluice::apps
