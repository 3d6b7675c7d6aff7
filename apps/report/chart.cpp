#include "apps/report/chart.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace sluice::apps::report {

double round_step(double span, double steps) {
  const double power = std::pow(10, std::floor(std::log10(span / steps)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power * steps >= span * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

Axis::Axis(double least, double most) {
  if (!(least <= most)) return;
  step = round_step(std::max({most - least, 0.1 * std::abs(most), 1e-3}), 6);
  low = step * std::floor(least / step + 1e-6);
  high = std::max(step * std::ceil(most / step - 1e-6), low + step);
}

std::string Axis::label(double value) const {
  if (step >= 1e5) return fmt::format("{:.3g}", value);
  return fmt::format("{:.{}f}", value, std::max(0, static_cast<int>(-std::floor(std::log10(step) + 1e-9))));
}

double x(std::size_t count, std::size_t i) {
  if (count < 2) return (left + right) / 2;
  return left + (right - left) * static_cast<double>(i) / static_cast<double>(count - 1);
}

std::string vertical(const Axis& axis, bool at_left, const char* style, const char* name) {
  std::string svg;
  for (int i = 0; axis.low + i * axis.step < axis.high + axis.step / 2; ++i) {
    const double value = axis.low + i * axis.step, y = axis.y(value);
    if (at_left)
      svg += fmt::format("<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n", left, right, y, y);
    svg += fmt::format("<text class=\"{}\" x=\"{}\" y=\"{:.1f}\" dy=\".35em\" text-anchor=\"{}\">{}</text>\n", style,
                       at_left ? left - 8 : right + 8, y, at_left ? "end" : "start", axis.label(value));
  }
  return svg +
         fmt::format("<text class=\"{}\" transform=\"translate({} {}) rotate({})\" text-anchor=\"middle\">{}</text>\n",
                     style, at_left ? 18 : width - 18, (top + bottom) / 2, at_left ? -90 : 90, name);
}

std::string horizontal(std::size_t epochs) {
  std::string svg;
  const auto step = static_cast<std::size_t>(round_step(std::max(10.0, static_cast<double>(epochs)), 10));
  for (std::size_t i = 0; i < epochs; ++i) {
    if ((i + 1) % step != 0) continue;
    svg += fmt::format("<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>\n", x(epochs, i),
                       top, bottom);
    svg +=
        fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", x(epochs, i), bottom + 22, i + 1);
  }
  return svg +
         fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">epoch</text>\n", (left + right) / 2, height - 10);
}

std::string frame() {
  return fmt::format("<rect class=\"frame\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>\n", left, top, right - left,
                     bottom - top);
}

std::string path(std::size_t count, const std::vector<std::size_t>& shown,
                 const std::function<double(std::size_t)>& value, const Axis& axis) {
  std::string path;
  bool pen_down = false;
  for (const std::size_t i : shown) {
    const double its = value(i);
    if (std::isfinite(its)) path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", x(count, i), axis.y(its));
    pen_down = std::isfinite(its);
  }
  return path;
}

}  // namespace sluice::apps::report
