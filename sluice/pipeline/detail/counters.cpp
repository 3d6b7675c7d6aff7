#include <sluice/pipeline/detail/counters.hpp>

#include <cmath>

namespace sluice::detail {

double Histogram::quantile(const std::array<Number, 256>& sums, double q) {
  Number all = 0, below = 0;
  for (const Number n : sums) all += n;
  if (all == 0) return 0;
  for (std::size_t i = 0; i < sums.size(); ++i) {
    below += sums[i];
    if (static_cast<double>(below) < q * static_cast<double>(all)) continue;
    // The first have one value each; octaves begin at bucket 8.
    const double parts = i < 12 ? static_cast<double>(i < 4 ? i : 4 + i % 4)
                                : std::ldexp(1 + (static_cast<double>(i % 4) + 0.5) / 4, static_cast<int>(i / 4));
    return std::ldexp(parts, -static_cast<int>(part_bits));
  }
  return 0;
}

}  // namespace sluice::detail
