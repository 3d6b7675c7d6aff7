// The kernels in SSE2, for every x86-64: 16 virtual lanes are four registers. Where AVX2 or FMA is missing, the fused
// multiply-add is made of double precision, with the bits of the instruction for all operands but which NaN comes out.
#include <emmintrin.h>
#include <string.h>

#include <sluice/stages/kernels/levels.hpp>

namespace {

struct Native {
  static constexpr std::size_t ahead = 8;      // rows
  static constexpr int upcoming_locality = 3;  // of a prefetch: 3 is the first-level cache, 2 the second
  static constexpr std::size_t width = 4;
  // Blocking: what a multiply-add does takes six registers of the 16.
  static constexpr std::size_t tile_classes = 10, gradient_classes = 10, panel_bytes = 16 * 1024;
  static constexpr std::size_t tile_rows(std::size_t classes) { return classes > 5 ? 1 : 2; }
  static constexpr std::size_t gradient_registers(std::size_t classes) { return tile_rows(classes); }

  // What is multiplied, in double precision: made once for many multiply-adds.
  struct Factor {
    Factor() = default;
    Factor(Native x) : low(low_of(x.v)), high(high_of(x.v)) {}
    Factor(__m128d of_low, __m128d of_high) : low(of_low), high(of_high) {}
    static Factor load(const double* p) { return {_mm_load_pd(p), _mm_load_pd(p + 2)}; }
    void store(double* p) const { _mm_store_pd(p, low), _mm_store_pd(p + 2, high); }
    void keep() {}
    __m128d low, high;
  };
  using Stored = double;
  // A factor of whole numbers.
  struct Bytes : Factor {
    using Factor::Factor;
  };

  __m128 v;

  static Native zero() { return {_mm_setzero_ps()}; }
  static Native broadcast(float x) { return {_mm_set1_ps(x)}; }
  static Native load(const float* p) { return {_mm_loadu_ps(p)}; }
  void keep() {}
  void store(float* p) const { _mm_storeu_ps(p, v); }
  static Bytes pixels(const std::uint8_t* p);
  static Native pixels(const float* p) { return load(p); }

  friend Native operator+(Native a, Native b) { return {_mm_add_ps(a.v, b.v)}; }
  friend Native operator-(Native a, Native b) { return {_mm_sub_ps(a.v, b.v)}; }
  friend Native operator*(Native a, Native b) { return {_mm_mul_ps(a.v, b.v)}; }
  friend Native operator/(Native a, Native b) { return {_mm_div_ps(a.v, b.v)}; }
  static Native sqrt(Native a) { return {_mm_sqrt_ps(a.v)}; }

  static Native fma(Native a, Native b, Native c) { return fma<true>({a}, {b}, c); }
  static Native fma(Native a, Factor b, Native c) { return fma<true>({a}, b, c); }
  static Native fma(Bytes a, Factor b, Native c) { return fma<false>(a, b, c); }
  // a > b ? x : y
  static Native if_greater(Native a, Native b, Native x, Native y) {
    const __m128 greater = _mm_cmpgt_ps(a.v, b.v);
    return {_mm_or_ps(_mm_and_ps(greater, x.v), _mm_andnot_ps(greater, y.v))};
  }
  static Native larger(Native a, Native b) { return {_mm_max_ps(a.v, b.v)}; }
  // The bits of a plus those of b shifted left by 23: a x 2^n where n is in the lowest bits of b.
  static Native add_exponent(Native a, Native b) {
    return {_mm_castsi128_ps(_mm_add_epi32(_mm_castps_si128(a.v), _mm_slli_epi32(_mm_castps_si128(b.v), 23)))};
  }
  // x = mantissa x 2^exponent, with the bits of the mantissa in [base, base + 2^23).
  static void split(Native x, std::uint32_t base, Native& mantissa, Native& exponent) {
    const __m128i first = _mm_set1_epi32(static_cast<int>(base));
    const __m128i bits = _mm_sub_epi32(_mm_castps_si128(x.v), first);
    exponent.v = _mm_cvtepi32_ps(_mm_srai_epi32(bits, 23));
    mantissa.v = _mm_castsi128_ps(_mm_add_epi32(_mm_and_si128(bits, _mm_set1_epi32(0x7fffff)), first));
  }

  // out[i] = the sum of the 16 lanes at in + i x stride: lane l with l + 8, then with l + 4, l + 2, l + 1. Four sums
  // share one transposition.
  static void sums(const float* in, std::size_t stride, float* out) {
    for (int i = 0; i < 4; i++, in += 4 * stride, out += 4) {
      const __m128 ab = pairs(quarters(in), quarters(in + stride));
      const __m128 cd = pairs(quarters(in + 2 * stride), quarters(in + 3 * stride));
      _mm_storeu_ps(out, _mm_add_ps(_mm_shuffle_ps(ab, cd, 0x88), _mm_shuffle_ps(ab, cd, 0xdd)));
    }
  }

 private:
  // In double precision a x b is exact, and the sum has 53 bits. To round it to the 24 of a float makes the right ones
  // unless it was rounded to just between two floats, and its last 29 bits are 1000...: that is done with care. Where
  // floats are denormal it is other bits: so is whatever is smaller than the smallest normal float. Of bytes that needs
  // no care: every float is a multiple of the smallest one, and so is the sum.
  template <bool small_too>
  static Native fma(const Factor& a, const Factor& b, Native c) {
    const __m128d low = _mm_add_pd(_mm_mul_pd(a.low, b.low), low_of(c.v));
    const __m128d high = _mm_add_pd(_mm_mul_pd(a.high, b.high), high_of(c.v));
    const __m128i last = _mm_castps_si128(_mm_shuffle_ps(_mm_castpd_ps(low), _mm_castpd_ps(high), 0x88));
    __m128i doubtful = _mm_cmpeq_epi32(_mm_slli_epi32(last, 3), _mm_set1_epi32(INT32_MIN));
    if constexpr (small_too) {
      // The first bits without their sign, and less one, so that zero is the largest; 0x38100000 are those of 2^-126.
      const __m128i first = _mm_castps_si128(_mm_shuffle_ps(_mm_castpd_ps(low), _mm_castpd_ps(high), 0xdd));
      const __m128i size = _mm_add_epi32(_mm_add_epi32(first, first), _mm_set1_epi32(INT32_MAX));
      doubtful = _mm_or_si128(doubtful, _mm_cmpgt_epi32(_mm_set1_epi32(INT32_MIN + 2 * 0x38100000 - 1), size));
    }
    if (__builtin_expect(_mm_movemask_ps(_mm_castsi128_ps(doubtful)) != 0, 0))
      return {careful_fma(a.low, a.high, b.low, b.high, c.v)};
    return {rounded(low, high)};
  }

  static __m128d low_of(__m128 x) { return _mm_cvtps_pd(x); }
  static __m128d high_of(__m128 x) { return _mm_cvtps_pd(_mm_movehl_ps(x, x)); }
  static __m128 rounded(__m128d low, __m128d high) { return _mm_movelh_ps(_mm_cvtpd_ps(low), _mm_cvtpd_ps(high)); }

  [[gnu::noinline, gnu::cold]] static __m128 careful_fma(__m128d a_low, __m128d a_high, __m128d b_low, __m128d b_high,
                                                         __m128 c) {
    return rounded(sum_to_odd(_mm_mul_pd(a_low, b_low), low_of(c)), sum_to_odd(_mm_mul_pd(a_high, b_high), high_of(c)));
  }
  // x + y, of which what does not fit is cut off, and says by a last bit of 1 that there was something: so a second
  // rounding, to at least two bits less, rounds as the first one would have.
  static __m128d sum_to_odd(__m128d x, __m128d y) {
    const __m128d sum = _mm_add_pd(x, y), of_y = _mm_sub_pd(sum, x);
    const __m128d error = _mm_add_pd(_mm_sub_pd(x, _mm_sub_pd(sum, of_y)), _mm_sub_pd(y, of_y));
    // Not what is no number, as of an infinite sum.
    const __m128d none = _mm_setzero_pd();
    const __m128i inexact = _mm_castpd_si128(_mm_or_pd(_mm_cmplt_pd(error, none), _mm_cmpgt_pd(error, none)));
    const __m128i signs = _mm_srai_epi32(_mm_castpd_si128(_mm_xor_pd(sum, error)), 31);
    const __m128i away = _mm_and_si128(inexact, _mm_shuffle_epi32(signs, 0xf5));  // from zero: by one, to be taken back
    const __m128i cut = _mm_add_epi64(_mm_castpd_si128(sum), away);
    return _mm_castsi128_pd(_mm_or_si128(cut, _mm_srli_epi64(inexact, 63)));
  }

  static __m128 quarters(const float* p) {
    return _mm_add_ps(_mm_add_ps(_mm_loadu_ps(p), _mm_loadu_ps(p + 8)),
                      _mm_add_ps(_mm_loadu_ps(p + 4), _mm_loadu_ps(p + 12)));
  }
  static __m128 pairs(__m128 a, __m128 b) { return _mm_add_ps(_mm_movelh_ps(a, b), _mm_movehl_ps(b, a)); }
};

Native::Bytes Native::pixels(const std::uint8_t* p) {
  int four;
  memcpy(&four, p, sizeof four);
  const __m128i none = _mm_setzero_si128();
  const __m128i bytes = _mm_unpacklo_epi16(_mm_unpacklo_epi8(_mm_cvtsi32_si128(four), none), none);
  return {_mm_cvtepi32_pd(bytes), _mm_cvtepi32_pd(_mm_unpackhi_epi64(bytes, bytes))};
}

}  // namespace

#include <sluice/stages/kernels/source.inl>

const sluice::kernels::Table& sluice::kernels::level_v1() {
  static constexpr Table table = table_of("x86-64");
  return table;
}
