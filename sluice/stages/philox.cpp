#include <sluice/stages/philox.hpp>

#include <algorithm>
#include <bit>
#include <cmath>

namespace sluice::stages {
namespace {

// log x for normal x > 0, by plain additions, multiplications and one division, each rounded alone:
// x = m 2^e with m in [sqrt(1/2), sqrt(2)), log m = 2 artanh((m - 1) / (m + 1)) as its power series.
double logarithm(double x) {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  auto exponent = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0x000fffffffffffff) | 0x3ff0000000000000);
  if (m > 1.4142135623730951) {
    m /= 2;
    ++exponent;
  }
  const double s = (m - 1) / (m + 1), s2 = s * s;  // |s| < 0.172: the 11th term is below 2^-53 of the first
  double sum = 0;
  for (int k = 21; k >= 1; k -= 2) sum = sum * s2 + 1.0 / k;
  return 2 * s * sum + exponent * 0.6931471805599453;
}

// Two words -> -1 .. 1, exclusive, in steps of 2^-52.
double symmetric(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (std::uint64_t{high} << 32 | low) >> 11;  // 53
  return (static_cast<double>(bits) + 0.5) * 0x1p-52 - 1;
}

}  // namespace

// Side by side in vector registers: the same steps as philox4x32_10.
void philox(const RandomStream& stream, std::uint64_t first, std::size_t blocks, std::uint32_t* words) {
  constexpr std::size_t wide = 32;  // g++ 12 unrolls a shorter loop instead of using vectors
  for (std::size_t done = 0; done < blocks; done += wide) {
    std::uint32_t c0[wide], c1[wide], c2[wide], c3[wide];
    for (std::size_t i = 0; i < wide; ++i) {
      const std::uint64_t index = first + done + i;
      c0[i] = static_cast<std::uint32_t>(index);
      c1[i] = static_cast<std::uint32_t>(index >> 32);
      c2[i] = stream.epoch;
      c3[i] = static_cast<std::uint32_t>(stream.purpose);
    }
    auto k0 = static_cast<std::uint32_t>(stream.seed), k1 = static_cast<std::uint32_t>(stream.seed >> 32);
    for (int round = 0; round < 10; ++round) {
      for (std::size_t i = 0; i < wide; ++i) {
        const std::uint64_t a = std::uint64_t{0xD2511F53} * c0[i], b = std::uint64_t{0xCD9E8D57} * c2[i];
        c0[i] = static_cast<std::uint32_t>(b >> 32) ^ c1[i] ^ k0;
        c1[i] = static_cast<std::uint32_t>(b);
        c2[i] = static_cast<std::uint32_t>(a >> 32) ^ c3[i] ^ k1;
        c3[i] = static_cast<std::uint32_t>(a);
      }
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    for (std::size_t i = 0; i < std::min(wide, blocks - done); ++i) {
      std::uint32_t* const out = words + 4 * (done + i);
      out[0] = c0[i], out[1] = c1[i], out[2] = c2[i], out[3] = c3[i];
    }
  }
}

double normal(const RandomStream& stream, std::uint64_t index) {
  // An index has 2^12 tries of its own; one in five is rejected, so the last is never reached.
  for (std::uint64_t attempt = index << 12;; ++attempt) {
    const Words w = philox(stream, attempt);
    const double u = symmetric(w[0], w[1]), v = symmetric(w[2], w[3]), r = u * u + v * v;
    if (r > 0 && r < 1) return u * std::sqrt(-2 * logarithm(r) / r);
  }
}

}  // namespace sluice::stages
