#include "apps/report/text.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "apps/pictures/escaped.hpp"
#include "apps/report/style.hpp"

namespace sluice::apps::report {

std::string duration(double s) {
  return s <= 0     ? "-"
         : s < 1e-6 ? fmt::format("{:.0f} ns", s * 1e9)
         : s < 1e-3 ? fmt::format("{:.1f} us", s * 1e6)
         : s < 1    ? fmt::format("{:.1f} ms", s * 1e3)
         : s < 100  ? fmt::format("{:.2f} s", s)
                    : fmt::format("{:.0f} s", s);
}

std::string page(std::string_view title, const std::vector<std::pair<const char*, const char*>>& links,
                 std::string_view main, std::string_view behind) {
  std::string nav;
  for (const auto& [id, name] : links) nav += fmt::format("{}<a href=\"#{}\">{}</a>", nav.empty() ? "" : " ", id, name);
  return fmt::format(
             "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
             "img-src data:\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<link rel=\"icon\" "
             "href=\"data:,\">\n<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<header>\n<h1>{0}</h1>\n"
             "<nav>{2}</nav>\n</header>\n<main>\n",
             escaped(title), style, nav)
      .append(main)
      .append("</main>\n")
      .append(behind)
      .append("</body>\n</html>\n");
}

std::string data_element(std::string_view id, const nlohmann::ordered_json& json) {
  std::string script = fmt::format("<script type=\"application/json\" id=\"{}\">", id);
  // Within strings, the only place of a '<', it can be written so; then nothing in them can end the element.
  for (const char c : json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace))
    if (c == '<')
      script += "\\u003c";
    else
      script += c;
  return script + "</script>\n";
}

std::string section(std::string_view id, std::string_view heading, std::string_view body) {
  return fmt::format("<section id=\"{0}\" aria-labelledby=\"{0}-h\">\n<h2 id=\"{0}-h\">{1}</h2>\n{2}\n</section>\n", id,
                     heading, body);
}

std::string table_head(const std::vector<std::string>& columns) {
  std::string html = "<thead><tr>";
  for (const std::string& column : columns) html += "<th scope=\"col\">" + column + "</th>";
  return html + "</tr></thead>\n";
}

std::string note(std::string_view sentence) {
  return fmt::format("<p class=\"note\">{}</p>", sentence);
}

}  // namespace sluice::apps::report
