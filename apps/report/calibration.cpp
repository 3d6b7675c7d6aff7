// The reliability diagram: how many of the predictions are right, by how sure the model was of them.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "apps/report/sections.hpp"
#include "apps/report/text.hpp"
#include "apps/terminal/plain_text.hpp"

namespace sluice::apps::report {
namespace {

using stages::Reliability;
using Bin = Reliability::Bin;

// The two plots, one above the other, within the picture, in units of the viewBox.
constexpr double width = 640, height = 440, left = 74, right = width - 24, top = 12, bottom = 290;
constexpr double share_top = 312, share_bottom = height - 62;

double x(double confidence) {
  return left + confidence * (right - left);
}
double y(double accuracy) {
  return bottom - accuracy * (bottom - top);
}
double edge(std::size_t bin) {
  return static_cast<double>(bin) / Reliability::count;
}

double share(const Bin& bin, const Reliability& r) {
  return static_cast<double>(bin.rows) / static_cast<double>(r.all().rows);
}

std::string box(const char* style, double from_x, double to_x, double from_y, double to_y, const char* end) {
  return fmt::format("<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"{}", style, from_x,
                     from_y, to_x - from_x, to_y - from_y, end);
}

std::string axes(double largest_share) {
  std::string svg;
  for (int tick = 0; tick <= 5; ++tick) {
    const double value = tick / 5.0;
    svg += fmt::format("<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n", left, right,
                       y(value), y(value));
    svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\" dy=\".35em\" text-anchor=\"end\">{:.1f}</text>\n", left - 8,
                       y(value), value);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:.1f}</text>\n", x(value),
                       share_bottom + 22, value);
  }
  svg += fmt::format("<text transform=\"translate(18 {}) rotate(-90)\" text-anchor=\"middle\">accuracy</text>\n",
                     (top + bottom) / 2);
  svg += fmt::format("<text x=\"{}\" y=\"{}\" dy=\".7em\" text-anchor=\"end\">{}</text>\n", left - 8, share_top,
                     percent(largest_share, 0));
  return svg + fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">confidence</text>\n", (left + right) / 2,
                           height - 10);
}

// What a bin shows when it is pointed at.
std::string in_words(const Reliability& r, std::size_t b) {
  const Bin& bin = r.bins[b];
  std::string text = fmt::format("confidence {:.3f} to {:.3f}\n{} image{}, {}", edge(b), edge(b + 1), bin.rows,
                                 bin.rows == 1 ? "" : "s", percent(share(bin, r)));
  if (bin.rows > 0)
    text += fmt::format("\naccuracy {:.4f}\nmean confidence {:.4f}", *bin.accuracy(), *bin.mean_confidence());
  return text;
}

std::string diagram(const Reliability& r) {
  double largest_share = 0;
  for (const Bin& bin : r.bins) largest_share = std::max(largest_share, share(bin, r));
  std::string svg = fmt::format(
      "<svg class=\"chart\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"accuracy by confidence, in {} bins; the "
      "values are in the table\">\n",
      width, height, Reliability::count);
  svg += axes(largest_share);
  for (std::size_t b = 0; b < Reliability::count; ++b) {
    const Bin& bin = r.bins[b];
    if (bin.rows == 0) continue;
    const double from = x(edge(b)) + 1.5, to = x(edge(b + 1)) - 1.5;
    const double accuracy = y(*bin.accuracy()), confidence = y(*bin.mean_confidence());
    svg += box("accuracy", from, to, accuracy, bottom, "/>\n");
    svg += box("gap", from, to, std::min(accuracy, confidence), std::max(accuracy, confidence), "/>\n");
    const double part = share(bin, r) / largest_share;
    svg += box("share", from, to, share_bottom - part * (share_bottom - share_top), share_bottom, "/>\n");
  }
  svg += fmt::format("<line class=\"diagonal\" x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"/>\n", left, bottom, right, top);
  svg += box("frame", left, right, top, bottom, "/>\n") + box("frame", left, right, share_top, share_bottom, "/>\n");
  for (std::size_t b = 0; b < Reliability::count; ++b)
    svg += box("strip", x(edge(b)), x(edge(b + 1)), top, share_bottom, "") + "><title>" + in_words(r, b) +
           "</title></rect>\n";
  return svg + "</svg>\n";
}

std::string legend() {
  const auto entry = [](const char* drawn, const char* name) {
    return fmt::format(
        "<li><svg viewBox=\"0 0 30 12\" width=\"30\" height=\"12\" aria-hidden=\"true\">{}</svg> "
        "{}</li>\n",
        drawn, name);
  };
  return "<ul class=\"legend\">\n" +
         entry("<rect class=\"accuracy\" x=\"1\" y=\"1\" width=\"28\" height=\"10\"/>", "accuracy") +
         entry("<rect class=\"gap\" x=\"1\" y=\"1\" width=\"28\" height=\"10\"/>", "from accuracy to mean confidence") +
         entry("<line class=\"diagonal\" x1=\"1\" y1=\"6\" x2=\"29\" y2=\"6\"/>", "accuracy equal to confidence") +
         "</ul>\n";
}

std::string table(const Reliability& r) {
  std::string html = "<div class=\"scroll\" tabindex=\"0\"><table class=\"numbers\">" +
                     table_head({"confidence", "images", "mean confidence", "accuracy", "too sure by"}) + "<tbody>\n";
  for (std::size_t b = 0; b < Reliability::count; ++b) {
    const Bin& bin = r.bins[b];
    if (bin.rows == 0) continue;
    const double confidence = *bin.mean_confidence(), accuracy = *bin.accuracy();
    html += fmt::format(
        "<tr><th scope=\"row\">{:.3f} to {:.3f}</th><td>{}</td><td>{:.4f}</td><td>{:.4f}</td><td>{:+.4f}</td></tr>\n",
        edge(b), edge(b + 1), bin.rows, confidence, accuracy, confidence - accuracy);
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace

std::string calibration(const Report& r) {
  if (!has_predictions(r)) return {};
  const Reliability counts = reliability(r);
  const Bin all = counts.all();
  const double confidence = *all.mean_confidence(), accuracy = *all.accuracy();
  const std::string words = fmt::format(
      "<p>The model is {} sure of its predictions on average, and {} of them are right. The expected calibration error "
      "(ECE) is <b>{:.4f}</b>: what confidence and accuracy differ by in each of {} bins, averaged over the images. In "
      "the "
      "worst bin (MCE) they differ by {:.4f}.</p>\n",
      percent(confidence), percent(accuracy), *counts.expected_error(), Reliability::count, *counts.largest_error());
  return section(
      "calibration", "Calibration",
      words + "<div class=\"columns\">\n<figure>" + legend() + diagram(counts) +
          "<figcaption>Images of the test set, by the probability of the class that was predicted. Below the "
          "dashed line the model is surer than it is right; above it, less sure. At the bottom: the share of the "
          "images in each bin.</figcaption></figure>\n<div>" +
          table(counts) + "</div></div>");
}

}  // namespace sluice::apps::report
