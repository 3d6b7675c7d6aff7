#include <sluice/stages/optimizer.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <sluice/stages/kernels/kernels.hpp>
#include <sluice/stages/power.hpp>

namespace sluice::stages {
namespace {

using Kind = Optimizer::Kind;

std::size_t moments(Kind kind) {
  switch (kind) {
    case Kind::sgd:
      return 0;
    case Kind::momentum:
    case Kind::nesterov:
      return 1;
    case Kind::adam:
    case Kind::adamw:
      return 2;
  }
  return 0;
}

// A run of parameters, before the step and after it; at: where their gradient and their moments are.
struct Parameters {
  const float* now;
  float* next;
  std::size_t at, count;
};

// One step of all slices, from the parameters of one model to those of the next.
class OptimizerStep {
 public:
  OptimizerStep(const Optimizer& optimizer, const Model& from, Model& to)
      : o_(optimizer), from_(from), to_(to), rate_(optimizer.rate * rate_factor(optimizer.schedule, from.steps)) {}

  // gradient: of the first of them, a sum over `rows`, of what was not divided by the divisor.
  void operator()(const Parameters& p, const float* gradient, float divisor, float rows, double decay) const {
    const auto rate = static_cast<float>(rate_);
    const float* weights = p.now;
    // Beside the step, not in g: where the two are the same, or adamw says so.
    if (decay > 0 && (o_.kind == Kind::sgd || o_.kind == Kind::adamw)) {
      kernel_.update(p.next, weights, weights, static_cast<float>(rate_ * decay), p.count);
      weights = p.next;
      decay = 0;
    }
    switch (o_.kind) {
      case Kind::sgd:
        kernel_.update(p.next, weights, gradient, rate / (divisor * rows), p.count);
        break;
      case Kind::momentum:
      case Kind::nesterov:
        kernel_.momentum({.gradient = gradient,
                          .weights = weights,
                          .moment = from_.moments[0].data() + p.at,
                          .next_weights = p.next,
                          .next_moment = to_.moments[0].data() + p.at,
                          .count = p.count,
                          .scale = 1 / (divisor * rows),
                          .decay = static_cast<float>(decay),
                          .momentum = static_cast<float>(o_.momentum),
                          .by_gradient = o_.kind == Kind::nesterov ? rate : 0,
                          .by_moment = o_.kind == Kind::nesterov ? static_cast<float>(rate_ * o_.momentum) : rate});
        break;
      case Kind::adam:
      case Kind::adamw: {
        // Both corrections are in the rate and in epsilon, multiplied by the root of v's.
        const double of_m = 1 - power(o_.beta1, from_.steps + 1);
        const double of_v = std::sqrt(1 - power(o_.beta2, from_.steps + 1));
        kernel_.adam({.gradient = gradient,
                      .weights = weights,
                      .moments = {from_.moments[0].data() + p.at, from_.moments[1].data() + p.at},
                      .next_weights = p.next,
                      .next_moments = {to_.moments[0].data() + p.at, to_.moments[1].data() + p.at},
                      .count = p.count,
                      .scale = 1 / (divisor * rows),
                      .decay = static_cast<float>(decay),
                      .beta1 = static_cast<float>(o_.beta1),
                      .share1 = static_cast<float>(1 - o_.beta1),
                      .beta2 = static_cast<float>(o_.beta2),
                      .share2 = static_cast<float>(1 - o_.beta2),
                      .rate = static_cast<float>(rate_ * of_v / of_m),
                      .epsilon = static_cast<float>(o_.epsilon * of_v)});
        break;
      }
    }
    if (o_.average_from) average(p);
  }

 private:
  void average(const Parameters& p) const {
    float* const mean = to_.average.data() + p.at;
    if (from_.steps <= *o_.average_from)
      std::copy_n(p.next, p.count, mean);
    else
      kernel_.average(mean, from_.average.data() + p.at, p.next,
                      static_cast<float>(1 / static_cast<double>(from_.steps - *o_.average_from + 1)), p.count);
  }

  const Optimizer& o_;
  const Model& from_;
  Model& to_;
  const double rate_;
  const kernels::Table& kernel_ = kernels::active();
};

}  // namespace

void check(const Optimizer& o) {
  // As float32, which is what the kernels get.
  const auto expect = [](bool right, const char* field, double value, const char* range) {
    if (!right) throw std::invalid_argument(fmt::format("{}: {}, expected {}", field, value, range));
  };
  const auto finite = [](double value) { return std::isfinite(static_cast<float>(value)); };
  const auto below_one = [](double value) { return value >= 0 && static_cast<float>(value) < 1; };
  constexpr const char* share = "at least 0, below 1";
  expect(static_cast<float>(o.rate) > 0 && finite(o.rate), "rate", o.rate, "a finite number above 0");
  expect(below_one(o.momentum), "momentum", o.momentum, share);
  expect(below_one(o.beta1), "beta1", o.beta1, share);
  expect(below_one(o.beta2), "beta2", o.beta2, share);
  expect(o.epsilon >= 1e-30 && finite(o.epsilon), "epsilon", o.epsilon, "a finite number, at least 1e-30");
  expect(o.weight_decay >= 0 && finite(o.weight_decay), "weight_decay", o.weight_decay, "a finite number, at least 0");
  check(o.schedule);
  if (o.average_from && o.schedule.total > 0 && *o.average_from >= o.schedule.total)
    throw std::invalid_argument(fmt::format("average_from: step {}, expected one of the {}, which count from 0",
                                            *o.average_from, o.schedule.total));
}

std::size_t runs_beside(const Optimizer& optimizer) {
  return moments(optimizer.kind) + (optimizer.average_from ? 1 : 0);
}

void prepare(const Optimizer& optimizer, Model& model) {
  check(optimizer);
  const std::size_t size = model.weights.size() + model.bias.size();
  model.steps = 0;
  for (std::size_t i = 0; i < model.moments.size(); ++i)
    model.moments[i].assign(i < moments(optimizer.kind) ? size : 0, 0);
  model.average.clear();
  if (!optimizer.average_from) return;
  model.average.assign(model.weights.begin(), model.weights.end());
  model.average.insert(model.average.end(), model.bias.begin(), model.bias.end());
}

// Not for another one either, whose numbers would go on unchanged.
bool is_prepared(const Optimizer& optimizer, const Model& model) {
  const std::size_t size = model.weights.size() + model.bias.size(), needed = moments(optimizer.kind);
  for (std::size_t i = 0; i < model.moments.size(); ++i)
    if (model.moments[i].size() != (i < needed ? size : 0)) return false;
  return model.average.size() == (optimizer.average_from ? size : 0);
}

Model averaged(const Model& model) {
  Model result = model;
  for (auto& moment : result.moments) moment = {};
  result.average = {};
  if (model.average.empty()) return result;
  const auto bias = model.average.begin() + static_cast<std::ptrdiff_t>(model.weights.size());
  result.weights.assign(model.average.begin(), bias);
  result.bias.assign(bias, model.average.end());
  return result;
}

Updated Update::operator()(const SliceSum& sum) const {
  const Model& from = *sum.of->weights;
  Model& to = *sum.of->to;
  if (!is_prepared(optimizer, from))
    throw std::invalid_argument("a model without what this optimiser keeps beside it, expected one of prepare()");
  const OptimizerStep step(optimizer, from, to);
  const auto rows = static_cast<float>(sum.of->rows);
  // at: where their gradient begins, in that of the batch.
  const auto part = [&](const auto& now, auto& next, std::size_t at, float divisor, double decay) {
    const std::size_t first = std::max(sum.begin, at), last = std::min(sum.end, at + now.size());
    if (first < last)
      step({now.data() + (first - at), next.data() + (first - at), first, last - first},
           sum.values + (first - sum.begin), divisor, rows, decay);
  };
  part(from.weights, to.weights, 0, from.divisor, optimizer.weight_decay);
  part(from.bias, to.bias, from.weights.size(), 1, 0);
  return {sum.of};
}

}  // namespace sluice::stages
