// One step of stochastic gradient descent: weights - rate x the mean gradient over the rows of the batch.
//
// batch gradient -> new weights, float32, each with one rounding: rate / rows (for the weights by the model's divisor
// too, since the gradient is of pixels as they are) is one factor of a fused multiply-add. The mean is over the rows
// that the batch has, also where it is a short last one. Order and thread-safety: a pure function of the gradient; the
// weights it belongs to are not touched. Errors: none.
//
//   weights.close(g.map("sgd", Sgd{.rate = 0.1f}, reduced));
#pragma once

#include <cstddef>
#include <optional>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/limits.hpp>
#include <sluice/stages/model.hpp>
#include <sluice/stages/reduce.hpp>

namespace sluice::stages {

struct Sgd {
  float rate = 0.1f;   // learning rate, > 0
  Limits limits = {};  // optional, for payload_bytes

  using Output = Weights;
  void operator()(const BatchGradient& gradient, Weights& out) const;

  std::optional<std::size_t> payload_bytes() const;
};

static_assert(verbs::Map<Sgd, BatchGradient, Weights>);

}  // namespace sluice::stages
