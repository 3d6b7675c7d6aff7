// A step's second round: slices of the gradient and of the weights, each reduced and updated by whoever is free.
//
// plan of a batch's gradient -> `parts` slices: runs of whole cache lines of 16 floats, as even as can be; some are
// empty where lines are fewer than parts. Which floats are added to which does not depend on `parts`.
// slices, after Update, in slice order -> the weights after the step.
// Order and thread-safety: Slicer is a pure function; slices point into the message that they were cut from. Errors:
// none.
//
//   auto slices = g.split("slice", Slicer{}, plan, shards(2));
//   auto sums = g.map("reduce", Reduce{}, slices, unlimited);
//   weights.close(g.fold("gather", Gather{}, g.map("sgd", Update{{.rate = 0.1}}, sums, unlimited)));
#pragma once

#include <cstddef>
#include <optional>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/model.hpp>
#include <sluice/stages/plan.hpp>

namespace sluice::stages {

struct Slice {
  const GradientPlan* of = nullptr;
  std::size_t begin = 0, end = 0;  // floats of each node
};

struct Slicer {
  Slice operator()(const GradientPlan& plan, std::size_t part, std::size_t parts) const;
};

// A slice of the weights that is done.
struct Updated {
  const StepPlan* of = nullptr;
};

struct Gather {
  Limits limits = {};  // optional, for payload_bytes

  Weights operator()(Group<Updated> slices) const { return slices[0].of->next; }
  std::optional<std::size_t> payload_bytes() const {
    return limits.known() ? std::optional(StepPlan::bytes(limits)) : std::nullopt;
  }
};

static_assert(verbs::Split<Slicer, GradientPlan, Slice> && verbs::Fold<Gather, Updated, Weights>);

}  // namespace sluice::stages
