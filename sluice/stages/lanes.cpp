#include <sluice/stages/lanes.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <stdexcept>

namespace sluice::stages {

void LaneShare::check() const {
  if (ranks == 0 || rank >= ranks || lanes < ranks)
    throw std::invalid_argument(
        fmt::format("{} lanes for process {} of {}, expected at least one for each", lanes, rank, ranks));
}

std::uint64_t Lanes::first_row(std::size_t lane) const {
  return lane * rows / share.lanes;
}

std::uint64_t Lanes::rows_before(std::size_t lane, std::uint64_t position) const {
  const std::uint64_t lanes = share.lanes, full = rows / lanes;  // rounds in which every lane has a row
  if (position < full * lanes) return position / lanes + (lane < position % lanes ? 1 : 0);
  // One of the last round, where the lane has it: behind the lanes before that have one, too.
  const bool has_more = rows_of(lane) > full;
  const std::uint64_t before = first_row(lane) - lane * full;
  return full + (has_more && before < std::min(position, rows) - full * lanes ? 1 : 0);
}

std::size_t Lanes::rows_in_step(std::size_t lane, std::uint64_t step) const {
  return static_cast<std::size_t>(rows_before(lane, std::min(rows, (step + 1) * batch_size)) -
                                  rows_before(lane, std::min(rows, step * batch_size)));
}

std::size_t Lanes::most_in_step() const {
  return std::min<std::size_t>(batch_size, (batch_size + share.lanes - 1) / share.lanes + 1);
}

StepRows Lanes::step(std::uint64_t number) const {
  StepRows all;
  all.begins.reserve(share.ranks + 1);
  std::size_t block = 0, process = 0;
  for (std::size_t lane = 0; lane < share.lanes; ++lane) {
    for (; process < share.ranks && share.first_of(process) == lane; ++process) all.begins.push_back(block);
    const RowRun run{.rows = rows_in_step(lane, number)};
    all.rows += run.rows, block += run.blocks();
  }
  all.begins.push_back(block);
  return all;
}

RowRun Lanes::run(std::size_t lane, std::uint64_t step) const {
  RowRun run{.rows = rows_in_step(lane, step)};
  for (std::size_t before = 0; before < lane; ++before)
    run.first_block += RowRun{.rows = rows_in_step(before, step)}.blocks();
  return run;
}

std::size_t Lanes::buffer_rows(std::size_t lane, std::size_t all) const {
  const std::uint64_t each = std::max<std::uint64_t>(1, (all + share.lanes - 1) / share.lanes);
  return static_cast<std::size_t>(std::min(each, std::max<std::uint64_t>(1, rows_of(lane))));
}

}  // namespace sluice::stages
