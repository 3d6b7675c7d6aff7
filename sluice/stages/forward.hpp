// Scores rows: logits = pixels / divisor x W + b, the stable softmax, and the logits' gradient p - one_hot(label).
//
// shard (rows x pixels), uint8 or float32 -> delta (rows x classes), float32, a lane a row
// (sluice/stages/kernels/table.hpp), and per row what loss and accuracy need. A batch without labels gives delta = p
// and label_logit = 0. Order and thread-safety: a pure function of the shard; runs on any number of shards at once.
// Errors: std::invalid_argument if the model's pixels differ from the batch's, std::length_error beyond `limits`.
//
//   Scored scored;
//   SoftmaxForward{}(shard, scored);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/aligned_buffer.hpp>
#include <sluice/stages/limits.hpp>
#include <sluice/stages/shard.hpp>

namespace sluice::stages {

struct Scored {
  Shard shard;
  AlignedBuffer<float> delta;              // packed [ceil(rows / 16)][classes][16]
  AlignedBuffer<float> label_logit;        // (rows): z[label] - max z
  AlignedBuffer<float> exp_sum;            // (rows): sum of exp(z - max z); the loss is its log - label_logit
  AlignedBuffer<std::uint16_t> predicted;  // (rows): argmax z, the lowest class on ties
};

// The probability of a class for a row of the shard, whether or not there are labels.
float probability(const Scored& scored, std::size_t row, std::size_t c);

struct SoftmaxForward {
  Limits limits = {};  // optional, for payload_bytes
  // Of each class, what delta of its rows is multiplied by (sluice/stages/class_weights.hpp); nullptr: nothing.
  const std::vector<float>* class_weights = nullptr;

  using Output = Scored;
  void operator()(const Shard& shard, Scored& out) const;

  std::optional<std::size_t> payload_bytes() const;
};

// The same for whole batches, by weights that do not change: what an evaluation needs, or a prediction.
struct ScoreBatch {
  const Weights* weights = nullptr;
  Limits limits = {};

  using Output = Scored;
  void operator()(const Batch& batch, Scored& out) const {
    SoftmaxForward{.limits = limits}(
        {.batch = &batch, .model = weights->get(), .weights = weights, .rows = batch.count()}, out);
  }
  std::optional<std::size_t> payload_bytes() const { return SoftmaxForward{.limits = limits}.payload_bytes(); }
};

static_assert(verbs::Map<SoftmaxForward, Shard, Scored> && verbs::Map<ScoreBatch, Batch, Scored>);

}  // namespace sluice::stages
