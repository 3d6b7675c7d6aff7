#include <sluice/stages/roc.hpp>

#include <algorithm>

namespace sluice::stages {
namespace {

constexpr std::size_t counters = 2 * RocCounts::steps;  // of a class

// What lies on huge pages: to be given a thousand small ones may take longer than to count ten thousand rows.
constexpr std::size_t least_bytes = std::size_t{4} << 20;

}  // namespace

void RocCounts::add(std::size_t c, bool of_class, float log_odds) {
  constexpr float lowest = -static_cast<float>(steps / steps_of_unit / 2), last = steps - 1;
  const float place = (log_odds - lowest) * static_cast<float>(steps_of_unit);
  const auto step = place > 0 ? static_cast<std::size_t>(std::min(place, last)) : 0;
  if (rows_.empty()) {
    more_.resize(classes);
    rows_.reserve(least_bytes / sizeof(std::uint16_t));
    rows_.resize(classes * counters);  // last: while it is empty nothing is counted, whatever memory was refused
  }
  const std::size_t at = 2 * step + (of_class ? 1 : 0);
  if (++rows_[c * counters + at] != 0) return;
  if (more_[c].empty()) more_[c].resize(counters);
  ++more_[c][at];
}

// All sums in double: of up to 9e15 pairs every digit is right.
std::optional<RocArea> RocCounts::area(std::size_t c) const {
  if (!counted() || c >= classes || rows_.empty()) return std::nullopt;
  if (classes == 2) c = 1;
  const std::uint16_t* const few = rows_.data() + c * counters;
  const std::uint32_t* const more = more_[c].empty() ? nullptr : more_[c].data();
  const auto rows = [&](std::size_t at) { return (more ? 65536.0 * more[at] : 0) + few[at]; };
  double of_class = 0, of_rest = 0, above = 0, tied = 0;  // rows, rows, pairs, pairs
  for (std::size_t step = 0; step < steps; ++step) {
    if (!more && few[2 * step] == 0 && few[2 * step + 1] == 0) continue;  // most have none
    const double negative = rows(2 * step), positive = rows(2 * step + 1);
    above += positive * of_rest, tied += positive * negative;
    of_class += positive, of_rest += negative;
  }
  if (of_class == 0 || of_rest == 0) return std::nullopt;
  const double pairs = of_class * of_rest;
  return RocArea{(above + tied / 2) / pairs, tied / 2 / pairs};
}

void RocCounts::reset() {
  rows_ = {};
  more_.clear();
}

}  // namespace sluice::stages
