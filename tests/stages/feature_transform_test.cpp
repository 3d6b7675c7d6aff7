#include <sluice/stages/feature_transform.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/files.hpp"

namespace sluice::stages {
namespace {

using Floats = std::vector<float>;

constexpr float missing = std::numeric_limits<float>::quiet_NaN();

const std::uint8_t* bytes_of(const Floats& row) {
  return reinterpret_cast<const std::uint8_t*>(row.data());
}

Moments moments_of(const std::vector<Floats>& rows, std::size_t features, std::size_t first = 0) {
  Moments moments(features, first);
  for (const Floats& row : rows) moments.add(bytes_of(row), Pixel::float32);
  return moments;
}

// As StandardScaler of scikit-learn 1.2 has them: mean_ [2, 10, 0.5], scale_ [0.81649658, 0, 0.40824829].
TEST(Moments, AreMeanAndDeviationOfEachFeature) {
  const std::vector<Floats> rows{{1, 10, 0}, {2, 10, 0.5f}, {3, 10, 1}};
  const Moments moments = moments_of(rows, 3);
  EXPECT_EQ(moments.means(), (Floats{2, 10, 0.5f}));
  const Floats deviations = moments.deviations();
  EXPECT_FLOAT_EQ(deviations[0], 0.81649658f);
  EXPECT_EQ(deviations[1], 0);
  EXPECT_FLOAT_EQ(deviations[2], 0.40824829f);
  EXPECT_EQ(moments_of(rows, 1, 2).means(), Floats{0.5f});
  EXPECT_EQ(moments_of({}, 2).means(), (Floats{0, 0}));
  EXPECT_EQ(moments_of({}, 2).deviations(), (Floats{0, 0}));
}

// Sums of squares would lose every digit of it.
TEST(Moments, OfLargeValuesThatDifferLittleKeepTheirDigits) {
  Moments moments(1);
  for (int i = 0; i < 3000; ++i) {
    const Floats row{16'000'000 + static_cast<float>(i % 3)};
    moments.add(bytes_of(row), Pixel::float32);
  }
  EXPECT_EQ(moments.means(), Floats{16'000'001});
  EXPECT_NEAR(moments.deviations()[0], std::sqrt(2.0 / 3), 1e-6);
}

// As if the mean stood there: 1, 2 and 3.
TEST(Moments, TakeWhatIsMissingForTheMean) {
  const Moments moments = moments_of({{1, missing}, {missing, missing}, {3, missing}}, 2);
  EXPECT_EQ(moments.means(), (Floats{2, 0}));
  EXPECT_FLOAT_EQ(moments.deviations()[0], 0.81649658f);
  EXPECT_EQ(moments.deviations()[1], 0);
  EXPECT_TRUE(moments.has_values(0));
  EXPECT_FALSE(moments.has_values(1));
}

TEST(Moments, OfBytesAreThoseOfTheSameFloats) {
  Moments of_bytes(3), of_floats(3);
  for (unsigned i = 0; i < 1000; ++i) {
    const std::vector<std::uint8_t> row{static_cast<std::uint8_t>(i * 7), static_cast<std::uint8_t>(i * i), 3};
    const Floats same(row.begin(), row.end());
    of_bytes.add(row.data(), Pixel::uint8);
    of_floats.add(bytes_of(same), Pixel::float32);
  }
  EXPECT_EQ(of_bytes.means(), of_floats.means());
  EXPECT_EQ(of_bytes.deviations(), of_floats.deviations());
}

Floats transformed(const FeatureTransform& transform, const Floats& row) {
  Floats out(row.size());
  transform(bytes_of(row), Pixel::float32, row.size(), out.data());
  return out;
}

TEST(FeatureTransform, ShiftsAndScalesAndFills) {
  EXPECT_TRUE(FeatureTransform{}.empty());
  EXPECT_EQ(transformed({}, {1, 2}), (Floats{1, 2}));
  const FeatureTransform all{.fill = {7, 8, 9}, .mean = {1, 2, 3}, .deviation = {2, 0, 4}};
  EXPECT_EQ(transformed(all, {5, 5, 5}), (Floats{2, 3, 0.5f}));
  EXPECT_EQ(transformed(all, {missing, missing, missing}), (Floats{3, 6, 1.5f}));
  EXPECT_EQ(all.constant_features(), 1u);
  EXPECT_EQ(transformed({.fill = {7, 8}}, {missing, 1}), (Floats{7, 1}));
  EXPECT_FALSE((FeatureTransform{.fill = {7}}.empty()));
  const std::uint8_t row[] = {5, 5, 5};
  Floats out(3);
  all(row, Pixel::uint8, 3, out.data());
  EXPECT_EQ(out, (Floats{2, 3, 0.5f}));
  test::expect_error<std::invalid_argument>([&] { transformed(all, {1, 2}); }, {"of 3 features, expected 2"});
}

}  // namespace
}  // namespace sluice::stages
