// The gradient of the loss, summed over the rows of one shard: x^T delta of the pixels as they are, and the
// sum of delta.
//
// scored shard -> the sums of its maximal complete subtrees of row blocks (sluice/stages/block_tree.hpp), float32, each
// packed [chunks][classes][16] and then the bias' gradient. Not yet divided by the model's divisor or by the
// rows: Update does both at once. Order and thread-safety: a pure function of the shard; runs on any number of shards
// at once. Empty shards give no node. Errors: std::length_error beyond `limits`.
//
//   PartialGradient partial;
//   SoftmaxGradient{}(scored, partial);
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/aligned_buffer.hpp>
#include <sluice/stages/block_tree.hpp>
#include <sluice/stages/forward.hpp>
#include <sluice/stages/limits.hpp>
#include <sluice/stages/shared.hpp>

namespace sluice::stages {

struct PartialGradient {
  Shard shard;
  std::size_t node_size = 0;     // floats of one node
  std::vector<BlockNode> nodes;  // from left to right
  AlignedBuffer<float> values;   // nodes.size() x node_size, and room for the nodes that were merged away

  const float* node(std::size_t i) const { return values.data() + i * node_size; }
};

// The same of a run of pixels: from a multiple of 16 on, and as many as that or up to the last. bias: as well, behind
// it.
void gradient_of(const Scored& scored, std::size_t first_pixel, std::size_t pixels, bool bias, PartialGradient& out);

struct SoftmaxGradient {
  Limits limits = {};  // optional, for payload_bytes

  // By handle: the values are wanted when the shard is done.
  using Output = Shared<PartialGradient>;
  void operator()(const Scored& scored, Shared<PartialGradient>& out) const { (*this)(scored, out.renew()); }
  void operator()(const Scored& scored, PartialGradient& out) const;

  std::optional<std::size_t> payload_bytes() const;
};

static_assert(verbs::Map<SoftmaxGradient, Scored, Shared<PartialGradient>>);

}  // namespace sluice::stages
