// One step of stochastic gradient descent: weights - rate x the mean gradient over the rows of the batch.
//
// slice of a batch's gradient -> the same slice of the new weights, float32, each with one rounding: rate / rows (for
// the weights by the model's divisor too, since the gradient is of pixels as they are) is one factor of a fused
// multiply-add. The mean is over the rows that the batch has, also where it is a short last one. Order and
// thread-safety: runs on any number of slices at once, each writes its own; the weights the gradient belongs to are not
// touched. Errors: none.
//
//   auto updated = g.map("sgd", Sgd{.rate = 0.1f}, sums, unlimited);
#pragma once

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/reduce.hpp>
#include <sluice/stages/slice.hpp>

namespace sluice::stages {

struct Sgd {
  float rate = 0.1f;  // learning rate, > 0

  Updated operator()(const SliceSum& sum) const;
};

static_assert(verbs::Map<Sgd, SliceSum, Updated>);

}  // namespace sluice::stages
