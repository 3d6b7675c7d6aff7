#include <sluice/stages/reduce.hpp>

#include <algorithm>
#include <stdexcept>

#include <sluice/stages/kernels/kernels.hpp>

namespace sluice::stages {

void Reduce::operator()(Group<PartialGradient> shards, BatchGradient& out) {
  nodes_.clear();
  operands_.clear();
  out.rows = 0;
  std::size_t size = 0;
  for (const PartialGradient& shard : shards) {
    for (std::size_t i = 0; i < shard.nodes.size(); i++) {
      nodes_.push_back(shard.nodes[i]);
      operands_.push_back(shard.node(i));
    }
    size = std::max(size, shard.node_size);
    out.rows += shard.shard.rows;
  }
  if (nodes_.empty()) throw std::invalid_argument("batch of 0 rows, expected at least 1: it has no gradient");
  out.weights = *shards[0].shard.weights;
  out.values.resize(size);

  addition_plan(nodes_, plan_);
  if (plan_.empty()) {
    std::copy_n(operands_[0], size, out.values.data());
    return;
  }
  const kernels::Table& kernel = kernels::active();
  if (sums_.size() < plan_.size()) sums_.resize(plan_.size());
  for (std::size_t i = 0; i < plan_.size(); i++) {
    float* sum = out.values.data();
    if (i + 1 < plan_.size()) {
      sums_[i].resize(size);
      sum = sums_[i].data();
    }
    kernel.add(sum, operands_[plan_[i].left], operands_[plan_[i].right], size);
    operands_.push_back(sum);
  }
}

std::optional<std::size_t> Reduce::payload_bytes() const {
  if (!limits.known()) return std::nullopt;
  return kernels::gradient_size(limits.pixels, limits.classes) * sizeof(float);
}

}  // namespace sluice::stages
