#include "apps/report/sweep_page.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "apps/pictures/escaped.hpp"
#include "apps/report/chart.hpp"
#include "apps/report/sections.hpp"
#include "apps/report/sweep_result.hpp"
#include "apps/report/text.hpp"
#include "apps/terminal/plain_text.hpp"

namespace sluice::apps {
namespace {

using namespace report;

constexpr std::size_t most_colours = 8;     // of the style sheet; whoever comes behind them is grey
constexpr std::size_t most_lines = 400;     // of jobs, thin ones
constexpr std::size_t most_in_table = 200;  // configurations
constexpr std::size_t most_points = 200;    // of a curve
constexpr std::size_t most_in_a_map = 40;   // values of a flag
constexpr double none = std::numeric_limits<double>::quiet_NaN();

struct Shown {
  const Sweep& sweep;
  std::vector<std::size_t> order = ranked(sweep);
  const char* name = sweep.validated ? "validation accuracy" : "test accuracy";

  double of(const Epoch& e) const { return sweep.validated ? e.validation->accuracy : e.test.accuracy; }
  double of(std::size_t run, std::size_t epoch) const {
    const std::vector<Epoch>& epochs = sweep.runs[run].state.training.epochs;
    return epoch < epochs.size() ? of(epochs[epoch]) : none;
  }
  Spread result(std::size_t configuration) const {
    return spread(sweep, configuration, [this](const Epoch& e) { return of(e); });
  }
  std::string words(std::size_t configuration) const {
    const std::string text = in_words(sweep.configurations[configuration]);
    return text.empty() ? "all jobs" : escaped(text);
  }
  static std::string colour(std::size_t place) {
    return place < most_colours ? fmt::format("style=\"--c:var(--c{})\"", place) : "class=\"other\"";
  }
};

// Over the runs that have this epoch: their mean and its deviation; none: no run has.
Spread at_epoch(const Shown& shown, std::size_t configuration, std::size_t epoch) {
  double sum = 0, squares = 0;
  std::size_t count = 0;
  for (const std::size_t run : shown.sweep.configurations[configuration].runs)
    if (const double value = shown.of(run, epoch); std::isfinite(value))
      sum += value, squares += value * value, ++count;
  if (count == 0) return {none, 0, 0};
  const auto n = static_cast<double>(count);
  const double mean = sum / n;
  return {mean, count > 1 ? std::sqrt(std::max(0.0, (squares - n * mean * mean) / (n - 1))) : 0, count};
}

std::string curves_of_jobs(const Shown& shown) {
  std::size_t epochs = 0;
  for (const SweepRun& run : shown.sweep.runs) epochs = std::max(epochs, run.state.training.epochs.size());
  if (epochs == 0) return section("curves", "Curves", note("No epoch was completed."));
  const std::vector<std::size_t> places = thinned(epochs, most_points);
  const std::size_t coloured = std::min(most_colours, shown.order.size());

  // Of those in colour; what lies outside is cut off.
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (std::size_t place = 0; place < coloured; ++place)
    for (const std::size_t run : shown.sweep.configurations[shown.order[place]].runs)
      for (const std::size_t e : places)
        if (const double value = shown.of(run, e); std::isfinite(value))
          least = std::min(least, value), most = std::max(most, value);
  const Axis axis(least, most);

  std::string svg = fmt::format(
      "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{} of {} jobs over {} epochs\">\n<clipPath "
      "id=\"plot\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n",
      right + 24, height, shown.name, shown.sweep.runs.size(), epochs, left, top, right - left, bottom - top);
  svg += vertical(axis, true, "", shown.name) + horizontal(epochs) + frame() + "<g clip-path=\"url(#plot)\">\n";
  // Of so many jobs a line of their own, those of the best first.
  std::vector<std::size_t> lines(shown.order.size());
  std::size_t left_over = most_lines;
  for (std::size_t place = 0; place < lines.size(); ++place) {
    lines[place] = std::min(left_over, shown.sweep.configurations[shown.order[place]].runs.size());
    left_over -= lines[place];
  }
  for (std::size_t place = shown.order.size(); place-- > 0;) {  // the best on top
    const SweepConfiguration& c = shown.sweep.configurations[shown.order[place]];
    const bool several = c.runs.size() > 1;
    svg += fmt::format("<g {}>\n", Shown::colour(place));
    if (place < coloured && several) {
      std::string upper, lower;
      for (const std::size_t e : places) {
        const Spread s = at_epoch(shown, shown.order[place], e);
        if (s.count == 0) continue;
        upper += fmt::format("{}{:.1f} {:.1f}", upper.empty() ? "M" : "L", x(epochs, e), axis.y(s.mean + s.deviation));
        lower = fmt::format("L{:.1f} {:.1f}", x(epochs, e), axis.y(s.mean - s.deviation)) + lower;
      }
      svg += fmt::format("<path class=\"band\" d=\"{}{}Z\"/>\n", upper, lower);
    }
    for (std::size_t i = 0; i < lines[place]; ++i) {
      const std::size_t run = c.runs[i];
      const std::string title = fmt::format("<title>{} --seed {}</title>", shown.words(shown.order[place]),
                                            shown.sweep.runs[run].options.seed);
      if (epochs == 1 && std::isfinite(shown.of(run, 0)))
        svg += fmt::format("<circle class=\"dot\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\">{}</circle>\n", x(1, 0),
                           axis.y(shown.of(run, 0)), title);
      svg += fmt::format("<path class=\"curve one\" d=\"{}\">{}</path>\n",
                         path(
                             epochs, places, [&](std::size_t e) { return shown.of(run, e); }, axis),
                         title);
    }
    if (place < coloured)
      svg += fmt::format(
          "<path class=\"curve\" d=\"{}\"><title>{}</title></path>\n",
          path(
              epochs, places, [&](std::size_t e) { return at_epoch(shown, shown.order[place], e).mean; }, axis),
          shown.words(shown.order[place]));
    svg += "</g>\n";
  }
  svg += "</g>\n</svg>\n";

  std::string legend = "<ul class=\"legend\">\n";
  for (std::size_t place = 0; place < coloured; ++place)
    legend += fmt::format(
        "<li {}><svg viewBox=\"0 0 30 10\" width=\"30\" height=\"10\" aria-hidden=\"true\"><path class=\"curve\" "
        "d=\"M1 "
        "5L29 5\"/></svg> {}</li>\n",
        Shown::colour(place), shown.words(shown.order[place]));
  legend += "</ul>\n";
  std::string html = "<figure>" + legend + svg +
                     "<figcaption>Thick: the mean over the runs of a configuration, with its "
                     "deviation; thin: each run";
  if (left_over == 0) html += fmt::format(" of the first {}", most_lines);
  if (shown.order.size() > coloured)
    html += fmt::format("; grey: the {} configurations that are not among the {} {}", shown.order.size() - coloured,
                        shown.sweep.validated ? "best" : "first", coloured);
  return section("curves", "Curves", html + ".</figcaption></figure>");
}

std::string heat_map(const Shown& shown) {
  if (shown.sweep.flags.size() != 2) return "";
  // The values in the order in which they are given.
  std::vector<std::string> values[2];
  std::map<std::pair<std::string, std::string>, std::size_t> cells;
  for (std::size_t c = 0; c < shown.sweep.configurations.size(); ++c) {
    std::string its[2] = {"-", "-"};
    for (std::size_t f = 0; f < 2; ++f) {
      for (const auto& [flag, value] : shown.sweep.configurations[c].flags)
        if (flag == shown.sweep.flags[f]) its[f] = value;
      if (std::find(values[f].begin(), values[f].end(), its[f]) == values[f].end()) values[f].push_back(its[f]);
    }
    cells[{its[0], its[1]}] = c;
  }
  if (values[0].size() > most_in_a_map || values[1].size() > most_in_a_map) return "";
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (std::size_t c = 0; c < shown.sweep.configurations.size(); ++c)
    if (const Spread s = shown.result(c); s.count) least = std::min(least, s.mean), most = std::max(most, s.mean);
  std::string html = fmt::format(
      "<figure><div class=\"scroll\" tabindex=\"0\"><table class=\"matrix\"><thead>\n<tr><td></td><th "
      "scope=\"col\" "
      "class=\"axis\" colspan=\"{}\">{}</th></tr>\n<tr><th scope=\"col\" class=\"axis\">{}</th>",
      values[1].size(), escaped(shown.sweep.flags[1]), escaped(shown.sweep.flags[0]));
  for (const std::string& value : values[1])
    html += fmt::format("<th scope=\"col\" class=\"axis\">{}</th>", escaped(value));
  html += "</tr></thead><tbody>\n";
  for (const std::string& row : values[0]) {
    html += fmt::format("<tr><th scope=\"row\" class=\"row\">{}</th>", escaped(row));
    for (const std::string& column : values[1]) {
      const auto found = cells.find({row, column});
      const Spread s = found == cells.end() ? Spread{} : shown.result(found->second);
      if (s.count)
        html += fmt::format("<td class=\"hit\" style=\"--v:{:.2f}\" title=\"+- {:.4f} over {} runs\">{:.4f}</td>",
                            most > least ? (s.mean - least) / (most - least) : 1, s.deviation, s.count, s.mean);
      else
        html += "<td>-</td>";
    }
    html += "</tr>\n";
  }
  html += fmt::format("</tbody></table></div>\n<figcaption>Mean {}: the bluer, the higher.</figcaption></figure>",
                      shown.name);
  return section("map", "Two flags", html);
}

// The runs' results as dots on a line between the lowest and the highest of all.
std::string dots(const Shown& shown, std::size_t place, double least, double most) {
  const std::size_t c = shown.order[place];
  const auto at = [&](double value) { return 6 + 188 * (most > least ? (value - least) / (most - least) : 0.5); };
  std::string svg = fmt::format("<svg viewBox=\"0 0 200 18\" aria-hidden=\"true\" {}>", Shown::colour(place));
  for (const std::size_t run : shown.sweep.configurations[c].runs)
    if (const SweepRun& one = shown.sweep.runs[run]; one.has_result())
      svg += fmt::format("<circle class=\"dot\" cx=\"{:.1f}\" cy=\"9\" r=\"3.5\"/>",
                         at(shown.of(one.state.result_epoch())));
  if (const Spread s = shown.result(c); s.count > 1)
    svg += fmt::format("<path class=\"mean\" d=\"M{0:.1f} 2V16\"/>", at(s.mean));
  return svg + "</svg>";
}

std::string table_of_jobs(const Shown& shown) {
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (const SweepRun& run : shown.sweep.runs)
    if (run.has_result()) {
      const double value = shown.of(run.state.result_epoch());
      least = std::min(least, value), most = std::max(most, value);
    }
  std::vector<std::string> columns{"#"};
  for (const std::string& flag : shown.sweep.flags) columns.push_back(escaped(flag.substr(2)));
  columns.insert(columns.end(), {"runs", "epoch"});
  if (shown.sweep.validated) columns.insert(columns.end(), {"validation loss", "accuracy"});
  columns.insert(columns.end(), {"test accuracy", fmt::format("{}, each run", shown.name)});
  std::string html =
      "<div class=\"scroll\" tabindex=\"0\"><table class=\"numbers\">" + table_head(columns) + "<tbody>\n";
  const auto text = [](const Spread& s) { return s.count == 0 ? "-" : to_text(s, "\u00b1"); };
  for (std::size_t place = 0; place < std::min(most_in_table, shown.order.size()); ++place) {
    const std::size_t number = shown.order[place];
    const SweepConfiguration& c = shown.sweep.configurations[number];
    html += fmt::format("<tr><th scope=\"row\">{}</th>", (shown.sweep.validated ? place : number) + 1);
    for (const std::string& flag : shown.sweep.flags) {
      const auto its = std::find_if(c.flags.begin(), c.flags.end(), [&](const auto& one) { return one.first == flag; });
      html += fmt::format("<td>{}</td>", its == c.flags.end() ? "-" : escaped(its->second));
    }
    const Spread epoch = spread(shown.sweep, number, [](const Epoch& e) { return static_cast<double>(e.number); });
    html += epoch.count == c.runs.size() ? fmt::format("<td>{}</td><td>{:.4g}</td>", epoch.count, epoch.mean)
                                         : fmt::format("<td>{}/{}</td><td></td>", epoch.count, c.runs.size());
    if (shown.sweep.validated) {
      html += fmt::format("<td>{}</td>",
                          text(spread(shown.sweep, number, [](const Epoch& e) { return e.validation->loss; })));
      html += fmt::format("<td>{}</td>", text(shown.result(number)));
    }
    html +=
        fmt::format("<td>{}</td>", text(spread(shown.sweep, number, [](const Epoch& e) { return e.test.accuracy; })));
    const auto failed =
        std::find_if(c.runs.begin(), c.runs.end(), [&](std::size_t i) { return !shown.sweep.runs[i].error.empty(); });
    html += failed == c.runs.end()
                ? fmt::format("<td class=\"spread\">{}</td></tr>\n", dots(shown, place, least, most))
                : fmt::format("<td class=\"spread\">{}</td></tr>\n", escaped(shown.sweep.runs[*failed].error));
  }
  html += "</tbody></table></div>\n";
  if (shown.order.size() > most_in_table)
    html += note(
        fmt::format("{} of {} configurations are shown; this page's JSON has all.", most_in_table, shown.order.size()));
  return section("jobs", "Configurations", html);
}

std::string summary_of(const Shown& shown, const std::vector<std::pair<std::string, std::string>>& facts,
                       const std::vector<std::pair<std::string, std::string>>& commands) {
  std::string html = "<dl class=\"cards\">\n";
  const auto card = [&](const std::string& name, const std::string& value) {
    html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", escaped(name), escaped(value));
  };
  if (const Spread best = shown.result(shown.order.front()); shown.sweep.validated && best.count) {
    card("validation accuracy of the best", fmt::format("{:.4f}", best.mean));
    card("its test accuracy", fmt::format("{:.4f}", spread(shown.sweep, shown.order.front(), [](const Epoch& e) {
                                                      return e.test.accuracy;
                                                    }).mean));
  }
  card("configurations", std::to_string(shown.order.size()));
  card("jobs", std::to_string(shown.sweep.runs.size()));
  html += "</dl>\n<dl class=\"facts\">\n";
  for (const auto& [name, value] : facts)
    html += fmt::format("<div{}><dt>{}</dt><dd>{}</dd></div>\n", value.size() > 20 ? " class=\"long\"" : "",
                        escaped(name), escaped(value));
  html += "</dl>\n";
  if (!shown.sweep.validated)
    html += note("Nothing is chosen: without a validation there would only be the test set to choose by.");
  for (const auto& [what, command] : commands)
    html += fmt::format("<h3>{}</h3>\n<pre>{}</pre>\n", escaped(what), escaped(command));
  return section("summary", "Summary", html);
}

}  // namespace

std::string sweep_page(const Sweep& sweep, const std::vector<std::pair<std::string, std::string>>& facts,
                       const std::vector<std::pair<std::string, std::string>>& commands,
                       const nlohmann::ordered_json& json) {
  const Shown shown{sweep};
  const std::string map = heat_map(shown);
  std::vector<std::pair<const char*, const char*>> links{{"summary", "Summary"}, {"curves", "Curves"}};
  if (!map.empty()) links.emplace_back("map", "Two flags");
  links.emplace_back("jobs", "Configurations");
  return page("sluice sweep", links,
              "<div class=\"jobs\">\n" + summary_of(shown, facts, commands) + curves_of_jobs(shown) + map +
                  table_of_jobs(shown) + "</div>\n",
              data_element("sluice-sweep", json));
}

}  // namespace sluice::apps
