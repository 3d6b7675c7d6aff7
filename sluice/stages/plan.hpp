// The end of a step's first round: what the shards' gradients came to, by handle, and how it becomes one sum.
//
// the shards' partial gradients, in shard order -> the nodes of the fixed tree (sluice/stages/block_tree.hpp), the
// additions that are left of it, and the model that the step makes, in its sizes, not yet written. No number is
// computed here: slices of the sum are the second round's (sluice/stages/slice.hpp).
// Order and thread-safety: one batch at a time. Errors: std::invalid_argument if no shard has a row.
//
//   auto plan = g.fold("plan", Plan{}, partials);
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/block_tree.hpp>
#include <sluice/stages/gradient.hpp>
#include <sluice/stages/limits.hpp>
#include <sluice/stages/model.hpp>
#include <sluice/stages/shared.hpp>

namespace sluice::stages {

// What a step begins with and leads to.
struct StepPlan {
  std::size_t rows = 0;  // of the batch
  Weights weights;       // the parameters that the gradient is taken at
  Weights next;          // those after the step: written, in slices, to *to
  Model* to = nullptr;

  // next: in the sizes of `from`, of a pool of the stage.
  void begin(const Weights& from, Pool<Model>& models);
  // What the model takes.
  static std::size_t bytes(const Limits& limits);
};

struct GradientPlan : StepPlan {
  std::vector<Shared<PartialGradient>> partials;  // what the nodes lie in
  std::vector<const float*> nodes;                // from left to right, each of `size` floats
  std::vector<BlockNode> places;                  // of the nodes, in the tree
  std::vector<Addition> additions;                // of the nodes; of a part of a step: none yet
  std::size_t size = 0;                           // floats: see PartialGradient
  StepRows step;                                  // of which this is a part, where it is one
};

struct Plan {
  Limits limits = {};  // optional, for payload_bytes; rows: of a batch
  // Of this process's part of a step (sluice/stages/exchange.hpp): it may have no rows, and what is to be added is not
  // decided here.
  bool part = false;

  using Output = GradientPlan;
  void operator()(Group<Shared<PartialGradient>> shards, GradientPlan& out);

  std::optional<std::size_t> payload_bytes() const;

  // State of its own, no options: kept for its memory.
  Pool<Model> models_{};
};

static_assert(verbs::Fold<Plan, Shared<PartialGradient>, GradientPlan>);

}  // namespace sluice::stages
