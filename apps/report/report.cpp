#include "apps/report/report.hpp"

#include <fmt/core.h>

#include <algorithm>

#include <sluice/pipeline/verdict.hpp>
#include "apps/pictures/escaped.hpp"
#include "apps/report/advice.hpp"
#include "apps/report/sections.hpp"
#include "apps/report/text.hpp"

namespace sluice::apps {
namespace report {

std::string class_name(const Report& r, std::size_t c) {
  return c < r.class_names.size() ? escaped(r.class_names[c]) : fmt::format("class {}", c);
}

bool has_predictions(const Report& r) {
  return r.test && r.test->size() > 0 && r.predictions.predicted.size() == r.test->size() &&
         r.predictions.probability.size() == r.test->size();
}

EvaluationResult evaluated(const Report& r) {
  stages::Confusion confusion{.classes = r.test->classes};
  for (std::size_t i = 0; i < r.test->size(); ++i) confusion.add(r.test->labels[i], r.predictions.predicted[i]);
  return evaluation_result({}, confusion, std::vector<std::string>(confusion.classes));
}

stages::Reliability reliability(const Report& r) {
  stages::Reliability counts;
  for (std::size_t i = 0; i < r.test->size(); ++i)
    counts.add(r.predictions.probability[i], r.predictions.predicted[i] == r.test->labels[i]);
  return counts;
}

std::string summary(const Report& r) {
  std::string html;
  if (!r.outcome.empty()) html += fmt::format("<p class=\"outcome\">\u26a0 {}</p>\n", escaped(r.outcome));
  if (r.epochs.empty()) {
    html += note("No epoch was completed.");
  } else {
    const Epoch& last = r.epochs[std::min(r.result_epoch, r.epochs.size() - 1)];
    double seconds = 0;
    for (const Epoch& e : r.epochs) seconds += e.seconds;
    const auto card = [&](const char* name, const std::string& value) {
      html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, value);
    };
    html += "<dl class=\"cards\">\n";
    card("test accuracy", fmt::format("{:.4f}", last.test.accuracy));
    if (last.validation) card("validation accuracy", fmt::format("{:.4f}", last.validation->accuracy));
    card("train accuracy", fmt::format("{:.4f}", last.train.accuracy));
    card("train loss", fmt::format("{:.4f}", last.train.loss));
    card("test loss", fmt::format("{:.4f}", last.test.loss));
    card("epochs", fmt::format("{}", r.epochs.size()));
    if (last.number != r.epochs.back().number) card("best epoch", fmt::format("{}", last.number));
    card("training", duration(seconds));
    html += "</dl>\n";
  }
  if (!r.facts.empty()) {
    html += "<dl class=\"facts\">\n";
    for (const auto& [name, value] : r.facts)
      html += fmt::format("<div{}><dt>{}</dt><dd>{}</dd></div>\n", value.size() > 20 ? " class=\"long\"" : "",
                          escaped(name), escaped(value));
    html += "</dl>\n";
  }
  std::vector<GraphStats> counted;
  for (const GraphPicture& picture : r.graphs)
    if (picture.stats) counted.push_back(*picture.stats);
  for (const std::string& line : where_the_time_goes(counted))
    html += fmt::format("<p class=\"verdict\">{}</p>\n", escaped(line));
  return section("summary", "Summary", html);
}

std::string options(const Report& r) {
  std::string html = "<div class=\"scroll\" tabindex=\"0\"><table class=\"numbers options\"><tbody>\n";
  for (const auto& [name, value] : r.options)
    html +=
        fmt::format("<tr><th scope=\"row\">{}</th><td class=\"mono\">{}</td></tr>\n", escaped(name), escaped(value));
  html += "</tbody></table></div>\n";
  if (r.options.empty()) html = note("There are no options.");
  if (!r.command.empty()) html += fmt::format("<h3>The same run again</h3>\n<pre>{}</pre>\n", escaped(r.command));
  return section("options", "Options", html);
}

}  // namespace report

std::string html(const Report& r) {
  using namespace report;
  std::vector<std::pair<const char*, const char*>> links{
      {"summary", "Summary"}, {"curves", "Curves"}, {"confusion", "Confusion"}, {"predictions", "Predictions"},
      {"weights", "Weights"}, {"graph", "Graphs"},  {"stages", "Stages"},       {"options", "Options"}};
  if (has_predictions(r)) links.insert(links.begin() + 3, {"calibration", "Calibration"});
  return page(r.title, links,
              summary(r) + curves(r) + confusion(r) + calibration(r) + predictions(r) + templates(r) + graph(r) +
                  stages(r) + options(r),
              data(r));
}

}  // namespace sluice::apps
