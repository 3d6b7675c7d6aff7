#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "apps/report/sections.hpp"
#include "apps/report/text.hpp"
#include "apps/terminal/plain_text.hpp"

namespace sluice::apps::report {
namespace {

constexpr std::size_t most_in_matrix = 30;  // classes; of more, only the extremes are told

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

std::string in_words(const Report& r, const EvaluationResult& e, std::size_t most) {
  if (e.confused.empty()) return note("No image was taken for one of another class.");
  std::string html = "<h3>Most confused</h3>\n<ol class=\"confused\">\n";
  for (std::size_t i = 0; i < std::min(most, e.confused.size()); ++i) {
    const EvaluationResult::Confused& pair = e.confused[i];
    html +=
        fmt::format("<li>'{0}' was taken for '{1}' {2} time{3}, {4} of all '{0}'.</li>\n", class_name(r, pair.label),
                    class_name(r, pair.predicted), pair.count, pair.count == 1 ? "" : "s", percent(pair.share));
  }
  return html + "</ol>\n";
}

std::string cell(const Report& r, const EvaluationResult& e, std::size_t label, std::size_t predicted, double worst) {
  const std::uint64_t count = e.confusion.at(label, predicted);
  const double part = share(count, e.classes[label].support);
  const bool right = label == predicted;
  const double shade = right ? part : worst > 0 ? std::sqrt(part / worst) : 0;
  return fmt::format("<td class=\"{}\" style=\"--v:{:.2f}\" title=\"{} taken for {}: {}, {}\">{}</td>",
                     right ? "hit" : "miss", shade, class_name(r, label), class_name(r, predicted), count,
                     percent(part), count);
}

std::string matrix(const Report& r, const EvaluationResult& e) {
  double worst = 0;
  for (const EvaluationResult::Confused& pair : e.confused) worst = std::max(worst, pair.share);
  std::string html = fmt::format(
      "<figure><div class=\"scroll\" tabindex=\"0\"><table class=\"matrix\"><thead>\n<tr><td></td><th scope=\"col\" "
      "class=\"axis\" "
      "colspan=\"{}\">predicted</th><td></td></tr>\n<tr><th scope=\"col\" class=\"axis\">true</th>",
      e.classes.size());
  for (std::size_t c = 0; c < e.classes.size(); ++c)
    html += fmt::format("<th scope=\"col\" class=\"column\"><span title=\"{0}\">{0}</span></th>", class_name(r, c));
  html += "<th scope=\"col\" class=\"column\"><span>recall</span></th></tr></thead><tbody>\n";
  for (std::size_t label = 0; label < e.classes.size(); ++label) {
    const std::optional<double>& recall = e.classes[label].recall;
    html += fmt::format("<tr><th scope=\"row\" class=\"row\" title=\"{0}\">{0}</th>", class_name(r, label));
    for (std::size_t c = 0; c < e.classes.size(); ++c) html += cell(r, e, label, c, worst);
    html += fmt::format("<td class=\"recall\">{}</td></tr>\n", recall ? percent(*recall) : "no images");
  }
  html += "</tbody></table></div>\n<figcaption>Images of the test set. Blue: right; red: wrong";
  if (worst > 0) html += fmt::format(", the deepest {} of a row", percent(worst));
  return html + ".</figcaption></figure>\n";
}

std::string lowest_recall(const Report& r, const EvaluationResult& e, std::size_t most) {
  std::vector<std::size_t> order;
  for (std::size_t c = 0; c < e.classes.size(); ++c)
    if (e.classes[c].recall) order.push_back(c);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return *e.classes[a].recall < *e.classes[b].recall; });
  order.resize(std::min(most, order.size()));
  std::string html = "<h3>Lowest recall</h3>\n<div class=\"scroll\" tabindex=\"0\"><table class=\"numbers\">" +
                     table_head({"class", "recall", "right", "images"}) + "<tbody>\n";
  for (const std::size_t c : order)
    html += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td></tr>\n", class_name(r, c),
                        percent(*e.classes[c].recall), e.classes[c].right, e.classes[c].support);
  return html + "</tbody></table></div>\n" +
         note(fmt::format("Of {} classes the {} with the lowest recall; {} in this page's JSON.", e.classes.size(),
                          order.size(),
                          e.classes.size() <= most_in_json_matrix ? "the whole matrix is" : "more confused pairs are"));
}

}  // namespace

std::string confusion(const Report& r) {
  const std::string heading = "Confusion matrix";
  if (!has_predictions(r)) return section("confusion", heading, note("The test set was not predicted."));
  const EvaluationResult e = evaluated(r);
  std::uint64_t right = 0;
  for (const EvaluationResult::Class& c : e.classes) right += c.right;
  const bool small = e.classes.size() <= most_in_matrix;
  const std::string html = fmt::format(
      "<p>{} of {} images of the test set are right, {}.</p>\n<div class=\"columns wide\">\n{}<div>{}</div></div>",
      right, r.test->size(), percent(share(right, r.test->size())),
      small ? matrix(r, e) : "<div>" + lowest_recall(r, e, 20) + "</div>", in_words(r, e, small ? 8 : 20));
  return section("confusion", heading, html);
}

}  // namespace sluice::apps::report
