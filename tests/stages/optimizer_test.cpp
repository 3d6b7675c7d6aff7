#include <sluice/stages/optimizer.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/stages/example.hpp"

namespace sluice::stages::testing {
namespace {

using Kind = Optimizer::Kind;
constexpr Kind all_kinds[] = {Kind::sgd, Kind::momentum, Kind::nesterov, Kind::adam, Kind::adamw};

Weights handle(const Model& model) {
  Weights weights;
  weights.renew() = model;
  return weights;
}

// Steps on gradients that are given, in slices of cache lines.
struct Steps {
  Steps(const Optimizer& its_optimizer, Model first) : optimizer(its_optimizer) {
    prepare(optimizer, first);
    weights = handle(first);
  }
  // gradient: as Reduce gives it, a sum over the rows.
  void operator()(const std::vector<float>& gradient, std::size_t rows = 1, std::size_t slices = 1) {
    StepPlan plan;
    plan.rows = rows;
    plan.begin(weights, models);
    const std::size_t lines = gradient.size() / kernels::lanes;
    for (std::size_t s = 0; s < slices; ++s) {
      SliceSum sum;
      sum.of = &plan;
      sum.begin = lines * s / slices * kernels::lanes, sum.end = lines * (s + 1) / slices * kernels::lanes;
      sum.values = gradient.data() + sum.begin;
      Update{optimizer}(sum);
    }
    weights = plan.next;
  }
  std::string bytes() const {
    const Model& m = *weights;
    return bytes_of(m.weights) + bytes_of(m.bias) + bytes_of(m.moments[0]) + bytes_of(m.moments[1]) +
           bytes_of(m.average);
  }

  Optimizer optimizer;
  Weights weights;
  Pool<Model> models;
};

// Of every weight and of the bias, for the rows and the pixels' divisor that are theirs; zero past the last pixel.
std::vector<float> random_gradient(const Model& model, std::size_t rows, std::uint64_t seed) {
  Numbers numbers(seed);
  const auto next = [&] {
    return (static_cast<float>(numbers.whole(1 << 16)) - 32768) / 32768 * static_cast<float>(rows);
  };
  std::vector<float> gradient(kernels::gradient_size(model.pixels, model.classes));
  for (std::size_t pixel = 0; pixel < model.pixels; ++pixel)
    for (std::size_t c = 0; c < model.classes; ++c)
      gradient[kernels::packed_index(pixel, c, model.classes)] = next() * model.divisor;
  for (std::size_t c = 0; c < model.classes; ++c) gradient[model.weights.size() + c] = next();
  return gradient;
}

// A model of one pixel, two classes and no divisor, of which numbers are worked out by hand: the first class' weight,
// and its bias.
struct ByHand {
  ByHand(const Optimizer& optimizer, float weight, float bias) : steps(optimizer, model(weight, bias)) {}
  void step(float of_weight, float of_bias) {
    std::vector<float> gradient(kernels::gradient_size(1, 2));
    gradient[0] = of_weight, gradient[32] = of_bias;
    steps(gradient);
  }
  std::pair<float, float> now() const { return {steps.weights->weights[0], steps.weights->bias[0]}; }

  static Model model(float weight, float bias) {
    Model m = zero_model(1, 2);
    m.weights[0] = weight, m.bias[0] = bias, m.divisor = 1;
    return m;
  }
  Steps steps;
};

TEST(Sgd, TakesTheRateTimesTheMeanGradientFromTheWeights) {
  const Example example(300, 20, 3);
  const Weights weights = example_weights(20, 3);
  const Step step(example.batch, weights, 1, 2, {.rate = 0.25});
  const Weights& next = step.next;
  const Matrix gradient = example.matrix().transpose() * delta_of(step.scored[0]) / 300;
  const Matrix expected = matrix_of(weights->weights.data(), 20, 3) - 0.25f * gradient;
  EXPECT_LE((matrix_of(next->weights.data(), 20, 3) - expected).cwiseAbs().maxCoeff(), 1e-6f);
  const Matrix mean = sum(delta_of(step.scored[0]), 0) / 300;
  for (std::size_t c = 0; c < 3; c++)
    EXPECT_NEAR(next->bias[c], weights->bias[c] - 0.25f * mean(0, static_cast<Eigen::Index>(c)), 1e-6f);
}

// The gradient of the weights is of pixels as they are, that of the bias has none in it.
TEST(Sgd, TakesTheDivisorOfThePixelsFromTheStepOfTheWeightsAlone) {
  const Example example(300, 20, 3);
  Weights weights = example_weights(20, 3);
  Model scaled = *weights;
  scaled.divisor = 51;
  weights.renew() = scaled;
  const Step step(example.batch, weights, 1, 2, {.rate = 0.25});
  const Weights& next = step.next;
  EXPECT_EQ(next->divisor, 51);
  const Matrix delta = delta_of(step.scored[0]), gradient = example.matrix().transpose() * 5 * delta / 300;
  const Matrix expected = matrix_of(weights->weights.data(), 20, 3) - 0.25f * gradient;
  EXPECT_LE((matrix_of(next->weights.data(), 20, 3) - expected).cwiseAbs().maxCoeff(), 1e-5f);
  const Matrix mean = sum(delta, 0) / 300;
  for (std::size_t c = 0; c < 3; c++)
    EXPECT_NEAR(next->bias[c], weights->bias[c] - 0.25f * mean(0, static_cast<Eigen::Index>(c)), 1e-6f);
}

TEST(Sgd, LeavesTheWeightsOfTheGradientUntouched) {
  const Weights weights = example_weights(20, 3);
  const std::string before = bytes_of(weights->weights);
  const Step step(Example(64, 20, 3).batch, weights, 1);
  EXPECT_EQ(bytes_of(weights->weights), before);
  EXPECT_NE(bytes_of(step.next->weights), before);
}

TEST(Sgd, PlacesPastTheLastPixelStayZero) {
  const Step step(Example(64, 17, 3).batch, example_weights(17, 3), 1);
  for (std::size_t c = 0; c < 3; c++)
    for (std::size_t lane = 1; lane < 16; lane++) EXPECT_EQ(step.next->weights[(3 + c) * 16 + lane], 0);
}

TEST(Sgd, StepsMakeTheLossOfABatchSmaller) {
  const Example example(256, 50, 10);
  Weights weights = example_weights(50, 10);
  double before = 1e9;
  for (int i = 0; i < 10; i++) {
    const Step step(example.batch, weights, 2);
    EXPECT_LT(step.loss.sum, before);
    before = step.loss.sum;
    weights = step.next;
  }
}

TEST(Optimizer, TheDefaultIsOneFusedMultiplyAddAndKeepsNothing) {
  const Model first = *example_weights(33, 10);
  Steps steps({}, first);
  const std::vector<float> gradient = random_gradient(first, 77, 1);
  steps(gradient, 77, 3);
  std::vector<float> weights(first.weights.size()), bias(10);
  kernels::active().update(weights.data(), first.weights.data(), gradient.data(), 0.1f / (first.divisor * 77),
                           weights.size());
  kernels::active().update(bias.data(), first.bias.data(), gradient.data() + weights.size(), 0.1f / 77, 10);
  EXPECT_EQ(steps.bytes() == bytes_of(weights) + bytes_of(bias), true);
  EXPECT_EQ(steps.weights->steps, 1u);
  EXPECT_EQ(runs_beside({}), 0u);
}

TEST(Optimizer, MomentumByHand) {
  ByHand m({.kind = Kind::momentum, .rate = 0.5, .momentum = 0.5}, 4, 8);
  m.step(1, 2);
  EXPECT_EQ(m.now(), std::pair(3.5f, 7.f));
  m.step(1, 2);  // m = 1.5, 3
  EXPECT_EQ(m.now(), std::pair(2.75f, 5.5f));
  m.step(0, -3);  // m = 0.75, -1.5
  EXPECT_EQ(m.now(), std::pair(2.375f, 6.25f));
}

TEST(Optimizer, NesterovByHand) {
  ByHand m({.kind = Kind::nesterov, .rate = 0.5, .momentum = 0.5}, 4, 8);
  m.step(1, 2);  // m = 1, 2; by 1.5, 3
  EXPECT_EQ(m.now(), std::pair(3.25f, 6.5f));
  m.step(1, 2);  // m = 1.5, 3; by 1.75, 3.5
  EXPECT_EQ(m.now(), std::pair(2.375f, 4.75f));
}

TEST(Optimizer, AdamByHand) {
  // m = 0.5 g, v = 0.25 g^2, corrected g and g^2.
  ByHand first({.kind = Kind::adam, .rate = 0.5, .beta1 = 0.5, .beta2 = 0.75, .epsilon = 1}, 4, 8);
  first.step(1, -3);
  EXPECT_EQ(first.now(), std::pair(3.75f, 8.375f));
  // The same of every step.
  ByHand all({.kind = Kind::adam, .rate = 0.5, .beta1 = 0, .beta2 = 0, .epsilon = 1}, 4, 8);
  all.step(3, 0), all.step(-1, 1), all.step(0, 7);
  EXPECT_EQ(all.now(), std::pair(4 - 0.375f + 0.25f, 8 - 0.25f - 0.4375f));
}

TEST(Optimizer, DecayByHandIsNeverOfTheBias) {
  const double rate = 0.5, weight_decay = 0.5;
  ByHand sgd({.rate = rate, .weight_decay = weight_decay}, 4, 8);
  sgd.step(1, 0);
  EXPECT_EQ(sgd.now(), std::pair(4 - 1 - 0.5f, 8.f));
  ByHand momentum({.kind = Kind::momentum, .rate = rate, .momentum = 0.5, .weight_decay = weight_decay}, 4, 8);
  momentum.step(1, 0);  // m = 3
  EXPECT_EQ(momentum.now(), std::pair(2.5f, 8.f));
  momentum.step(0, 0);  // m = 1.5 + 1.25
  EXPECT_EQ(momentum.now(), std::pair(2.5f - 1.375f, 8.f));
  Optimizer optimizer{
      .kind = Kind::adam, .rate = rate, .beta1 = 0, .beta2 = 0, .epsilon = 1, .weight_decay = weight_decay};
  ByHand adam(optimizer, 4, 8);
  adam.step(1, 0);  // g = 3
  EXPECT_EQ(adam.now(), std::pair(4 - 0.375f, 8.f));
  optimizer.kind = Kind::adamw;
  ByHand adamw(optimizer, 4, 8);
  adamw.step(1, 0);  // from 3
  EXPECT_EQ(adamw.now(), std::pair(3 - 0.25f, 8.f));
}

TEST(Optimizer, TheScheduleIsCountedInTheStepsOfTheModel) {
  const Schedule schedule{.kind = Schedule::Kind::linear, .warmup = 2, .total = 6};
  ByHand m({.rate = 1, .schedule = schedule}, 0, 0);
  std::vector<float> moves;
  for (int i = 0; i < 7; ++i) {
    const float before = m.now().first;
    m.step(1, 0);
    moves.push_back(before - m.now().first);
  }
  EXPECT_EQ(moves, (std::vector<float>{0.5f, 1, 1, 0.75f, 0.5f, 0.25f, 0}));
}

TEST(Optimizer, TheAverageIsOfTheWeightsFromItsFirstStepOn) {
  ByHand m({.rate = 1, .average_from = 1}, 0, 8);
  const auto average = [&] {
    const Model mean = averaged(*m.steps.weights);
    EXPECT_EQ(mean.average.size(), 0u);
    return std::vector{mean.weights[0], mean.bias[0]};
  };
  EXPECT_EQ(average(), (std::vector<float>{0, 8}));
  m.step(-1, 0);
  EXPECT_EQ(average(), (std::vector<float>{1, 8}));
  m.step(-1, 2);  // 2, 6
  EXPECT_EQ(average(), (std::vector<float>{2, 6}));
  m.step(-2, 0);  // 4, 6
  EXPECT_EQ(average(), (std::vector<float>{3, 6}));
  m.step(-5, 3);  // 9, 3
  EXPECT_EQ(average(), (std::vector<float>{5, 5}));
  EXPECT_EQ(m.now(), std::pair(9.f, 3.f));
}

TEST(Optimizer, AveragedOfAModelWithoutAverageIsItsParameters) {
  Model model = *example_weights(20, 3);
  model.divisor = 7;
  prepare({.kind = Kind::adam}, model);
  const Model same = averaged(model);
  EXPECT_EQ(weights_sha256(same), weights_sha256(model));
  EXPECT_EQ(same.divisor, 7);
  EXPECT_TRUE(same.moments[0].empty() && same.moments[1].empty());
}

// The formulas in double, of one number: of the bias without decay.
struct Reference {
  void step(const Optimizer& o, double g, double decay, double t) {
    const double rate = o.rate * rate_factor(o.schedule, static_cast<std::uint64_t>(t) - 1);
    if (o.kind == Kind::adamw)
      w -= rate * decay * w;
    else
      g += decay * w;
    if (o.kind == Kind::sgd) w -= rate * g;
    if (o.kind == Kind::momentum) w -= rate * (m = o.momentum * m + g);
    if (o.kind == Kind::nesterov) m = o.momentum * m + g, w -= rate * (g + o.momentum * m);
    if (o.kind == Kind::adam || o.kind == Kind::adamw) {
      m = o.beta1 * m + (1 - o.beta1) * g;
      v = o.beta2 * v + (1 - o.beta2) * g * g;
      w -= rate * (m / (1 - std::pow(o.beta1, t))) / (std::sqrt(v / (1 - std::pow(o.beta2, t))) + o.epsilon);
    }
    if (o.average_from && t > static_cast<double>(*o.average_from)) sum += w, ++averaged;
  }
  double w = 0, m = 0, v = 0, sum = 0, averaged = 0;
};

Optimizer example_of(Kind kind) {
  return {.kind = kind,
          .rate = kind == Kind::adam || kind == Kind::adamw ? 0.01 : 0.05,
          .weight_decay = 0.02,
          .schedule = {.kind = Schedule::Kind::cosine, .warmup = 5, .total = 60},
          .average_from = 30};
}

TEST(Optimizer, AgreesWithTheFormulasInDoubleOver50Steps) {
  const std::size_t pixels = 33, classes = 10, rows = 50;
  const Model first = *example_weights(pixels, classes);
  for (const Kind kind : all_kinds)
    for (const double decay : {0.0, 0.02}) {
      Optimizer optimizer = example_of(kind);
      optimizer.weight_decay = decay;
      Steps steps(optimizer, first);
      const std::size_t size = first.weights.size() + classes;
      std::vector<Reference> reference(size);
      const auto parameter = [&](const Model& m, std::size_t i) {
        return i < first.weights.size() ? m.weights[i] : m.bias[i - first.weights.size()];
      };
      for (std::size_t i = 0; i < size; ++i) reference[i].w = parameter(first, i);
      for (std::uint64_t t = 1; t <= 50; ++t) {
        const std::vector<float> gradient = random_gradient(first, rows, t);
        steps(gradient, rows);
        for (std::size_t i = 0; i < size; ++i) {
          const bool bias = i >= first.weights.size();
          reference[i].step(optimizer, gradient[i] / (bias ? 1. : 255.) / rows, bias ? 0 : decay,
                            static_cast<double>(t));
        }
      }
      const Model& last = *steps.weights;
      const Model mean = averaged(last);
      for (std::size_t i = 0; i < size; ++i) {
        EXPECT_NEAR(parameter(last, i), reference[i].w, 1e-6 * (1 + std::abs(reference[i].w)))
            << int(kind) << ", decay " << decay << ", number " << i;
        const double average = reference[i].sum / reference[i].averaged;
        EXPECT_NEAR(parameter(mean, i), average, 1e-6 * (1 + std::abs(average))) << int(kind) << ", number " << i;
      }
    }
}

TEST(Optimizer, SlicesAndLevelsChangeNoBit) {
  const Model first = *example_weights(33, 10);
  for (const Kind kind : all_kinds) {
    std::string one;
    for (const kernels::Table* table : kernels::available()) {
      ForcedLevel level(table->name);
      for (const std::size_t slices : Sizes{1, 2, 3, 7, 31}) {
        Steps steps(example_of(kind), first);
        for (std::uint64_t t = 1; t <= 40; ++t) steps(random_gradient(first, 5, t), 5, slices);
        if (one.empty()) one = steps.bytes();
        EXPECT_EQ(steps.bytes() == one, true) << int(kind) << " " << table->name << ", " << slices << " slices";
      }
    }
  }
}

// Written down once: another compiler or processor gives the same.
TEST(Optimizer, HasTheSameBitsEverywhere) {
  const char* const expected[] = {"568c69ca241b1a90", "4b8e760b378ffb12", "0d717ec12c4e849a", "597dfee5b11818d9",
                                  "c3b13ce0120d9d99"};
  Model first = zero_model(33, 10);
  first.bias[3] = 0.5f;
  for (const Kind kind : all_kinds) {
    Steps steps(example_of(kind), first);
    for (std::uint64_t t = 1; t <= 50; ++t) steps(random_gradient(first, 5, t), 5);
    EXPECT_EQ(weights_sha256(averaged(*steps.weights)).substr(0, 16), expected[int(kind)]);
  }
}

TEST(Optimizer, AModelThatWasKeptGoesOnAsTheTrainingDid) {
  const Model first = *example_weights(33, 10);
  for (const Kind kind : all_kinds) {
    Steps steps(example_of(kind), first);
    const auto some = [&](std::uint64_t begin, std::uint64_t end) {
      for (std::uint64_t t = begin; t < end; ++t) steps(random_gradient(first, 5, t), 5);
    };
    some(0, 35);
    const Weights kept = steps.weights;
    const std::string state = steps.bytes();
    some(35, 45);
    const std::string last = steps.bytes();
    steps.weights = kept;
    EXPECT_EQ(steps.bytes() == state, true) << int(kind);
    EXPECT_EQ(kept->steps, 35u);
    some(35, 45);
    EXPECT_EQ(steps.bytes() == last, true) << int(kind);
  }
}

TEST(Optimizer, PlacesPastTheLastPixelStayZero) {
  const Model first = *example_weights(17, 3);
  for (const Kind kind : all_kinds) {
    Steps steps(example_of(kind), first);
    for (std::uint64_t t = 0; t < 40; ++t) steps(random_gradient(first, 5, t), 5);
    for (std::size_t c = 0; c < 3; c++)
      for (std::size_t lane = 1; lane < 16; lane++) {
        EXPECT_EQ(steps.weights->weights[(3 + c) * 16 + lane], 0);
        EXPECT_EQ(steps.weights->average[(3 + c) * 16 + lane], 0);
      }
  }
}

TEST(Optimizer, AModelThatWasNotPreparedForItIsRefused) {
  const Example example(64, 17, 3);
  const Weights none = example_weights(17, 3);
  for (const Optimizer& optimizer :
       {Optimizer{.kind = Kind::momentum}, Optimizer{.kind = Kind::adam}, Optimizer{.average_from = 0}}) {
    EXPECT_THROW(Step(example.batch, none, 1, 1, optimizer), std::invalid_argument);
    Model model = *none;
    prepare(optimizer, model);
    EXPECT_EQ(Step(example.batch, handle(model), 1, 1, optimizer).next->steps, 1u);
    EXPECT_THROW(Step(example.batch, handle(model), 1), std::invalid_argument);
  }
}

TEST(Optimizer, PreparedForAnotherOneAModelKeepsNothingOfTheFirst) {
  Model model = *example_weights(17, 3);
  prepare({.kind = Kind::adam, .average_from = 0}, model);
  EXPECT_EQ(model.moments[1].size(), model.weights.size() + 3);
  model.steps = 7;
  prepare({}, model);
  EXPECT_TRUE(model.moments[0].empty() && model.moments[1].empty() && model.average.empty());
  EXPECT_EQ(model.steps, 0u);
}

TEST(Optimizer, StagesStateTheMemoryOfWhatIsKeptBesideAModel) {
  for (const Kind kind : all_kinds) {
    Optimizer optimizer = example_of(kind);
    Model model = zero_model(784, 10);
    prepare(optimizer, model);
    const std::size_t floats = model.weights.size() + model.bias.size() + model.moments[0].size() +
                               model.moments[1].size() + model.average.size();
    const Limits limits{256, 784, 10, runs_beside(optimizer)};
    EXPECT_EQ(StepPlan::bytes(limits), sizeof(Model) + floats * sizeof(float));
    EXPECT_EQ(Gather{limits}.payload_bytes(), StepPlan::bytes(limits));
  }
}

std::string refusal(const Optimizer& optimizer) {
  try {
    check(optimizer);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "";
}

TEST(Optimizer, WhatCannotBeIsRefusedByItsName) {
  for (const Kind kind : all_kinds) EXPECT_EQ(refusal(example_of(kind)), "");
  EXPECT_EQ(refusal({.momentum = 0, .beta1 = 0, .beta2 = 0}), "");
  EXPECT_EQ(refusal({.rate = 0}), "rate: 0, expected a finite number above 0");
  EXPECT_EQ(refusal({.momentum = 1}), "momentum: 1, expected at least 0, below 1");
  EXPECT_EQ(refusal({.beta1 = -0.5}), "beta1: -0.5, expected at least 0, below 1");
  EXPECT_EQ(refusal({.beta2 = 1.5}), "beta2: 1.5, expected at least 0, below 1");
  EXPECT_EQ(refusal({.epsilon = 0}), "epsilon: 0, expected a finite number, at least 1e-30");
  EXPECT_EQ(refusal({.weight_decay = -1}), "weight_decay: -1, expected a finite number, at least 0");
  EXPECT_EQ(refusal({.schedule = {.warmup = 5, .total = 5}}), "warmup: 5 steps, expected fewer than the 5 in total");
  EXPECT_EQ(refusal({.schedule = {.total = 5}, .average_from = 5}),
            "average_from: step 5, expected one of the 5, which count from 0");
  const double none = std::nan(""), all = INFINITY;
  for (const double wrong : {none, all, 1e39}) {
    EXPECT_NE(refusal({.rate = wrong}), "") << wrong;
    EXPECT_NE(refusal({.momentum = wrong}), "") << wrong;
    EXPECT_NE(refusal({.beta1 = wrong}), "") << wrong;
    EXPECT_NE(refusal({.beta2 = wrong}), "") << wrong;
    EXPECT_NE(refusal({.epsilon = wrong}), "") << wrong;
    EXPECT_NE(refusal({.weight_decay = wrong}), "") << wrong;
  }
  EXPECT_NE(refusal({.rate = 1e-50}), "") << "zero as float32";
  EXPECT_NE(refusal({.momentum = 1 - 1e-9}), "") << "one as float32";
  Model model = zero_model(1, 2);
  EXPECT_THROW(prepare({.rate = -1}, model), std::invalid_argument);
}

}  // namespace
}  // namespace sluice::stages::testing
