#include <sluice/stages/forward.hpp>

#include <fmt/format.h>

#include <stdexcept>

#include <sluice/stages/kernels/kernels.hpp>

namespace sluice::stages {
namespace {

void weigh(const std::vector<float>& class_weights, const std::uint16_t* labels, std::size_t rows, std::size_t classes,
           float* delta) {
  using kernels::lanes;
  for (std::size_t first = 0; first < rows; first += lanes, delta += classes * lanes) {
    float weights[lanes] = {};  // past the last row delta stays 0
    for (std::size_t i = 0; i < lanes && first + i < rows; ++i) weights[i] = class_weights.at(labels[first + i]);
    for (std::size_t c = 0; c < classes; ++c)
      for (std::size_t i = 0; i < lanes; ++i) delta[c * lanes + i] *= weights[i];
  }
}

}  // namespace

void SoftmaxForward::operator()(const Shard& shard, Scored& out) const {
  const Batch& batch = *shard.batch;
  const Model& model = *shard.model;
  if (batch.pixels != model.pixels)
    throw std::invalid_argument(fmt::format("rows of {} pixels, the model expects {}: was it trained on other images?",
                                            batch.pixels, model.pixels));
  limits.check(shard.rows, model.pixels, model.classes);
  out.shard = shard;
  out.delta.resize(kernels::delta_size(shard.rows, model.classes));
  out.label_logit.resize(shard.rows);
  out.exp_sum.resize(shard.rows);
  out.predicted.resize(shard.rows);
  kernels::active().forward({.rows = batch.rows.data() + shard.first_row,
                             .type = batch.type,
                             .labels = batch.labels.empty() ? nullptr : batch.labels.data() + shard.first_row,
                             .count = shard.rows,
                             .pixels = model.pixels,
                             .classes = model.classes,
                             .weights = model.weights.data(),
                             .bias = model.bias.data(),
                             .scale = 1 / model.divisor,
                             .delta = out.delta.data(),
                             .label_logit = out.label_logit.data(),
                             .exp_sum = out.exp_sum.data(),
                             .predicted = out.predicted.data()});
  if (class_weights && !batch.labels.empty())
    weigh(*class_weights, batch.labels.data() + shard.first_row, shard.rows, model.classes, out.delta.data());
}

float probability(const Scored& scored, std::size_t row, std::size_t c) {
  using kernels::lanes;
  const std::vector<std::uint16_t>& labels = scored.shard.batch->labels;
  const float delta = scored.delta[(row / lanes * scored.shard.model->classes + c) * lanes + row % lanes];
  return !labels.empty() && labels[scored.shard.first_row + row] == c ? delta + 1 : delta;
}

std::optional<std::size_t> SoftmaxForward::payload_bytes() const {
  if (!limits.known()) return std::nullopt;
  return kernels::delta_size(limits.rows, limits.classes) * sizeof(float) +
         limits.rows * (2 * sizeof(float) + sizeof(std::uint16_t));
}

}  // namespace sluice::stages
