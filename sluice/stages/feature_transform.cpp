#include <sluice/stages/feature_transform.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <type_traits>

namespace sluice::stages {
namespace {

void check(const std::vector<float>& values, std::size_t features, const char* what) {
  if (values.empty() || values.size() == features) return;
  throw std::invalid_argument(fmt::format("{} of {} features, expected {}", what, values.size(), features));
}

template <class T>
void transform(const FeatureTransform& t, const T* row, std::size_t features, float* out) {
  for (std::size_t i = 0; i < features; ++i) out[i] = static_cast<float>(row[i]);
  if (!t.fill.empty())
    for (std::size_t i = 0; i < features; ++i)
      if (std::isnan(out[i])) out[i] = t.fill[i];
  if (!t.mean.empty())
    for (std::size_t i = 0; i < features; ++i) {
      const float shifted = out[i] - t.mean[i];
      out[i] = t.deviation[i] > 0 ? shifted / t.deviation[i] : shifted;
    }
}

}  // namespace

Moments::Moments(std::size_t features, std::size_t first) : first_(first), mean_(features), squares_(features) {}

void Moments::add(const std::uint8_t* row, Pixel type) {
  if (type == Pixel::uint8)
    add(row + first_);
  else
    add(reinterpret_cast<const float*>(row) + first_);
}

template <class T>
void Moments::add(const T* values) {
  if constexpr (std::is_floating_point_v<T>)
    if (!missing_.empty() || std::any_of(values, values + features(), [](T v) { return std::isnan(v); }))
      return add_those_there(values);
  const double one_of = 1 / static_cast<double>(++rows_);
  for (std::size_t i = 0; i < mean_.size(); ++i) {
    const auto value = static_cast<double>(values[i]), delta = value - mean_[i];
    mean_[i] += delta * one_of;
    squares_[i] += delta * (value - mean_[i]);
  }
}

template <class T>
void Moments::add_those_there(const T* values) {
  ++rows_;
  missing_.resize(features());
  for (std::size_t i = 0; i < mean_.size(); ++i) {
    const auto value = static_cast<double>(values[i]);
    if (std::isnan(value)) {
      ++missing_[i];
      continue;
    }
    const double delta = value - mean_[i];
    mean_[i] += delta * (1 / static_cast<double>(rows_ - missing_[i]));
    squares_[i] += delta * (value - mean_[i]);
  }
}

std::vector<float> Moments::means() const {
  return {mean_.begin(), mean_.end()};
}

std::vector<float> Moments::deviations() const {
  std::vector<float> all;
  for (std::size_t i = 0; i < mean_.size(); ++i)
    all.push_back(rows_ > 0 ? static_cast<float>(std::sqrt(squares_[i] / static_cast<double>(rows_))) : 0);
  return all;
}

std::size_t FeatureTransform::constant_features() const {
  return static_cast<std::size_t>(std::count(deviation.begin(), deviation.end(), 0.f));
}

void FeatureTransform::operator()(const std::uint8_t* row, Pixel type, std::size_t features, float* out) const {
  check(fill, features, "values for what is missing");
  check(mean, features, "means");
  check(deviation, features, "deviations");
  if (type == Pixel::uint8)
    transform(*this, row, features, out);
  else
    transform(*this, reinterpret_cast<const float*>(row), features, out);
}

}  // namespace sluice::stages
