#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "apps/report/confusion_matrix.hpp"
#include "apps/report/sections.hpp"
#include "apps/report/text.hpp"

namespace sluice::apps::report {
namespace {

constexpr std::size_t most_in_matrix = 30;  // classes; of more, only the extremes are told

struct Pair {
  std::size_t label, predicted;
};

// Classes that were taken for another, most often first.
std::vector<Pair> confused(const ConfusionMatrix& m) {
  std::vector<Pair> pairs;
  for (std::size_t label = 0; label < m.classes; ++label)
    for (std::size_t predicted = 0; predicted < m.classes; ++predicted)
      if (label != predicted && m.at(label, predicted) > 0) pairs.push_back({label, predicted});
  std::stable_sort(pairs.begin(), pairs.end(), [&](const Pair& a, const Pair& b) {
    return m.at(a.label, a.predicted) > m.at(b.label, b.predicted);
  });
  return pairs;
}

std::string in_words(const Report& r, const ConfusionMatrix& m, std::size_t most) {
  const std::vector<Pair> pairs = confused(m);
  if (pairs.empty()) return note("No image was taken for one of another class.");
  std::string html = "<h3>Most confused</h3>\n<ol class=\"confused\">\n";
  for (std::size_t i = 0; i < std::min(most, pairs.size()); ++i) {
    const auto [label, predicted] = pairs[i];
    const std::size_t count = m.at(label, predicted);
    html += fmt::format("<li>'{0}' was taken for '{1}' {2} time{3}, {4} of all '{0}'.</li>\n", class_name(r, label),
                        class_name(r, predicted), count, count == 1 ? "" : "s", percent(m.share(label, predicted)));
  }
  return html + "</ol>\n";
}

std::string cell(const Report& r, const ConfusionMatrix& m, std::size_t label, std::size_t predicted, double worst) {
  const double share = m.share(label, predicted);
  const bool right = label == predicted;
  const double shade = right ? share : worst > 0 ? std::sqrt(share / worst) : 0;
  return fmt::format("<td class=\"{}\" style=\"--v:{:.2f}\" title=\"{} taken for {}: {}, {}\">{}</td>",
                     right ? "hit" : "miss", shade, class_name(r, label), class_name(r, predicted),
                     m.at(label, predicted), percent(share), m.at(label, predicted));
}

std::string matrix(const Report& r, const ConfusionMatrix& m) {
  double worst = 0;
  for (const Pair& p : confused(m)) worst = std::max(worst, m.share(p.label, p.predicted));
  std::string html = fmt::format(
      "<figure><div class=\"scroll\" tabindex=\"0\"><table class=\"matrix\"><thead>\n<tr><td></td><th class=\"axis\" "
      "colspan=\"{}\">predicted</th><td></td></tr>\n<tr><th class=\"axis\">true</th>",
      m.classes);
  for (std::size_t c = 0; c < m.classes; ++c)
    html += fmt::format("<th class=\"column\"><span title=\"{0}\">{0}</span></th>", class_name(r, c));
  html += "<th class=\"column\"><span>recall</span></th></tr></thead><tbody>\n";
  for (std::size_t label = 0; label < m.classes; ++label) {
    html += fmt::format("<tr><th class=\"row\" title=\"{0}\">{0}</th>", class_name(r, label));
    for (std::size_t c = 0; c < m.classes; ++c) html += cell(r, m, label, c, worst);
    html += fmt::format("<td class=\"recall\">{}</td></tr>\n",
                        m.images(label) == 0 ? "no images" : percent(m.share(label, label)));
  }
  html += "</tbody></table></div>\n<figcaption>Images of the test set. Blue: right; red: wrong";
  if (worst > 0) html += fmt::format(", the deepest {} of a row", percent(worst));
  return html + ".</figcaption></figure>\n";
}

std::string lowest_recall(const Report& r, const ConfusionMatrix& m, std::size_t most) {
  std::vector<std::size_t> order;
  for (std::size_t c = 0; c < m.classes; ++c)
    if (m.images(c) > 0) order.push_back(c);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return m.share(a, a) < m.share(b, b); });
  order.resize(std::min(most, order.size()));
  std::string html = fmt::format(
      "<h3>Lowest recall</h3>\n<div class=\"scroll\" tabindex=\"0\"><table class=\"numbers\"><thead><tr><th>class</th>"
      "<th>recall</th><th>right</th><th>images</th></tr></thead><tbody>\n");
  for (const std::size_t c : order)
    html += fmt::format("<tr><th>{}</th><td>{}</td><td>{}</td><td>{}</td></tr>\n", class_name(r, c),
                        percent(m.share(c, c)), m.at(c, c), m.images(c));
  return html + "</tbody></table></div>\n" +
         note(fmt::format("Of {} classes the {} with the lowest recall; the whole matrix is in this page's JSON.",
                          m.classes, order.size()));
}

}  // namespace

std::string confusion(const Report& r) {
  const std::string heading = "Confusion matrix";
  if (!has_predictions(r)) return section("confusion", heading, note("The test set was not predicted."));
  const ConfusionMatrix m(*r.test, r.predictions);
  const bool small = m.classes <= most_in_matrix;
  const std::string html = fmt::format(
      "<p>{} of {} images of the test set are right, {}.</p>\n<div class=\"columns wide\">\n{}<div>{}</div></div>",
      m.right(), r.test->size(), percent(static_cast<double>(m.right()) / static_cast<double>(r.test->size())),
      small ? matrix(r, m) : "<div>" + lowest_recall(r, m, 20) + "</div>", in_words(r, m, small ? 8 : 20));
  return section("confusion", heading, html);
}

}  // namespace sluice::apps::report
