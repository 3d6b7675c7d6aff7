#include <sluice/stages/plan.hpp>

#include <stdexcept>

#include <sluice/stages/kernels/kernels.hpp>

namespace sluice::stages {

void StepPlan::begin(const Weights& from, Pool<Model>& models) {
  weights = from;
  Model& model = models.take(next);
  model.pixels = from->pixels;
  model.classes = from->classes;
  model.divisor = from->divisor;
  if (model.inputs.get() != from->inputs.get()) model.inputs = from->inputs;
  model.weights.resize(from->weights.size());
  model.bias.resize(from->bias.size());
  model.steps = from->steps + 1;
  for (std::size_t i = 0; i < model.moments.size(); i++) model.moments[i].resize(from->moments[i].size());
  model.average.resize(from->average.size());
  to = &model;
}

std::size_t StepPlan::bytes(const Limits& limits) {
  const std::size_t parameters = kernels::weights_size(limits.pixels, limits.classes) + limits.classes;
  return sizeof(Model) + (1 + limits.beside) * parameters * sizeof(float);
}

void Plan::operator()(Group<Shared<PartialGradient>> shards, GradientPlan& out) {
  out.places.clear();
  out.additions.clear();
  out.partials.clear();
  out.nodes.clear();
  out.size = out.rows = 0;
  for (const Shared<PartialGradient>& partial : shards) {
    out.size = partial->node_size;
    if (partial->nodes.empty()) continue;
    out.partials.push_back(partial);
    for (std::size_t i = 0; i < partial->nodes.size(); i++) {
      out.places.push_back(partial->nodes[i]);
      out.nodes.push_back(partial->node(i));
    }
    out.rows += partial->shard.rows;
  }
  const Shard& first = shards[0]->shard;
  if (part)
    out.step = first.batch->step;
  else if (out.places.empty())
    throw std::invalid_argument("batch of 0 rows, expected at least 1: it has no gradient");
  else
    addition_plan(out.places, out.additions);
  out.begin(*first.weights, models_);
}

std::optional<std::size_t> Plan::payload_bytes() const {
  if (!limits.known()) return std::nullopt;
  // Vectors that grew may have room for twice as many.
  const std::size_t blocks = (limits.rows + kernels::row_block - 1) / kernels::row_block;
  return 2 * blocks * (sizeof(Shared<PartialGradient>) + sizeof(const float*) + sizeof(BlockNode) + sizeof(Addition)) +
         StepPlan::bytes(limits);
}

}  // namespace sluice::stages
