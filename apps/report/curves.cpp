// The training curves in the manner of d2l.ai's Animator: x is the epoch, one line each for the loss and the
// accuracies.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "apps/report/chart.hpp"
#include "apps/report/sections.hpp"
#include "apps/report/text.hpp"

namespace sluice::apps::report {
namespace {

struct Curve {
  const char* name;
  const char* style;  // class of the page's style
  double (*value)(const Epoch&);
};
constexpr Curve loss{"train loss", "loss", [](const Epoch& e) { return e.train.loss; }};
constexpr Curve train{"train accuracy", "train", [](const Epoch& e) { return e.train.accuracy; }};
constexpr Curve test{"test accuracy", "test", [](const Epoch& e) { return e.test.accuracy; }};
constexpr Curve validation{"validation accuracy", "validation", [](const Epoch& e) {
                             return e.validation ? e.validation->accuracy : std::numeric_limits<double>::quiet_NaN();
                           }};

std::vector<Curve> accuracies_of(const std::vector<Epoch>& epochs) {
  if (!epochs.back().validation) return {train, test};
  return {train, validation, test};
}
std::vector<Curve> curves_of(const std::vector<Epoch>& epochs) {
  std::vector<Curve> all = accuracies_of(epochs);
  all.insert(all.begin(), loss);
  return all;
}

// Over what is finite of some curves.
Axis axis_of(const std::vector<Epoch>& epochs, const std::vector<Curve>& curves) {
  double least = std::numeric_limits<double>::infinity(), most = -least;
  for (const Epoch& e : epochs)
    for (const Curve& c : curves)
      if (const double value = c.value(e); std::isfinite(value))
        least = std::min(least, value), most = std::max(most, value);
  return {least, most};
}

std::string line(const std::vector<Epoch>& epochs, const std::vector<std::size_t>& shown, const Curve& curve,
                 const Axis& axis) {
  std::string points;
  const auto value = [&](std::size_t i) { return curve.value(epochs[i]); };
  for (const std::size_t i : shown)
    if (shown.size() <= 30 && std::isfinite(value(i)))
      points += fmt::format("<circle class=\"point {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\"/>\n", curve.style,
                            x(epochs.size(), i), axis.y(value(i)));
  return fmt::format("<path class=\"curve {}\" d=\"{}\"/>\n", curve.style, path(epochs.size(), shown, value, axis)) +
         points;
}

// Over each epoch a strip that shows nothing but, when pointed at, the values.
std::string values(const std::vector<Epoch>& epochs, const std::vector<std::size_t>& shown) {
  const double strip = shown.size() < 2 ? right - left : (right - left) / static_cast<double>(shown.size() - 1);
  std::string svg;
  for (const std::size_t i : shown) {
    const double from = std::max(left, x(epochs.size(), i) - strip / 2),
                 to = std::min(right, x(epochs.size(), i) + strip / 2);
    svg += fmt::format("<rect class=\"strip\" x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"><title>epoch {}",
                       from, top, to - from, bottom - top, epochs[i].number);
    for (const Curve& c : curves_of(epochs)) svg += fmt::format("\n{} {:.4f}", c.name, c.value(epochs[i]));
    if (epochs[i].validation) svg += fmt::format("\nvalidation loss {:.4f}", epochs[i].validation->loss);
    svg += fmt::format("\ntest loss {:.4f}</title></rect>\n", epochs[i].test.loss);
  }
  return svg;
}

std::string legend(const std::vector<Epoch>& epochs, const Epoch& result) {
  std::string html = "<ul class=\"legend\">\n";
  for (const Curve& c : curves_of(epochs))
    html += fmt::format(
        "<li><svg viewBox=\"0 0 30 10\" width=\"30\" height=\"10\" aria-hidden=\"true\"><path class=\"curve {}\" "
        "d=\"M1 "
        "5L29 5\"/></svg> {} <b>{:.4f}</b></li>\n",
        c.style, c.name, c.value(result));
  return html + "</ul>\n";
}

std::string table(const std::vector<Epoch>& epochs, const std::vector<std::size_t>& shown) {
  const bool validated = epochs.back().validation.has_value();
  std::vector<std::string> columns{"epoch", "train loss", "train accuracy"};
  if (validated) columns.insert(columns.end(), {"validation loss", "validation accuracy"});
  columns.insert(columns.end(), {"test loss", "test accuracy", "time"});
  std::string html =
      "<div class=\"scroll tall\" tabindex=\"0\"><table class=\"numbers\">" + table_head(columns) + "<tbody>\n";
  for (const std::size_t i : shown) {
    const Epoch& e = epochs[i];
    html += fmt::format(
        "<tr><th scope=\"row\">{}</th><td>{:.4f}</td><td>{:.4f}</td>{}<td>{:.4f}</td><td>{:.4f}</td><td>{}</td></tr>\n",
        e.number, e.train.loss, e.train.accuracy,
        e.validation ? fmt::format("<td>{:.4f}</td><td>{:.4f}</td>", e.validation->loss, e.validation->accuracy) : "",
        e.test.loss, e.test.accuracy, duration(e.seconds));
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace

std::vector<std::size_t> thinned(std::size_t count, std::size_t most) {
  std::vector<std::size_t> places;
  const std::size_t shown = std::min(count, most);
  for (std::size_t i = 0; i < shown; ++i) places.push_back(shown == 1 ? 0 : i * (count - 1) / (shown - 1));
  return places;
}

std::string curves(const Report& r) {
  const std::string heading = "Training curves";
  if (r.epochs.empty()) return section("curves", heading, note("No epoch was completed."));
  const std::vector<std::size_t> shown = thinned(r.epochs.size(), 300);

  // A loss that fits the accuracies' axis shares it; a larger one would press them together.
  const bool own_axis = std::any_of(r.epochs.begin(), r.epochs.end(), [](const Epoch& e) { return e.train.loss > 1; });
  const Axis accuracies = axis_of(r.epochs, own_axis ? accuracies_of(r.epochs) : curves_of(r.epochs));
  const Axis losses = own_axis ? axis_of(r.epochs, {loss}) : accuracies;

  std::string svg = fmt::format(
      "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"train loss and "
      "accuracies over {} epoch{}\">\n",
      own_axis ? width : right + 24, height, r.epochs.size(), r.epochs.size() == 1 ? "" : "s");
  svg += vertical(accuracies, true, "", own_axis ? "accuracy" : "loss, accuracy");
  if (own_axis) svg += vertical(losses, false, "loss", "train loss");
  svg += horizontal(r.epochs.size());
  svg += frame();
  svg += line(r.epochs, shown, loss, losses);
  for (const Curve& c : accuracies_of(r.epochs)) svg += line(r.epochs, shown, c, accuracies);
  svg += values(r.epochs, shown) + "</svg>\n";

  std::string html = "<div class=\"columns\">\n<figure>" +
                     legend(r.epochs, r.epochs[std::min(r.result_epoch, r.epochs.size() - 1)]) + svg +
                     "</figure>\n<div>" + table(r.epochs, shown);
  if (shown.size() < r.epochs.size())
    html += note(fmt::format("{} of {} epochs are shown.", shown.size(), r.epochs.size()));
  return section("curves", heading, html + "</div></div>");
}

}  // namespace sluice::apps::report
