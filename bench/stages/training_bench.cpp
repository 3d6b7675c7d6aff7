// The stages of a training step, each alone and all together on one thread, at every instruction-set level.
//
// Arguments: pixels, classes, rows of a batch. Items are rows, bytes are pixels; `peak` is the share of the machine's
// multiply-add peak at that level, measured in the same process. Each benchmark first compares its stage with the
// reference on Eigen and reports nothing where they differ.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <sluice/stages/accuracy.hpp>
#include <sluice/stages/forward.hpp>
#include <sluice/stages/gradient.hpp>
#include <sluice/stages/kernels/kernels.hpp>
#include <sluice/stages/loss.hpp>
#include <sluice/stages/optimizer.hpp>
#include <sluice/stages/plan.hpp>
#include <sluice/stages/reduce.hpp>
#include <sluice/stages/shard.hpp>
#include <sluice/stages/slice.hpp>
#include <sluice/stages/softmax.hpp>
#include "bench/stages/example.hpp"
#include "bench/stages/peak.hpp"

namespace sluice::bench {
namespace {

using namespace sluice::stages;

Matrix unpacked(const float* packed, std::size_t rows, std::size_t columns) {
  Matrix m(rows, columns);
  for (std::size_t r = 0; r < rows; r++)
    for (std::size_t c = 0; c < columns; c++)
      m(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(c)) = packed[kernels::packed_index(r, c, columns)];
  return m;
}

// One thread's way through a step.
struct Step {
  Shard shard;
  Scored scored;
  Shared<PartialGradient> partial;
  Plan planner;
  GradientPlan plan;
  SliceSum sum;
  Optimizer optimizer{};

  void forward(const Work& work) { SoftmaxForward{}(shard = Sharder{}(work, 0, 1), scored); }
  void backward() { SoftmaxGradient{}(scored, partial); }
  void plan_and_add() {
    const auto* slots = static_cast<const std::byte*>(static_cast<const void*>(&partial));
    planner({slots, sizeof partial, 0, 0, 1}, plan);
    Reduce{}(Slicer{}(plan, 0, 1), sum);
  }
  void update() { Update{optimizer}(sum); }
};

// Whether the stages agree with the reference on this batch.
bool right(const Work& work, std::string& why) {
  const auto& [batch, weights] = work;
  const Model& model = *weights;
  Step step;
  step.forward(work);
  step.backward();
  step.plan_and_add();

  Matrix x(batch.count(), batch.pixels);
  for (Eigen::Index r = 0; r < x.rows(); r++)
    for (Eigen::Index p = 0; p < x.cols(); p++)
      x(r, p) = static_cast<float>(batch.rows[static_cast<std::size_t>(r)][p]) / 255;
  const Matrix y_hat = softmax(x * unpacked(model.weights.data(), model.pixels, model.classes));  // the bias is zero
  Matrix delta = y_hat;
  for (Eigen::Index r = 0; r < x.rows(); r++) delta(r, batch.labels[static_cast<std::size_t>(r)]) -= 1;
  const Matrix gradient = x.transpose() * delta * 255;
  const double loss = cross_entropy(y_hat, batch.labels).cast<double>().sum();

  if ((unpacked(step.scored.delta.data(), batch.count(), model.classes) - delta).cwiseAbs().maxCoeff() > 1e-4f)
    return why = "forward differs from the reference", false;
  if ((unpacked(step.sum.values, model.pixels, model.classes) - gradient).cwiseAbs().maxCoeff() >
      1e-3f * gradient.cwiseAbs().maxCoeff())
    return why = "gradient differs from the reference", false;
  if (std::abs(CrossEntropy{}(step.scored).sum - loss) > 1e-4 * loss)
    return why = "loss differs from the reference", false;
  return true;
}

class Run {
 public:
  // A row costs `products` multiply-adds for each of its pixels and classes; 0: it is not counted in them.
  Run(benchmark::State& state, const kernels::Table& level, int products = 0)
      : state_(state),
        level_(level),
        products_(products),
        example(static_cast<std::size_t>(state.range(0)), static_cast<std::size_t>(state.range(1)),
                static_cast<std::size_t>(state.range(2))) {
    kernels::force(level.name);
    std::string why;
    if (!(ready = right(example.work, why))) state.SkipWithError(why.c_str());
  }
  ~Run() {
    state_.SetItemsProcessed(state_.iterations() * state_.range(2));
    const auto pixels = state_.iterations() * state_.range(2) * state_.range(0);
    state_.SetBytesProcessed(pixels);
    const double peak = products_ ? peak_of(level_) : 0;
    if (peak > 0)
      state_.counters["peak"] = benchmark::Counter(static_cast<double>(pixels * state_.range(1) * products_) / peak,
                                                   benchmark::Counter::kIsRate);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

 private:
  static double peak_of(const kernels::Table& level) {
    static std::map<std::string, double> known;
    const auto [at, fresh] = known.try_emplace(level.name);
    if (fresh) at->second = peak_multiply_adds(level.name);
    return at->second;
  }
  benchmark::State& state_;
  const kernels::Table& level_;
  int products_;

 public:
  Example example;
  Step step;
  bool ready = false;
};

void forward(benchmark::State& state, const kernels::Table& level) {
  Run run(state, level, 1);
  if (!run.ready) return;
  for (auto _ : state) {
    run.step.forward(run.example.work);
    run.example.advance();
  }
}

void gradient(benchmark::State& state, const kernels::Table& level) {
  Run run(state, level, 1);
  if (!run.ready) return;
  run.step.forward(run.example.work);
  for (auto _ : state) run.step.backward();  // the rows are in the cache, as they are after forward
}

void reduce_and_update(benchmark::State& state, const kernels::Table& level) {
  Run run(state, level);
  if (!run.ready) return;
  run.step.forward(run.example.work);
  run.step.backward();
  for (auto _ : state) {
    run.step.plan_and_add();
    run.step.update();
  }
}

void loss_and_hits(benchmark::State& state, const kernels::Table& level) {
  Run run(state, level);
  if (!run.ready) return;
  run.step.forward(run.example.work);
  for (auto _ : state) {
    benchmark::DoNotOptimize(CrossEntropy{}(run.step.scored).sum);
    benchmark::DoNotOptimize(Accuracy{}(run.step.scored).hits);
  }
}

void whole_step(benchmark::State& state, const kernels::Table& level, const Optimizer& optimizer) {
  Run run(state, level, 2);
  if (!run.ready) return;
  auto& [batch, weights] = run.example.work;
  Model first = *weights;
  prepare(run.step.optimizer = optimizer, first);
  weights = {};
  weights.renew() = first;
  for (auto _ : state) {
    run.step.forward(run.example.work);
    run.step.backward();
    run.step.plan_and_add();
    run.step.update();
    weights = run.step.plan.next;
    run.example.advance();
  }
}

void reference_on_eigen(benchmark::State& state) {
  Example example(static_cast<std::size_t>(state.range(0)), static_cast<std::size_t>(state.range(1)),
                  static_cast<std::size_t>(state.range(2)));
  const auto& [batch, weights] = example.work;
  Matrix w = unpacked(weights->weights.data(), weights->pixels, weights->classes);
  Matrix x(batch.count(), batch.pixels);
  for (auto _ : state) {
    for (Eigen::Index r = 0; r < x.rows(); r++)
      for (Eigen::Index p = 0; p < x.cols(); p++)
        x(r, p) = static_cast<float>(batch.rows[static_cast<std::size_t>(r)][p]) / 255;
    Matrix delta = softmax(x * w);
    for (Eigen::Index r = 0; r < x.rows(); r++) delta(r, batch.labels[static_cast<std::size_t>(r)]) -= 1;
    w -= 0.1f / static_cast<float>(x.rows()) * (x.transpose() * delta);
    benchmark::DoNotOptimize(w.data());
    example.advance();
  }
  state.SetItemsProcessed(state.iterations() * state.range(2));
  state.SetBytesProcessed(state.iterations() * state.range(2) * state.range(0));
}

void register_all() {
  const std::vector<std::vector<std::int64_t>> shapes = {{784, 10, 256},  {784, 26, 256},  {784, 63, 256},
                                                         {784, 200, 256}, {3072, 10, 256}, {784, 10, 4096}};
  for (const auto& shape : shapes) benchmark::RegisterBenchmark("reference_on_eigen", reference_on_eigen)->Args(shape);
  for (const kernels::Table* level : kernels::available()) {
    const std::string suffix = std::string("/") + level->name;
    const auto add = [&](const char* name, auto body, const auto&... more) {
      for (const auto& shape : shapes)
        benchmark::RegisterBenchmark((name + suffix).c_str(), body, *level, more...)->Args(shape);
    };
    add("forward", forward);
    add("gradient", gradient);
    add("reduce_and_update", reduce_and_update);
    add("loss_and_hits", loss_and_hits);
    for (const auto& [name, kind] : {std::pair("", Optimizer::Kind::sgd), std::pair("_adam", Optimizer::Kind::adam)})
      add((std::string("whole_step") + name).c_str(), whole_step, Optimizer{.kind = kind, .rate = 0.001});
  }
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  sluice::bench::register_all();
  benchmark::RunSpecifiedBenchmarks();
}
