#include "apps/report/text.hpp"

#include <fmt/core.h>

namespace sluice::apps::report {

std::string duration(double s) {
  return s <= 0     ? "-"
         : s < 1e-6 ? fmt::format("{:.0f} ns", s * 1e9)
         : s < 1e-3 ? fmt::format("{:.1f} us", s * 1e6)
         : s < 1    ? fmt::format("{:.1f} ms", s * 1e3)
         : s < 100  ? fmt::format("{:.2f} s", s)
                    : fmt::format("{:.0f} s", s);
}

std::string section(std::string_view id, std::string_view heading, std::string_view body) {
  return fmt::format("<section id=\"{0}\" aria-labelledby=\"{0}-h\">\n<h2 id=\"{0}-h\">{1}</h2>\n{2}\n</section>\n", id,
                     heading, body);
}

std::string note(std::string_view sentence) {
  return fmt::format("<p class=\"note\">{}</p>", sentence);
}

}  // namespace sluice::apps::report
