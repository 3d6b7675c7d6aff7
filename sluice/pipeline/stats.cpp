#include <sluice/pipeline/stats.hpp>

#include <fmt/core.h>

#include <stdexcept>

#include <sluice/pipeline/printable.hpp>

namespace sluice {

StageStats GraphStats::stage(const std::string& wanted) const {
  const std::string shown = printable(wanted);
  for (const StageStats& s : stages)
    if (s.name == shown) return s;
  throw std::out_of_range(fmt::format("graph '{}' has no stage '{}'", graph, shown));
}

}  // namespace sluice
