// One step of an optimiser: what the weights become, by the mean gradient over the rows of a batch.
//
// slice of a batch's gradient -> the same slice of the next weights and of what the optimiser keeps in the model,
// float32 (Update). With g = the slice's sum / rows (of the weights by the model's divisor, too, since the gradient is
// of pixels as they are) + decay x w, and the rate of that step, which the schedule says:
//
//   sgd        w' = w - rate g                           the default, without decay: one fused multiply-add
//   momentum   m' = momentum m + g, w' = w - rate m'     as PyTorch's SGD, dampening 0
//   nesterov   the same m', w' = w - rate (g + momentum m')
//   adam       m' = beta1 m + (1 - beta1) g, v' = beta2 v + (1 - beta2) g^2,
//              w' = w - rate m' / (1 - beta1^t) / (sqrt(v' / (1 - beta2^t)) + epsilon), t = 1, 2, ...
//   adamw      adam whose decay is none of g: it goes from (1 - rate decay) w
//
// The bias has no decay. The mean is over the rows that the batch has, also where it is a short last one. Averaging,
// beside any of them: the mean of the weights after the steps `average_from`, + 1, ..., before those the weights
// themselves. Places past the last pixel stay zero. Order and thread-safety: runs on any number of slices at once, each
// writes its own; the model the gradient belongs to is not touched; same bits however it is cut. Errors:
// std::invalid_argument for a model that was not prepared for what is kept beside it, and of check() and prepare()
// naming the field, its value and its range.
//
//   Model first = random_model(784, 10, 0);
//   prepare({.kind = Optimizer::Kind::adam, .rate = 0.001}, first);   // the same optimiser as Update's
//   auto updated = g.map("sgd", Update{{.kind = Optimizer::Kind::adam, .rate = 0.001}}, sums, unlimited);
//
// Sources: PyTorch's pages of SGD, Adam and AdamW; Sutskever et al.: On the importance of initialization and momentum
// (ICML 2013) for nesterov, as PyTorch writes it; Kingma, Ba: Adam (ICLR 2015); Loshchilov, Hutter: Decoupled weight
// decay regularization (ICLR 2019); Polyak, Juditsky: Acceleration of stochastic approximation by averaging (1992).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/model.hpp>
#include <sluice/stages/reduce.hpp>
#include <sluice/stages/schedule.hpp>
#include <sluice/stages/slice.hpp>

namespace sluice::stages {

struct Optimizer {
  enum class Kind : std::uint8_t { sgd, momentum, nesterov, adam, adamw };

  Kind kind = Kind::sgd;
  double rate = 0.1;        // learning rate, > 0
  double momentum = 0.9;    // of momentum and nesterov, in [0, 1)
  double beta1 = 0.9;       // of adam and adamw, in [0, 1)
  double beta2 = 0.999;     // of the same, in [0, 1)
  double epsilon = 1e-8;    // of the same, >= 1e-30
  double weight_decay = 0;  // >= 0
  Schedule schedule{};
  std::optional<std::uint64_t> average_from{};  // step, from 0; nothing: no average
};

void check(const Optimizer& optimizer);

// Runs of numbers, as long as the parameters, that a model has beside them: for Limits::beside.
std::size_t runs_beside(const Optimizer& optimizer);

// Before the first step: check(), and what is kept beside the model in its sizes, at its beginning.
void prepare(const Optimizer& optimizer, Model& model);
// Whether a model has beside it what this optimiser keeps, and nothing of another.
bool is_prepared(const Optimizer& optimizer, const Model& model);

// The model that has the average for parameters, where there is one, and nothing beside them.
Model averaged(const Model& model);

struct Update {
  Optimizer optimizer{};

  Updated operator()(const SliceSum& sum) const;
};

static_assert(verbs::Map<Update, SliceSum, Updated>);

}  // namespace sluice::stages
