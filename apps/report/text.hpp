// Text for a page: its frame and that of a section, data as JSON, times as people read them.
//
// Pure functions.
//
//   section("options", "Options", fmt::format("<p>{}</p>", escaped(name)))
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::apps::report {

std::string duration(double seconds);  // "-", "850 ns", "12.3 us", "4.7 ms", "1.2 s"

// A whole document. links: of its sections' ids, under their names; main, behind: HTML.
std::string page(std::string_view title, const std::vector<std::pair<const char*, const char*>>& links,
                 std::string_view main, std::string_view behind);

// <script type="application/json">, which nothing in its strings can end.
std::string data_element(std::string_view id, const nlohmann::ordered_json& json);

// body: HTML
std::string section(std::string_view id, std::string_view heading, std::string_view body);
// <thead> with a header over each column; columns: HTML
std::string table_head(const std::vector<std::string>& columns);
// In place of what there is nothing to show of.
std::string note(std::string_view sentence);

}  // namespace sluice::apps::report
