// The hits among rows that were scored: how often the class with the largest logit is the label.
//
// scored shards -> hits and rows, both whole numbers. On ties the lowest class is the prediction.
// Order and thread-safety: a pure function; as a map it takes one scored shard, as a fold those of a batch.
// Errors: none.
//
//   BatchHits hits = Accuracy{}(scored);  // hits.hits of hits.count
#pragma once

#include <cstddef>
#include <cstdint>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/forward.hpp>

namespace sluice::stages {

struct BatchHits {
  std::uint64_t hits = 0;
  std::size_t count = 0;  // rows
};

struct Accuracy {
  BatchHits operator()(const Scored& scored) const;
  BatchHits operator()(Group<Scored> shards) const;
};

static_assert(verbs::Map<Accuracy, Scored, BatchHits> && verbs::Fold<Accuracy, Scored, BatchHits>);

}  // namespace sluice::stages
