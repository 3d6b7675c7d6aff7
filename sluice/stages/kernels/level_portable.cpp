// The kernels in plain C++ for any processor: 16 virtual lanes are a loop. It promises the bits of the other levels,
// not their speed: without a fused multiply-add in hardware every one of them is a library call.
#include <math.h>
#include <string.h>

#include <sluice/stages/kernels/levels.hpp>

namespace {

struct Native {
  static constexpr std::size_t ahead = 8;      // rows
  static constexpr int upcoming_locality = 3;  // of a prefetch: 3 is the first-level cache, 2 the second
  static constexpr std::size_t width = 16;
  static constexpr std::size_t tile_classes = 1, gradient_classes = 1, panel_bytes = 16 * 1024;
  static constexpr std::size_t tile_rows(std::size_t) { return 1; }
  static constexpr std::size_t gradient_registers(std::size_t) { return 1; }

  float v[16];
  using Factor = Native;  // of what is multiplied
  using Stored = float;   // what that is kept as, for many multiply-adds

  static Native zero() { return broadcast(0); }
  static Native broadcast(float x) {
    return each([=](int) { return x; });
  }
  static Native load(const float* p) {
    return each([=](int i) { return p[i]; });
  }
  void keep() {}
  void store(float* p) const { memcpy(p, v, sizeof v); }
  static Native pixels(const std::uint8_t* p) {
    return each([=](int i) { return static_cast<float>(p[i]); });
  }
  static Native pixels(const float* p) { return load(p); }

  friend Native operator+(const Native& a, const Native& b) {
    return each([&](int i) { return a.v[i] + b.v[i]; });
  }
  friend Native operator-(const Native& a, const Native& b) {
    return each([&](int i) { return a.v[i] - b.v[i]; });
  }
  friend Native operator*(const Native& a, const Native& b) {
    return each([&](int i) { return a.v[i] * b.v[i]; });
  }
  friend Native operator/(const Native& a, const Native& b) {
    return each([&](int i) { return a.v[i] / b.v[i]; });
  }
  static Native sqrt(const Native& a) {
    return each([&](int i) { return ::sqrtf(a.v[i]); });
  }
  static Native fma(const Native& a, const Native& b, const Native& c) {
    return each([&](int i) { return ::fmaf(a.v[i], b.v[i], c.v[i]); });
  }
  // a > b ? x : y
  static Native if_greater(const Native& a, const Native& b, const Native& x, const Native& y) {
    return each([&](int i) { return a.v[i] > b.v[i] ? x.v[i] : y.v[i]; });
  }
  static Native larger(const Native& a, const Native& b) { return if_greater(a, b, a, b); }
  // The bits of a plus those of b shifted left by 23: a x 2^n where n is in the lowest bits of b.
  static Native add_exponent(const Native& a, const Native& b) {
    return each([&](int i) { return value(bits(a.v[i]) + (bits(b.v[i]) << 23)); });
  }
  // x = mantissa x 2^exponent, with the bits of the mantissa in [base, base + 2^23).
  static void split(const Native& x, std::uint32_t base, Native& mantissa, Native& exponent) {
    for (int i = 0; i < 16; i++) {
      const std::uint32_t above = bits(x.v[i]) - base;
      exponent.v[i] = static_cast<float>(static_cast<std::int32_t>(above) >> 23);
      mantissa.v[i] = value((above & 0x7fffff) + base);
    }
  }

  // out[i] = the sum of the 16 lanes at in + i x stride: lane l with l + 8, then with l + 4, l + 2, l + 1.
  static void sums(const float* in, std::size_t stride, float* out) {
    for (int i = 0; i < 16; i++, in += stride) {
      float lanes[16];
      memcpy(lanes, in, sizeof lanes);
      for (int half = 8; half > 0; half /= 2)
        for (int l = 0; l < half; l++) lanes[l] += lanes[l + half];
      out[i] = lanes[0];
    }
  }

 private:
  template <class F>
  static Native each(F f) {
    Native out;
    for (int i = 0; i < 16; i++) out.v[i] = f(i);
    return out;
  }
  static std::uint32_t bits(float x) {
    std::uint32_t out;
    memcpy(&out, &x, sizeof out);
    return out;
  }
  static float value(std::uint32_t x) {
    float out;
    memcpy(&out, &x, sizeof out);
    return out;
  }
};

}  // namespace

#include <sluice/stages/kernels/source.inl>

const sluice::kernels::Table& sluice::kernels::level_portable() {
  static constexpr Table table = table_of("portable");
  return table;
}
