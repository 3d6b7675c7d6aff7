// Whole powers, the same bits on every machine: pow() of the standard library is not.
//
// base, exponent -> base^exponent, float64, by repeated squaring. A pure function. Errors: none.
//
//   power(0.5, 3)   // 0.125
#pragma once

#include <cstdint>

namespace sluice::stages {

double power(double base, std::uint64_t exponent);

}  // namespace sluice::stages
