#include <sluice/pipeline/suggestion.hpp>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace sluice {
namespace {

// The fewest insertions, deletions, replacements and exchanges of neighbours that make a of b.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before, last, row(b.size() + 1);  // before, last: the two rows above
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before = std::exchange(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row.back();
}

}  // namespace

std::string suggestion(const std::string& unknown, const std::vector<std::string>& known) {
  const auto near = std::min_element(known.begin(), known.end(), [&](const auto& a, const auto& b) {
    return distance(unknown, a) < distance(unknown, b);
  });
  if (near != known.end() && distance(unknown, *near) <= std::max<std::size_t>(1, unknown.size() / 3))
    return fmt::format(": did you mean '{}'?", *near);
  return known.empty() ? std::string() : fmt::format(": expected one of {}", fmt::join(known, ", "));
}

}  // namespace sluice
