// A slice of a batch's gradient: the shards' nodes added in the fixed tree of row blocks.
//
// slice -> the sum of its floats over all nodes, float32: of pixels as they are, over the rows of the batch (see
// PartialGradient). The sum has the same bits however the batch was cut, and in however many slices it is worked out.
// Order and thread-safety: a pure function of the slice; runs on any number of slices at once. The nodes are only read.
// Errors: none.
//
//   auto sums = g.map("reduce", Reduce{}, slices, unlimited);
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/aligned_buffer.hpp>
#include <sluice/stages/limits.hpp>
#include <sluice/stages/slice.hpp>

namespace sluice::stages {

struct SliceSum {
  const StepPlan* of = nullptr;
  std::size_t begin = 0, end = 0;  // floats of the gradient
  const float* values = nullptr;   // (end - begin): in `sums`, or where there is one node, of it
  AlignedBuffer<float> sums;       // the additions' results, as many as are needed at once
  std::vector<float*> results;     // of each addition

  // values: the sum of the nodes, from float `first` of each on.
  void add_up(std::span<const float* const> nodes, std::span<const Addition> additions, std::size_t first);
  // What this takes, of so many row blocks and floats.
  static std::size_t bytes(std::size_t blocks, std::size_t floats);
};

struct Reduce {
  Limits limits = {};      // optional, for payload_bytes; rows: of a batch
  std::size_t slices = 1;  // for the same

  using Output = SliceSum;
  void operator()(const Slice& slice, SliceSum& out) const;

  std::optional<std::size_t> payload_bytes() const;
};

static_assert(verbs::Map<Reduce, Slice, SliceSum>);

}  // namespace sluice::stages
