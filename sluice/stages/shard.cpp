#include <sluice/stages/shard.hpp>

#include <algorithm>
#include <span>

namespace sluice::stages {

std::size_t shard_rows(std::size_t rows, std::size_t parts, std::size_t unit) {
  const std::size_t units = (rows + unit - 1) / unit;
  return std::min(rows, (units + parts - 1) / parts * unit);
}

Shard Sharder::operator()(const Work& work, std::size_t part, std::size_t parts) const {
  const auto& [batch, weights] = work;
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
          .first_block = first / kernels::row_block,
          .upcoming = std::span(there).subspan(begin, end - begin)};
}

}  // namespace sluice::stages
