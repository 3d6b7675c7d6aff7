#include "pipeline/suggestion.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace sluice {
namespace {

// Levenshtein's distance: insertions, deletions and replacements.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
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
