#include <sluice/stages/limits.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace sluice::stages {

void Limits::check(std::size_t its_rows, std::size_t its_pixels, std::size_t its_classes) const {
  if (!known() || (its_rows <= rows && its_pixels <= pixels && its_classes <= classes)) return;
  throw std::length_error(
      fmt::format("shard of {} rows x {} pixels x {} classes, expected at most {} x {} x {}: raise the stage's limits",
                  its_rows, its_pixels, its_classes, rows, pixels, classes));
}

}  // namespace sluice::stages
