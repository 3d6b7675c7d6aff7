// The second round of a step where a batch has fewer row blocks than there are threads: the gradient by runs of pixels,
// of all rows at once, so that there is nothing to add up between threads.
//
// scored shards, in shard order -> one scored batch, and the model that the step makes, not yet written (GatherScored).
// scored batch -> `parts` runs of 16 pixels and more, as even as can be, the last one with the bias (PixelSlicer).
// run of pixels -> its slice of the batch's gradient, float32, as Reduce gives it, bit for bit (SliceGradient).
// Order and thread-safety: GatherScored takes one batch at a time; the others are pure functions. Errors:
// std::invalid_argument for a batch without rows, std::length_error beyond `limits`.
//
//   auto batch = g.fold("plan", GatherScored{}, scored);
//   auto sums = g.map("gradient", SliceGradient{}, g.split("slice", PixelSlicer{}, batch, shards(16)), unlimited);
//   weights.close(g.fold("gather", Gather{}, g.map("sgd", Update{{.rate = 0.1}}, sums, unlimited)));
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/accuracy.hpp>
#include <sluice/stages/batch.hpp>
#include <sluice/stages/forward.hpp>
#include <sluice/stages/gradient.hpp>
#include <sluice/stages/limits.hpp>
#include <sluice/stages/loss.hpp>
#include <sluice/stages/plan.hpp>
#include <sluice/stages/reduce.hpp>

namespace sluice::stages {

struct ScoredBatch : StepPlan {
  Batch batch;    // the rows' places, which outlive the message that they came with
  Scored scored;  // of all of them
};

struct GatherScored {
  Limits limits = {};         // optional, for payload_bytes; rows: of a batch
  std::size_t row_bytes = 0;  // for the same, of rows that lie in what the batch owns: they are kept, too

  using Output = ScoredBatch;
  void operator()(Group<Scored> shards, ScoredBatch& out);

  std::optional<std::size_t> payload_bytes() const;

  // State of its own, no options.
  Pool<Model> models_{};
};

struct PixelSlice {
  const ScoredBatch* of = nullptr;
  std::size_t first = 0, pixels = 0;
  bool bias = false;
};

struct PixelSlicer {
  PixelSlice operator()(const ScoredBatch& batch, std::size_t part, std::size_t parts) const;
};

struct SliceGradientSum : SliceSum {
  PartialGradient partial;
  std::vector<const float*> nodes;
  std::vector<Addition> additions;
};

struct SliceGradient {
  Limits limits = {};      // optional, for payload_bytes; rows: of a batch
  std::size_t slices = 1;  // for the same

  using Output = SliceGradientSum;
  void operator()(const PixelSlice& slice, SliceGradientSum& out) const;

  std::optional<std::size_t> payload_bytes() const;
};

// Loss and hits of a batch that was put together: the same as of its shards.
struct BatchCrossEntropy {
  BatchLoss operator()(const ScoredBatch& batch) const { return CrossEntropy{}(batch.scored); }
};
struct BatchAccuracy {
  BatchHits operator()(const ScoredBatch& batch) const { return Accuracy{}(batch.scored); }
};

static_assert(verbs::Fold<GatherScored, Scored, ScoredBatch> && verbs::Split<PixelSlicer, ScoredBatch, PixelSlice> &&
              verbs::Map<SliceGradient, PixelSlice, SliceGradientSum>);

}  // namespace sluice::stages
