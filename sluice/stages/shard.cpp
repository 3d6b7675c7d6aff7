#include <sluice/stages/shard.hpp>

#include <algorithm>

#include <sluice/stages/kernels/kernels.hpp>

namespace sluice::stages {

std::size_t shard_rows(std::size_t rows, std::size_t parts) {
  const std::size_t blocks = (rows + kernels::row_block - 1) / kernels::row_block;
  return std::min(rows, (blocks + parts - 1) / parts * kernels::row_block);
}

Shard Sharder::operator()(const Work& work, std::size_t part, std::size_t parts) const {
  const auto& [batch, weights] = work;
  const std::size_t count = batch.count(), blocks = (count + kernels::row_block - 1) / kernels::row_block;
  const std::size_t first = blocks * part / parts, last = blocks * (part + 1) / parts;
  const std::size_t first_row = first * kernels::row_block;
  return {.batch = &batch,
          .model = weights.get(),
          .weights = &weights,
          .first_row = first_row,
          .rows = first == last ? 0 : std::min(last * kernels::row_block, count) - first_row,
          .first_block = first};
}

}  // namespace sluice::stages
