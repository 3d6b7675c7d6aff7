// Text for a page: escaping, numbers as people read them, and the frame of a section.
//
// Pure functions. Text may hold anything: what is not UTF-8, or not a character that a page may hold, becomes U+FFFD.
//
//   section("options", "Options", fmt::format("<p>{}</p>", escaped(name)))
#pragma once

#include <string>
#include <string_view>

namespace sluice::apps::report {

std::string escaped(std::string_view text);  // for an element or a quoted attribute
std::string percent(double share);           // 0.1234 -> "12.3 %"
std::string duration(double seconds);        // "-", "850 ns", "12.3 us", "4.7 ms", "1.2 s"

// body: HTML
std::string section(std::string_view id, std::string_view heading, std::string_view body);
// In place of what there is nothing to show of.
std::string note(std::string_view sentence);

}  // namespace sluice::apps::report
