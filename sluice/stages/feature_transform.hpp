// What is done to each feature (a pixel, a column of a table) before it meets the weights: a value that is missing gets
// one, and all are shifted and scaled to mean 0 and deviation 1.
//
// Moments: rows, in order -> mean and deviation of each feature; a value that is missing counts as the mean.
// FeatureTransform: a row of uint8 or float32 -> a row of float32,
//   x = (v - mean) / deviation,   where a v that is missing (not a number) is `fill`
// A feature whose values are all the same has deviation 0 and is only shifted. Rows of both types give the same bits.
// Order and thread-safety: Moments one row at a time, and the order of the rows is part of the result; a transform is
// read-only. Errors: std::invalid_argument for vectors of another length than the row.
//
//   Moments moments(784);
//   for (...) moments.add(row, Pixel::uint8);
//   const FeatureTransform transform{.mean = moments.means(), .deviation = moments.deviations()};
//
// Source: B. P. Welford, "Note on a method for calculating corrected sums of squares and products", 1962, in double;
// the deviation is that of the rows themselves (divided by n), as scikit-learn's StandardScaler has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <sluice/stages/kernels/table.hpp>

namespace sluice::stages {

using kernels::Pixel;

class Moments {
 public:
  // Of so many features, of rows that have `first` others before them.
  explicit Moments(std::size_t features = 0, std::size_t first = 0);
  void add(const std::uint8_t* row, Pixel type);

  std::vector<float> means() const;       // 0 where no value is there
  std::vector<float> deviations() const;  // at least 0
  std::size_t features() const { return mean_.size(); }
  bool has_values(std::size_t feature) const { return there(feature) > 0; }

 private:
  template <class T>
  void add(const T* values);
  template <class T>
  void add_those_there(const T* values);
  std::uint64_t there(std::size_t feature) const { return rows_ - (missing_.empty() ? 0 : missing_[feature]); }

  std::size_t first_;
  std::uint64_t rows_ = 0;
  std::vector<std::uint64_t> missing_{};  // values; none: of no feature
  std::vector<double> mean_, squares_;
};

struct FeatureTransform {
  std::vector<float> fill{};               // empty: nothing is missing
  std::vector<float> mean{}, deviation{};  // empty: neither shifted nor scaled

  bool empty() const { return fill.empty() && mean.empty(); }
  std::size_t constant_features() const;
  void operator()(const std::uint8_t* row, Pixel type, std::size_t features, float* out) const;
  friend bool operator==(const FeatureTransform&, const FeatureTransform&) = default;
};

}  // namespace sluice::stages
