// Every multiply-add of every level is rounded once, as std::fma is. The x86-64 level has no instruction for it; the
// others show that the cases are right.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "tests/stages/example.hpp"

namespace sluice::stages::testing {
namespace {

struct Triple {
  float a, b, c;
};

class Triples {
 public:
  explicit Triples(std::uint64_t seed) : numbers_(seed) {}

  // Exponents near each other, and few bits: half of the sums lie just between two floats, or next to it.
  Triple of_few_bits(bool byte) {
    const int about = exponent();
    const float a = byte ? static_cast<float>(numbers_.whole(256)) : of_bits(1 + whole(24), 0);
    return {a, of_bits(1 + whole(24), about), of_bits(1 + whole(24), about + whole(40) - 8)};
  }
  // The product is a little more or less than half of c's last place: too little for a double to have it in the sum.
  Triple next_to_the_middle(bool byte) {
    for (;;) {
      const int bits = byte ? 31 : 47, most = byte ? 4 : 1 << 18;
      const double a = byte ? static_cast<double>(129 + whole(127)) : std::ldexp(1 + numbers_.between(0, 1), 23);
      const double b = std::round(std::ldexp(1.0, bits) / a), rest = a * b - std::ldexp(1.0, bits);
      if (rest == 0 || std::abs(rest) > most || b >= 0x1p24) continue;
      // Where the sum is denormal, too: its last place is 2^-149.
      const int scale = whole(4) == 0 ? -150 - bits : exponent() - bits, of_a = byte ? 0 : -whole(60) - 12;
      const float last = std::ldexp(static_cast<float>(whole(1 << 23) + (whole(2) << 23)), scale + bits + 1);
      return {std::ldexp(static_cast<float>(a), of_a),
              signed_by_chance(std::ldexp(static_cast<float>(b), scale - of_a)), signed_by_chance(last)};
    }
  }
  Triple of_any_bits(bool byte) { return {byte ? static_cast<float>(numbers_.whole(256)) : any(), any(), any()}; }
  Triple next(bool byte) {
    const int kind = whole(8);
    return kind < 3 ? of_few_bits(byte) : kind < 7 ? next_to_the_middle(byte) : of_any_bits(byte);
  }

 private:
  int whole(int below) { return static_cast<int>(numbers_.whole(static_cast<std::uint32_t>(below))); }
  int exponent() { return whole(8) == 0 ? whole(260) - 150 : whole(20) - 10; }
  float signed_by_chance(float x) { return whole(2) ? x : -x; }
  float of_bits(int bits, int exponent_of_it) {
    const int n = whole(1 << (bits - 1)) | 1 << (bits - 1);
    return signed_by_chance(std::ldexp(static_cast<float>(n), exponent_of_it - bits));
  }
  // Infinite ones, denormal ones and what is no number, too.
  float any() {
    const std::uint32_t bits = static_cast<std::uint32_t>(numbers_.whole(1u << 16) << 16 | numbers_.whole(1u << 16));
    float x;
    std::memcpy(&x, &bits, sizeof x);
    return x;
  }

  Numbers numbers_;
};

::testing::AssertionResult is_fma(float got, const Triple& t) {
  const float expected = std::fma(t.a, t.b, t.c);
  if (std::isnan(expected) ? std::isnan(got) : std::memcmp(&got, &expected, sizeof got) == 0)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << std::hexfloat << t.a << " * " << t.b << " + " << t.c << " is " << expected
                                       << ", not " << got;
}

// The gradient of two rows: a pixel of the first is 1, and its delta c.
template <class P>
void expect_fused_gradients(const kernels::Table& table, Pixel type) {
  constexpr std::size_t pixels = 16, classes = 10;
  Triples triples(7);
  for (int turn = 0; turn < 6000; turn++) {
    std::vector<P> one(pixels, P{1}), row(pixels);
    std::vector<float> delta(kernels::delta_size(2, classes)), out(kernels::gradient_size(pixels, classes));
    std::vector<Triple> all;
    for (std::size_t k = 0; k < pixels; k++) {
      all.push_back(triples.next(type == Pixel::uint8));
      row[k] = static_cast<P>(all[k].a);
      if (k < classes) delta[k * 16] = all[k].c, delta[k * 16 + 1] = all[k].b;
    }
    const std::uint8_t* const rows[] = {reinterpret_cast<const std::uint8_t*>(one.data()),
                                        reinterpret_cast<const std::uint8_t*>(row.data())};
    table.gradient_block({.rows = rows,
                          .type = type,
                          .count = 2,
                          .first_pixel = 0,
                          .pixels = pixels,
                          .classes = classes,
                          .bias = false,
                          .delta = delta.data(),
                          .merge = nullptr,
                          .merges = 0,
                          .out = out.data(),
                          .upcoming = nullptr,
                          .upcoming_count = 0});
    for (std::size_t k = 0; k < classes; k++)
      for (std::size_t p = 0; p < pixels; p++) {
        const Triple t{all[p].a, all[k].b, std::fma(1.f, all[k].c, 0.f)};
        ASSERT_TRUE(is_fma(out[kernels::packed_index(p, k, classes)], t)) << table.name << " turn " << turn;
      }
  }
}

TEST(MultiplyAdd, IsRoundedOnceOfBytes) {
  for (const kernels::Table* table : kernels::available()) expect_fused_gradients<std::uint8_t>(*table, Pixel::uint8);
}

TEST(MultiplyAdd, IsRoundedOnceOfFloats) {
  for (const kernels::Table* table : kernels::available()) expect_fused_gradients<float>(*table, Pixel::float32);
}

TEST(MultiplyAdd, IsRoundedOnceOfWhatIsNoFactorOfMany) {
  for (const kernels::Table* table : kernels::available()) {
    Triples triples(11);
    for (std::size_t turn = 0; turn < 20000; turn++) {
      const float b = triples.next(false).b;
      std::vector<float> a(8), c(8), out(8);
      for (std::size_t i = 0; i < 8; i++) {
        const Triple t = triples.next(false);
        a[i] = t.a, c[i] = t.c;
      }
      const Triple crafted = triples.next_to_the_middle(false);
      a[turn % 8] = crafted.a, c[turn % 8] = crafted.c;
      const float of_all = turn % 2 ? crafted.b : b;
      table->update(out.data(), c.data(), a.data(), -of_all, 8);
      for (std::size_t i = 0; i < 8; i++) ASSERT_TRUE(is_fma(out[i], {a[i], of_all, c[i]})) << table->name;
    }
  }
}

// Without cases that a rounding to 53 bits first would get wrong the tests above would show nothing.
TEST(MultiplyAdd, ManyCasesAreWrongWhenRoundedTwice) {
  for (const bool byte : {true, false}) {
    Triples triples(7);
    int wrong = 0;
    for (int i = 0; i < 10000; i++) {
      const auto [a, b, c] = triples.next(byte);
      const float twice = static_cast<float>(static_cast<double>(a) * static_cast<double>(b) + static_cast<double>(c));
      wrong += !is_fma(twice, {a, b, c});
    }
    EXPECT_GT(wrong, 500) << (byte ? "bytes" : "floats");
  }
}

}  // namespace
}  // namespace sluice::stages::testing
