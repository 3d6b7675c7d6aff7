// The kernels in AVX-512: 16 virtual lanes are one register.
#include <immintrin.h>

#include <sluice/stages/kernels/levels.hpp>

namespace {

struct Native {
  static constexpr std::size_t ahead = 8;  // rows: forward of random rows was 3 % slower with 16, 11 % with 32
  // Of a prefetch: 3 is the first-level cache, 2 the second. The next batch's rows would push this one's out of the
  // first: 5 % of forward and gradient.
  static constexpr int upcoming_locality = 2;
  static constexpr std::size_t width = 16;
  // Blocking: up to 28 accumulators of the 32 registers. Converting pixels takes the multiply-adds' ports, so a
  // register of them meets as many classes as there can be.
  static constexpr std::size_t tile_classes = 14, gradient_classes = 14, panel_bytes = 32 * 1024;
  static constexpr std::size_t tile_rows(std::size_t classes) { return classes > 6 ? 2 : 4; }
  static constexpr std::size_t gradient_registers(std::size_t classes) { return tile_rows(classes); }

  __m512 v;
  using Factor = Native;  // of what is multiplied
  using Stored = float;   // what that is kept as, for many multiply-adds

  static Native zero() { return {_mm512_setzero_ps()}; }
  static Native broadcast(float x) { return {_mm512_set1_ps(x)}; }
  static Native load(const float* p) { return {_mm512_loadu_ps(p)}; }
  // g++ would load it from memory again for each use, which takes more of the loads' ports than there are.
  void keep() {
#ifndef __clang__
    asm("" : "+v"(v));
#endif
  }
  void store(float* p) const {
    _mm512_storeu_ps(p, v);
  }
  static Native pixels(const std::uint8_t* p) {
    return {_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))))};
  }
  static Native pixels(const float* p) {
    return load(p);
  }

  friend Native operator+(Native a, Native b) {
    return {_mm512_add_ps(a.v, b.v)};
  }
  friend Native operator-(Native a, Native b) {
    return {_mm512_sub_ps(a.v, b.v)};
  }
  friend Native operator*(Native a, Native b) {
    return {_mm512_mul_ps(a.v, b.v)};
  }
  friend Native operator/(Native a, Native b) {
    return {_mm512_div_ps(a.v, b.v)};
  }
  static Native sqrt(Native a) {
    return {_mm512_sqrt_ps(a.v)};
  }
  static Native fma(Native a, Native b, Native c) {
    return {_mm512_fmadd_ps(a.v, b.v, c.v)};
  }
  // a > b ? x : y
  static Native if_greater(Native a, Native b, Native x, Native y) {
    return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ), y.v, x.v)};
  }
  static Native larger(Native a, Native b) {
    return {_mm512_max_ps(a.v, b.v)};
  }
  // The bits of a plus those of b shifted left by 23: a x 2^n where n is in the lowest bits of b.
  static Native add_exponent(Native a, Native b) {
    return {_mm512_castsi512_ps(
        _mm512_add_epi32(_mm512_castps_si512(a.v), _mm512_slli_epi32(_mm512_castps_si512(b.v), 23)))};
  }
  // x = mantissa x 2^exponent, with the bits of the mantissa in [base, base + 2^23).
  static void split(Native x, std::uint32_t base, Native& mantissa, Native& exponent) {
    const __m512i first = _mm512_set1_epi32(static_cast<int>(base));
    const __m512i bits = _mm512_sub_epi32(_mm512_castps_si512(x.v), first);
    exponent.v = _mm512_cvtepi32_ps(_mm512_srai_epi32(bits, 23));
    mantissa.v = _mm512_castsi512_ps(_mm512_add_epi32(_mm512_and_si512(bits, _mm512_set1_epi32(0x7fffff)), first));
  }

  // out[i] = the sum of the 16 lanes at in + i x stride: lane l with l + 8, then with l + 4, l + 2, l + 1. Sixteen sums
  // share one transposition; the rows start in the order in which they come out as 0, 1, 2, ...
  static void sums(const float* in, std::size_t stride, float* out) {
    __m512 quads[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      const float* p = in + static_cast<std::size_t>(i) * stride;
      quads[i] = quarters(halves(_mm512_loadu_ps(p), _mm512_loadu_ps(p + 4 * stride)),
                          halves(_mm512_loadu_ps(p + 8 * stride), _mm512_loadu_ps(p + 12 * stride)));
    }
    _mm512_storeu_ps(out, singles(pairs(quads[0], quads[1]), pairs(quads[2], quads[3])));
  }

 private:
  // One shuffle and a blend, not two shuffles: those have a port of their own.
  static __m512 halves(__m512 a, __m512 b) {
    return _mm512_add_ps(_mm512_mask_blend_ps(0xff00, a, b), _mm512_shuffle_f32x4(a, b, 0x4e));
  }
  static __m512 quarters(__m512 a, __m512 b) {
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
  }
  static __m512 pairs(__m512 a, __m512 b) {
    const __m512d x = _mm512_castps_pd(a), y = _mm512_castps_pd(b);
    return _mm512_add_ps(_mm512_castpd_ps(_mm512_mask_blend_pd(0xaa, x, y)),
                         _mm512_castpd_ps(_mm512_shuffle_pd(x, y, 0x55)));
  }
  static __m512 singles(__m512 a, __m512 b) {
    return _mm512_add_ps(_mm512_shuffle_ps(a, b, 0x88), _mm512_shuffle_ps(a, b, 0xdd));
  }
};

}  // namespace

#include <sluice/stages/kernels/source.inl>

const sluice::kernels::Table& sluice::kernels::level_v4() {
  static constexpr Table table = table_of("x86-64-v4");
  return table;
}
