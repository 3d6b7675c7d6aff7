// The kernels in 64-bit Arm's Advanced SIMD, which every such processor has: 16 virtual lanes are four registers.
#include <arm_neon.h>
#include <string.h>

#include <sluice/stages/kernels/levels.hpp>

namespace {

struct Native {
  static constexpr std::size_t ahead = 8;      // rows
  static constexpr int upcoming_locality = 3;  // of a prefetch: 3 is the first-level cache, 2 the second
  static constexpr std::size_t width = 4;
  // Blocking: 20 accumulators of the 32 registers; 4 x 5 has fewer multiply-adds among its instructions, 2 x 12 and
  // 8 x 3 do not fit.
  static constexpr std::size_t tile_classes = 10, gradient_classes = 10, panel_bytes = 16 * 1024;
  static constexpr std::size_t tile_rows(std::size_t classes) { return classes > 5 ? 2 : 4; }
  static constexpr std::size_t gradient_registers(std::size_t classes) { return tile_rows(classes); }

  float32x4_t v;
  using Factor = Native;  // of what is multiplied
  using Stored = float;   // what that is kept as, for many multiply-adds

  static Native zero() { return {vdupq_n_f32(0)}; }
  static Native broadcast(float x) { return {vdupq_n_f32(x)}; }
  static Native load(const float* p) { return {vld1q_f32(p)}; }
  void keep() {}
  void store(float* p) const { vst1q_f32(p, v); }
  // Four bytes, each to the lowest of a lane of its own, as a table that they are looked up in.
  static Native pixels(const std::uint8_t* p) {
    std::uint32_t four;
    memcpy(&four, p, sizeof four);
    const uint8x16_t bytes = vreinterpretq_u8_u32(vdupq_n_u32(four));
    const uint8x16_t places = {0, 255, 255, 255, 1, 255, 255, 255, 2, 255, 255, 255, 3, 255, 255, 255};
    return {vcvtq_f32_u32(vreinterpretq_u32_u8(vqtbl1q_u8(bytes, places)))};
  }
  static Native pixels(const float* p) { return load(p); }

  friend Native operator+(Native a, Native b) { return {vaddq_f32(a.v, b.v)}; }
  friend Native operator-(Native a, Native b) { return {vsubq_f32(a.v, b.v)}; }
  friend Native operator*(Native a, Native b) { return {vmulq_f32(a.v, b.v)}; }
  friend Native operator/(Native a, Native b) { return {vdivq_f32(a.v, b.v)}; }
  static Native sqrt(Native a) { return {vsqrtq_f32(a.v)}; }
  static Native fma(Native a, Native b, Native c) { return {vfmaq_f32(c.v, a.v, b.v)}; }
  // a > b ? x : y
  static Native if_greater(Native a, Native b, Native x, Native y) {
    return {vbslq_f32(vcgtq_f32(a.v, b.v), x.v, y.v)};
  }
  // Not the instruction for the larger one, to which what is no number is the largest.
  static Native larger(Native a, Native b) { return if_greater(a, b, a, b); }
  // The bits of a plus those of b shifted left by 23: a x 2^n where n is in the lowest bits of b.
  static Native add_exponent(Native a, Native b) {
    return {vreinterpretq_f32_u32(vaddq_u32(vreinterpretq_u32_f32(a.v), vshlq_n_u32(vreinterpretq_u32_f32(b.v), 23)))};
  }
  // x = mantissa x 2^exponent, with the bits of the mantissa in [base, base + 2^23).
  static void split(Native x, std::uint32_t base, Native& mantissa, Native& exponent) {
    const uint32x4_t first = vdupq_n_u32(base), bits = vsubq_u32(vreinterpretq_u32_f32(x.v), first);
    exponent.v = vcvtq_f32_s32(vshrq_n_s32(vreinterpretq_s32_u32(bits), 23));
    mantissa.v = vreinterpretq_f32_u32(vaddq_u32(vandq_u32(bits, vdupq_n_u32(0x7fffff)), first));
  }

  // out[i] = the sum of the 16 lanes at in + i x stride: lane l with l + 8, then with l + 4, l + 2, l + 1. Four sums
  // share one transposition.
  static void sums(const float* in, std::size_t stride, float* out) {
    for (int i = 0; i < 4; i++, in += 4 * stride, out += 4) {
      const float32x4_t ab = pairs(quarters(in), quarters(in + stride));
      const float32x4_t cd = pairs(quarters(in + 2 * stride), quarters(in + 3 * stride));
      vst1q_f32(out, vaddq_f32(vuzp1q_f32(ab, cd), vuzp2q_f32(ab, cd)));
    }
  }

 private:
  static float32x4_t quarters(const float* p) {
    return vaddq_f32(vaddq_f32(vld1q_f32(p), vld1q_f32(p + 8)), vaddq_f32(vld1q_f32(p + 4), vld1q_f32(p + 12)));
  }
  static float32x4_t pairs(float32x4_t a, float32x4_t b) {
    const float64x2_t x = vreinterpretq_f64_f32(a), y = vreinterpretq_f64_f32(b);
    return vaddq_f32(vreinterpretq_f32_f64(vzip1q_f64(x, y)), vreinterpretq_f32_f64(vzip2q_f64(x, y)));
  }
};

}  // namespace

#include <sluice/stages/kernels/source.inl>

const sluice::kernels::Table& sluice::kernels::level_neon() {
  static constexpr Table table = table_of("neon");
  return table;
}
