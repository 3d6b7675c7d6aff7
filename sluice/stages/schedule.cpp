#include <sluice/stages/schedule.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <numbers>
#include <stdexcept>

#include <sluice/stages/power.hpp>

namespace sluice::stages {
namespace {

// sin(x) for 0 <= x <= pi / 4: its Taylor series to x^17, whose rest is below 1e-19.
double sine(double x) {
  const double square = x * x;
  double sum = 1;
  for (int n = 16; n > 0; n -= 2) sum = 1 - sum * square / (n * (n + 1));
  return x * sum;
}

// (1 + cos(pi x)) / 2 for 0 <= x <= 1: the square of the cosine of half the angle, or one less that of its sine.
double falling_cosine(double x) {
  const double s = sine(std::numbers::pi / 2 * std::min(x, 1 - x));
  return x <= 0.5 ? 1 - s * s : s * s;
}

}  // namespace

double rate_factor(const Schedule& s, std::uint64_t step) {
  if (step < s.warmup) return static_cast<double>(step + 1) / static_cast<double>(s.warmup);
  const auto done = [&] {
    return step < s.total ? static_cast<double>(step - s.warmup) / static_cast<double>(s.total - s.warmup) : 1;
  };
  switch (s.kind) {
    case Schedule::Kind::constant:
      break;
    case Schedule::Kind::linear:
      return 1 - done();
    case Schedule::Kind::cosine:
      return falling_cosine(done());
    case Schedule::Kind::step:
      return power(s.gamma, step / (s.every ? s.every : s.total / 3 + (s.total % 3 > 0)));
  }
  return 1;
}

void check(const Schedule& s) {
  if (s.total == 0 && s.kind != Schedule::Kind::constant && !(s.kind == Schedule::Kind::step && s.every > 0))
    throw std::invalid_argument("total: 0 steps, expected at least 1: the schedule of the rate needs their number");
  if (s.total > 0 && s.warmup >= s.total)
    throw std::invalid_argument(
        fmt::format("warmup: {} steps, expected fewer than the {} in total", s.warmup, s.total));
  if (!(s.gamma > 0 && s.gamma <= 1))
    throw std::invalid_argument(fmt::format("gamma: {}, expected a number above 0, at most 1", s.gamma));
}

}  // namespace sluice::stages
