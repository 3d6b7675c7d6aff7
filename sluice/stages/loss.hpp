// The cross-entropy of rows that were scored: the sum of -log p[label].
//
// scored shards, in shard order -> the sum over their rows, double, and how many they are. Each row's loss is
// log(exp_sum) - label_logit in float32, exact also where p itself would round to 0; rows are added in double, row
// block by row block in order, so the sum has the same bits however the batch was cut. Order and thread-safety: a pure
// function; as a map it takes one scored shard, as a fold those of a batch. Errors: none.
//
// Where a step's rows are on several ranks, each has the sums of its row blocks one by one (BlockLosses), and whoever
// has those of all adds them in block order: the same additions.
//
//   BatchLoss loss = CrossEntropy{}(scored);  // loss.sum / loss.count is the mean
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/forward.hpp>
#include <sluice/stages/limits.hpp>

namespace sluice::stages {

struct BatchLoss {
  double sum = 0;         // of -log p[label]
  std::size_t count = 0;  // rows
};

struct CrossEntropy {
  BatchLoss operator()(const Scored& scored) const;
  BatchLoss operator()(Group<Scored> shards) const;
};

struct BlockLosses {
  std::vector<double> sums;  // of each row block
  std::size_t count = 0;     // rows
};

struct CrossEntropyOfBlocks {
  Limits limits = {};  // optional, for payload_bytes

  using Output = BlockLosses;
  void operator()(Group<Scored> shards, BlockLosses& out) const;
  std::optional<std::size_t> payload_bytes() const;
};

static_assert(verbs::Fold<CrossEntropyOfBlocks, Scored, BlockLosses>);
static_assert(verbs::Map<CrossEntropy, Scored, BatchLoss> && verbs::Fold<CrossEntropy, Scored, BatchLoss>);

}  // namespace sluice::stages
