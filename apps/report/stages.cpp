// The graphs: as a picture, and stage by stage.
#include <fmt/core.h>

#include <algorithm>

#include <sluice/pipeline/svg.hpp>
#include <sluice/pipeline/verdict.hpp>
#include "apps/pictures/escaped.hpp"
#include "apps/report/sections.hpp"
#include "apps/report/text.hpp"
#include "apps/terminal/plain_text.hpp"

namespace sluice::apps::report {
namespace {

// The columns of profile_table().
std::string row(const StageStats& s, double wall) {
  const double whole = wall * static_cast<double>(std::max<std::size_t>(1, s.at_once));
  const std::string concurrency = s.concurrency == unlimited ? fmt::format("{} (all)", s.at_once)
                                  : s.concurrency == serial  ? "1"
                                                             : fmt::format("{} of {}", s.at_once, s.concurrency.limit);
  const auto share = [&](double seconds) { return percent(std::clamp(seconds / whole, 0.0, 1.0), 0); };
  return fmt::format(
      "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{:.0f}</td><td class=\"busy\" "
      "style=\"--v:{:.3f}\">{}</td><td>{}</td>"
      "<td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
      escaped(s.name), concurrency, s.items, static_cast<double>(s.items) / wall, std::clamp(s.busy / whole, 0.0, 1.0),
      share(s.busy), share(s.starved), share(s.blocked), share(s.ready),
      s.capacity == 0 ? "" : fmt::format("{}/{}", s.high_water, s.capacity), duration(s.p50), duration(s.p99));
}

std::string table(const GraphPicture& picture) {
  std::string html = fmt::format("<h3>{}</h3>\n", escaped(picture.graph));
  if (!picture.stats || picture.stats->runs == 0) return html + note("It has not run.");
  const GraphStats& stats = *picture.stats;
  html += fmt::format("<p>{} in {} run{} on {} thread{}.</p>\n", duration(stats.wall), stats.runs,
                      stats.runs == 1 ? "" : "s", stats.threads, stats.threads == 1 ? "" : "s");
  html += "<div class=\"scroll\" tabindex=\"0\"><table class=\"numbers\">" +
          table_head(
              {"stage", "at once", "items", "items/s", "busy", "starved", "blocked", "ready", "queue", "p50", "p99"}) +
          "<tbody>\n";
  for (const StageStats& s : stats.stages) html += row(s, std::max(stats.wall, 1e-9));
  return html + fmt::format("</tbody></table></div>\n<p class=\"verdict\">{}</p>\n", escaped(verdict(stats).text));
}

}  // namespace

std::string graph(const Report& r) {
  if (r.graphs.empty()) return section("graph", "Graphs", note("There is no graph."));
  return section("graph", "Graphs", "<div class=\"picture\" tabindex=\"0\">\n" + svg(r.graphs) + "</div>");
}

std::string stages(const Report& r) {
  std::string html =
      "<p>Shares of the time that a stage worked, had no input (starved), no room behind it (blocked), or waited for a "
      "thread (ready); queue: most messages at once / capacity; p50 and p99 of one body.</p>\n";
  if (r.graphs.empty()) html = note("There is no graph.");
  for (const GraphPicture& picture : r.graphs) html += table(picture);
  if (!r.advice.empty()) html += fmt::format("<p class=\"verdict\">{}</p>\n", escaped(r.advice));
  return section("stages", "Stages", html);
}

}  // namespace sluice::apps::report
