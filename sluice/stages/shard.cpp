#include <sluice/stages/shard.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <stdexcept>

namespace sluice::stages {

StepRows step_of(std::size_t rows, std::size_t ranks) {
  StepRows step{.rows = rows, .begins = {}};
  const std::size_t blocks = (rows + kernels::row_block - 1) / kernels::row_block;
  for (std::size_t r = 0; r <= ranks; ++r) step.begins.push_back(first_unit(blocks, r, ranks));
  return step;
}

std::size_t shard_rows(std::size_t rows, std::size_t parts, std::size_t unit) {
  const std::size_t units = (rows + unit - 1) / unit;
  return std::min(rows, (units + parts - 1) / parts * unit);
}

namespace {

// Of several runs: parts / runs of them each, and what does not come out even is empty.
Shard shard_of_runs(const Batch& batch, std::size_t part, std::size_t parts) {
  const std::size_t each = parts / batch.runs.size();
  if (each == 0)
    throw std::invalid_argument(
        fmt::format("{} shards of a batch of {} runs, expected at least one of each", parts, batch.runs.size()));
  if (part >= each * batch.runs.size()) return {};
  const RowRun& run = batch.runs[part / each];
  const auto block = [&](std::size_t p) { return first_unit(run.blocks(), p, each); };
  const auto row = [&](std::size_t p) { return std::min(block(p) * kernels::row_block, run.rows); };
  const std::size_t sub = part % each;
  return {.first_row = run.first_row + row(sub),
          .rows = row(sub + 1) - row(sub),
          .first_block = run.first_block + block(sub)};
}

}  // namespace

Shard Sharder::operator()(const Work& work, std::size_t part, std::size_t parts) const {
  const auto& [batch, weights] = work;
  if (batch.runs.size() > 1) {
    Shard shard = shard_of_runs(batch, part, parts);
    shard.batch = &batch, shard.model = weights.get(), shard.weights = &weights;
    return shard;
  }
  const std::size_t count = batch.count(), units = (count + unit - 1) / unit;
  const auto row = [&](std::size_t p) { return std::min(first_unit(units, p, parts) * unit, count); };
  const std::size_t first = row(part), last = row(part + 1);
  const auto worker = [&](std::size_t p) { return workers < parts ? p * workers / parts : p; };
  const bool ends_run = part + 1 == parts || worker(part + 1) != worker(part);
  const auto& there = ends_run ? batch.upcoming : batch.rows;
  const std::size_t its_first = workers < parts ? (worker(part) * parts + workers - 1) / workers : part;
  const std::size_t due = ends_run ? its_first : part + 1;
  const std::size_t begin = std::min(row(due), there.size()), end = std::min(row(due + 1), there.size());
  return {.batch = &batch,
          .model = weights.get(),
          .weights = &weights,
          .first_row = first,
          .rows = last - first,
          .first_block = first / kernels::row_block + (batch.runs.empty() ? 0 : batch.runs.front().first_block),
          .upcoming = std::span(there).subspan(begin, end - begin)};
}

}  // namespace sluice::stages
