#include <sluice/pipeline/stats.hpp>

#include <fmt/core.h>

#include <stdexcept>

namespace sluice {

StageStats GraphStats::stage(const std::string& wanted) const {
  for (const StageStats& s : stages)
    if (s.name == wanted) return s;
  throw std::out_of_range(fmt::format("graph '{}' has no stage '{}'", graph, wanted));
}

}  // namespace sluice
