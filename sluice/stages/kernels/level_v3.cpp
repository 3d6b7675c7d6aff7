// The kernels in AVX2: 16 virtual lanes are two registers.
#include <immintrin.h>

#include <sluice/stages/kernels/levels.hpp>

namespace {

struct Native {
  static constexpr std::size_t ahead = 8;      // rows
  static constexpr int upcoming_locality = 3;  // of a prefetch: 3 is the first-level cache, 2 the second
  static constexpr std::size_t width = 8;
  // Blocking: 10 accumulators of the 16 registers. Converting pixels is dear, so a register of them meets as many
  // classes as there are, and the other operands come from memory.
  static constexpr std::size_t tile_classes = 10, gradient_classes = 10, panel_bytes = 16 * 1024;
  static constexpr std::size_t tile_rows(std::size_t classes) { return classes > 5 ? 1 : classes > 2 ? 2 : 4; }
  static constexpr std::size_t gradient_registers(std::size_t classes) { return tile_rows(classes); }

  __m256 v;
  using Factor = Native;  // of what is multiplied
  using Stored = float;   // what that is kept as, for many multiply-adds

  static Native zero() { return {_mm256_setzero_ps()}; }
  static Native broadcast(float x) { return {_mm256_set1_ps(x)}; }
  static Native load(const float* p) { return {_mm256_loadu_ps(p)}; }
  void keep() {}
  void store(float* p) const { _mm256_storeu_ps(p, v); }
  // As the lowest bits of 2^23, which is then taken off: exact, and leaves the multiply-adds' pipes alone where the
  // conversion instruction does not (Zen 1: 8 % of a step).
  static Native pixels(const std::uint8_t* p) {
    const __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)));
    const __m256 above = _mm256_castsi256_ps(_mm256_or_si256(bytes, _mm256_set1_epi32(0x4b000000)));
    return {_mm256_sub_ps(above, _mm256_set1_ps(0x1p23f))};
  }
  static Native pixels(const float* p) { return load(p); }

  friend Native operator+(Native a, Native b) { return {_mm256_add_ps(a.v, b.v)}; }
  friend Native operator-(Native a, Native b) { return {_mm256_sub_ps(a.v, b.v)}; }
  friend Native operator*(Native a, Native b) { return {_mm256_mul_ps(a.v, b.v)}; }
  friend Native operator/(Native a, Native b) { return {_mm256_div_ps(a.v, b.v)}; }
  static Native sqrt(Native a) { return {_mm256_sqrt_ps(a.v)}; }
  static Native fma(Native a, Native b, Native c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
  // a > b ? x : y
  static Native if_greater(Native a, Native b, Native x, Native y) {
    return {_mm256_blendv_ps(y.v, x.v, _mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ))};
  }
  static Native larger(Native a, Native b) { return {_mm256_max_ps(a.v, b.v)}; }
  // The bits of a plus those of b shifted left by 23: a x 2^n where n is in the lowest bits of b.
  static Native add_exponent(Native a, Native b) {
    return {_mm256_castsi256_ps(
        _mm256_add_epi32(_mm256_castps_si256(a.v), _mm256_slli_epi32(_mm256_castps_si256(b.v), 23)))};
  }
  // x = mantissa x 2^exponent, with the bits of the mantissa in [base, base + 2^23).
  static void split(Native x, std::uint32_t base, Native& mantissa, Native& exponent) {
    const __m256i first = _mm256_set1_epi32(static_cast<int>(base));
    const __m256i bits = _mm256_sub_epi32(_mm256_castps_si256(x.v), first);
    exponent.v = _mm256_cvtepi32_ps(_mm256_srai_epi32(bits, 23));
    mantissa.v = _mm256_castsi256_ps(_mm256_add_epi32(_mm256_and_si256(bits, _mm256_set1_epi32(0x7fffff)), first));
  }

  // out[i] = the sum of the 16 lanes at in + i x stride: lane l with l + 8, then with l + 4, l + 2, l + 1. Eight sums
  // share one transposition; the rows start in the order in which they come out as 0, 1, 2, ...
  static void sums(const float* in, std::size_t stride, float* out) {
#pragma GCC unroll 2
    for (int i = 0; i < 2; i++, in += 8 * stride, out += 8) {
      const __m256 a = quarters(halves(in), halves(in + 4 * stride));
      const __m256 b = quarters(halves(in + stride), halves(in + 5 * stride));
      const __m256 c = quarters(halves(in + 2 * stride), halves(in + 6 * stride));
      const __m256 d = quarters(halves(in + 3 * stride), halves(in + 7 * stride));
      _mm256_storeu_ps(out, singles(pairs(a, b), pairs(c, d)));
    }
  }

 private:
  static __m256 halves(const float* p) {
    return _mm256_add_ps(_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8));
  }
  static __m256 quarters(__m256 a, __m256 b) {
    return _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
  }
  static __m256 pairs(__m256 a, __m256 b) {
    const __m256d x = _mm256_castps_pd(a), y = _mm256_castps_pd(b);
    return _mm256_add_ps(_mm256_castpd_ps(_mm256_unpacklo_pd(x, y)), _mm256_castpd_ps(_mm256_unpackhi_pd(x, y)));
  }
  static __m256 singles(__m256 a, __m256 b) {
    return _mm256_add_ps(_mm256_shuffle_ps(a, b, 0x88), _mm256_shuffle_ps(a, b, 0xdd));
  }
};

}  // namespace

#include <sluice/stages/kernels/source.inl>

const sluice::kernels::Table& sluice::kernels::level_v3() {
  static constexpr Table table = table_of("x86-64-v3");
  return table;
}
