#include <sluice/stages/roc.hpp>

#include <algorithm>

namespace sluice::stages {

void RocCounts::add(std::size_t c, bool of_class, float log_odds) {
  constexpr float last = static_cast<float>(steps * units - 1);
  const float place = (log_odds + static_cast<float>(units / 2)) * static_cast<float>(steps);
  const auto step = place > 0 ? static_cast<std::size_t>(std::min(place, last)) : 0;
  if (blocks_.empty()) blocks_.resize(classes * units);
  std::vector<Step>& block = blocks_[c * units + step / steps];
  if (block.empty()) block.resize(steps);
  Step& counts = block[step % steps];
  ++(of_class ? counts.of_class : counts.of_rest);
}

// All sums in double: of up to 9e15 pairs every digit is right.
std::optional<RocArea> RocCounts::area(std::size_t c) const {
  if (!counted() || c >= classes) return std::nullopt;
  if (classes == 2) c = 1;
  double of_class = 0, of_rest = 0, above = 0, tied = 0;  // rows, rows, pairs, pairs
  for (std::size_t unit = 0; unit < units && !blocks_.empty(); ++unit)
    for (const Step& step : blocks_[c * units + unit]) {
      const auto positive = static_cast<double>(step.of_class), negative = static_cast<double>(step.of_rest);
      above += positive * of_rest, tied += positive * negative;
      of_class += positive, of_rest += negative;
    }
  if (of_class == 0 || of_rest == 0) return std::nullopt;
  const double pairs = of_class * of_rest;
  return RocArea{(above + tied / 2) / pairs, tied / 2 / pairs};
}

}  // namespace sluice::stages
