// The gradient of a batch: the partial gradients of its shards, added in the fixed tree of row blocks.
//
// the shards' partial gradients, in shard order -> their sum, float32, packed [chunks][classes][16] and then the bias'
// gradient, with the handle of the weights that it belongs to. The sum has the same bits however the batch was cut.
// Order and thread-safety: one batch at a time.
// Errors: std::invalid_argument if no shard has a row.
//
//   auto reduced = g.fold("reduce", Reduce{}, gradients);
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/aligned_buffer.hpp>
#include <sluice/stages/block_tree.hpp>
#include <sluice/stages/gradient.hpp>
#include <sluice/stages/limits.hpp>

namespace sluice::stages {

struct BatchGradient {
  Weights weights;              // the parameters that the gradient was taken at
  AlignedBuffer<float> values;  // summed over the rows, of pixels as they are: see PartialGradient
  std::size_t rows = 0;         // of the batch
};

struct Reduce {
  Limits limits = {};  // optional, for payload_bytes; rows: of a batch

  using Output = BatchGradient;
  void operator()(Group<PartialGradient> shards, BatchGradient& out);

  std::optional<std::size_t> payload_bytes() const;

  // State of its own, no options: kept for its memory.
  std::vector<BlockNode> nodes_{};
  std::vector<const float*> operands_{};
  std::vector<Addition> plan_{};
  std::vector<AlignedBuffer<float>> sums_{};
};

static_assert(verbs::Fold<Reduce, PartialGradient, BatchGradient>);

}  // namespace sluice::stages
