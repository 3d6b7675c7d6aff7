// One run of the loop, included by each peak_v*.cpp after SLUICE_PEAK_BYTES, the size of a register, and
// SLUICE_PEAK_NAME.
#include <cstddef>

namespace sluice::bench {

std::size_t SLUICE_PEAK_NAME(std::size_t turns, float* sink) {
  using Vector __attribute__((vector_size(SLUICE_PEAK_BYTES))) = float;
  constexpr std::size_t chains = 12;
  const Vector zero = {}, a = zero + 0.5f, b = zero + 1.f;
  Vector sums[chains];  // in registers: every loop over them is unrolled
#pragma GCC unroll 12
  for (std::size_t c = 0; c < chains; ++c) sums[c] = zero;
  for (std::size_t turn = 0; turn < turns; ++turn) {
#pragma GCC unroll 12
    for (std::size_t c = 0; c < chains; ++c) {
      sums[c] = sums[c] * a + b;
      asm volatile("" : "+x"(sums[c]));  // every one of them is computed
    }
  }
#pragma GCC unroll 12
  for (std::size_t c = 0; c < chains; ++c) *sink += sums[c][0];
  return turns * chains * (SLUICE_PEAK_BYTES / sizeof(float));
}

}  // namespace sluice::bench
