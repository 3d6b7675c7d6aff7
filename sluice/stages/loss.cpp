#include <sluice/stages/loss.hpp>

#include <algorithm>

#include <sluice/stages/kernels/kernels.hpp>

namespace sluice::stages {
namespace {

void add(BatchLoss& loss, const Scored& scored) {
  const std::size_t rows = scored.shard.rows;
  loss.sum = kernels::active().loss(scored.label_logit.data(), scored.exp_sum.data(), rows, loss.sum);
  loss.count += rows;
}

}  // namespace

BatchLoss CrossEntropy::operator()(const Scored& scored) const {
  BatchLoss loss;
  add(loss, scored);
  return loss;
}

BatchLoss CrossEntropy::operator()(Group<Scored> shards) const {
  BatchLoss loss;
  for (const Scored& scored : shards) add(loss, scored);
  return loss;
}

void CrossEntropyOfBlocks::operator()(Group<Scored> shards, BlockLosses& out) const {
  using kernels::row_block;
  out.sums.clear();
  out.count = 0;
  for (const Scored& scored : shards) {
    const std::size_t rows = scored.shard.rows;
    for (std::size_t first = 0; first < rows; first += row_block)
      out.sums.push_back(kernels::active().loss(scored.label_logit.data() + first, scored.exp_sum.data() + first,
                                                std::min(row_block, rows - first), 0));
    out.count += rows;
  }
}

std::optional<std::size_t> CrossEntropyOfBlocks::payload_bytes() const {
  if (!limits.known()) return std::nullopt;
  return 2 * ((limits.rows + kernels::row_block - 1) / kernels::row_block) * sizeof(double);  // one that grew
}

}  // namespace sluice::stages
