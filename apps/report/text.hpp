// Text for a page: times as people read them, and the frame of a section.
//
// Pure functions.
//
//   section("options", "Options", fmt::format("<p>{}</p>", escaped(name)))
#pragma once

#include <string>
#include <string_view>

namespace sluice::apps::report {

std::string duration(double seconds);  // "-", "850 ns", "12.3 us", "4.7 ms", "1.2 s"

// body: HTML
std::string section(std::string_view id, std::string_view heading, std::string_view body);
// In place of what there is nothing to show of.
std::string note(std::string_view sentence);

}  // namespace sluice::apps::report
