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
    if (i < 12) return static_cast<double>(i < 4 ? i : 4 + i % 4);  // one value each; octaves begin at bucket 8
    return std::ldexp(1 + (static_cast<double>(i % 4) + 0.5) / 4, static_cast<int>(i / 4));
  }
  return 0;
}

}  // namespace sluice::detail
