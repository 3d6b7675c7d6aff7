#include <sluice/stages/power.hpp>

#include <gtest/gtest.h>

#include <cmath>

namespace sluice::stages::testing {
namespace {

TEST(Power, IsTheProductOfSoManyFactors) {
  EXPECT_EQ(power(0.9, 0), 1);
  EXPECT_EQ(power(0.9, 1), 0.9);
  EXPECT_EQ(power(0.5, 60), 0x1p-60);
  EXPECT_EQ(power(3, 5), 243);
  EXPECT_EQ(power(0, 7), 0);
  for (std::uint64_t n = 1; n < 20'000; n += 7)
    EXPECT_NEAR(power(0.999, n), std::pow(0.999, static_cast<double>(n)), 1e-13);
  EXPECT_EQ(power(0.999, std::uint64_t{1} << 60), 0);
}

}  // namespace
}  // namespace sluice::stages::testing
