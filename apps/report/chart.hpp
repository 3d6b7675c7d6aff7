// The frame of a chart over epochs, as inline SVG: axes with round ticks, a grid, lines.
//
// Numbers -> elements of SVG, for a viewBox of `width` x `height`. What is not finite is left out. Pure functions.
// Errors: none.
//
//   const Axis accuracy(0.71, 0.86);
//   svg += vertical(accuracy, true, "", "accuracy") + horizontal(10) + frame();
//   svg += "<path d=\"" + path(10, shown, value, accuracy) + "\"/>";
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace sluice::apps::report {

// The plot within the picture, in units of the viewBox.
inline constexpr double width = 640, height = 380, left = 74, right = width - 74, top = 12, bottom = height - 62;

// A step of 1, 2 or 5 times a power of ten, so that `span` has at most `steps` of them.
double round_step(double span, double steps);

// Over what is between these, from tick to tick; from 0 to 1 where there is nothing between them.
struct Axis {
  double low = 0, high = 1, step = 0.2;

  Axis(double least, double most);
  double y(double value) const { return bottom - (value - low) / (high - low) * (bottom - top); }
  std::string label(double value) const;
};

// Of the i-th of so many epochs.
double x(std::size_t count, std::size_t i);

// style: a class of the page's style.
std::string vertical(const Axis& axis, bool at_left, const char* style, const char* name);
std::string horizontal(std::size_t epochs);
std::string frame();

// The path through the values of these epochs of so many; broken where there is none.
std::string path(std::size_t count, const std::vector<std::size_t>& shown,
                 const std::function<double(std::size_t)>& value, const Axis& axis);

}  // namespace sluice::apps::report
