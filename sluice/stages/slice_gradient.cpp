#include <sluice/stages/slice_gradient.hpp>

#include <algorithm>
#include <bit>
#include <stdexcept>

#include <sluice/stages/huge_pages.hpp>
#include <sluice/stages/kernels/kernels.hpp>

namespace sluice::stages {

void GatherScored::operator()(Group<Scored> shards, ScoredBatch& out) {
  const Shard& first = shards[0].shard;
  const Model& model = *first.model;
  const Batch& from = *first.batch;
  out.rows = from.count();
  if (out.rows == 0) throw std::invalid_argument("batch of 0 rows, expected at least 1: it has no gradient");
  limits.check(out.rows, model.pixels, model.classes);
  out.batch.rows.assign(from.rows.begin(), from.rows.end());
  out.batch.labels.assign(from.labels.begin(), from.labels.end());
  out.batch.owners.assign(from.owners.begin(), from.owners.end());
  out.batch.pixels = from.pixels;
  out.batch.type = from.type;
  out.begin(*first.weights, models_);

  Scored& all = out.scored;
  all.delta.resize(kernels::delta_size(out.rows, model.classes));
  all.label_logit.resize(out.rows);
  all.exp_sum.resize(out.rows);
  all.predicted.resize(out.rows);
  for (const Scored& s : shards) {
    const std::size_t row = s.shard.first_row, rows = s.shard.rows;
    std::copy_n(s.delta.data(), kernels::delta_size(rows, model.classes),
                all.delta.data() + kernels::delta_size(row, model.classes));
    std::copy_n(s.label_logit.data(), rows, all.label_logit.data() + row);
    std::copy_n(s.exp_sum.data(), rows, all.exp_sum.data() + row);
    std::copy_n(s.predicted.data(), rows, all.predicted.data() + row);
  }
  all.shard = {.batch = &out.batch, .model = out.weights.get(), .weights = &out.weights, .rows = out.rows};
}

std::optional<std::size_t> GatherScored::payload_bytes() const {
  const auto scored = SoftmaxForward{.limits = limits}.payload_bytes();
  if (!scored) return std::nullopt;
  // Rows, labels and the handle of what they lie in; vectors that grew may have room for twice as many.
  return *scored + 2 * limits.rows * (sizeof(const std::uint8_t*) + sizeof(std::uint16_t)) + 2 * sizeof(Shared<Bytes>) +
         bytes_taken(limits.rows * row_bytes) + StepPlan::bytes(limits);
}

PixelSlice PixelSlicer::operator()(const ScoredBatch& batch, std::size_t part, std::size_t parts) const {
  using kernels::lanes;
  const std::size_t pixels = batch.weights->pixels, chunks = (pixels + lanes - 1) / lanes;
  const std::size_t first = std::min(chunks * part / parts * lanes, pixels);
  const std::size_t last = std::min(chunks * (part + 1) / parts * lanes, pixels);
  return {&batch, first, last - first, part + 1 == parts};
}

void SliceGradient::operator()(const PixelSlice& slice, SliceGradientSum& out) const {
  const Scored& scored = slice.of->scored;
  const std::size_t classes = scored.shard.model->classes;
  limits.check(scored.shard.rows, scored.shard.model->pixels, classes);
  out.of = slice.of;
  out.begin = kernels::weights_size(slice.first, classes);
  out.end = out.begin + kernels::weights_size(slice.pixels, classes) + (slice.bias ? kernels::padded(classes) : 0);
  if (slice.pixels == 0) {
    out.end = out.begin;
    return;
  }
  gradient_of(scored, slice.first, slice.pixels, slice.bias, out.partial);
  out.nodes.clear();
  for (std::size_t i = 0; i < out.partial.nodes.size(); i++) out.nodes.push_back(out.partial.node(i));
  addition_plan(out.partial.nodes, out.additions);
  out.add_up(out.nodes, out.additions, 0);
}

std::optional<std::size_t> SliceGradient::payload_bytes() const {
  if (!limits.known()) return std::nullopt;
  using kernels::lanes;
  const std::size_t blocks = (limits.rows + kernels::row_block - 1) / kernels::row_block;
  const std::size_t chunks = (limits.pixels + lanes - 1) / lanes, pixels = (chunks + slices - 1) / slices * lanes;
  const std::size_t floats = kernels::gradient_size(pixels, limits.classes);
  const std::size_t nodes = static_cast<std::size_t>(std::bit_width(blocks)) + 1;
  return SliceSum::bytes(nodes, floats) +
         2 * nodes * (floats * sizeof(float) + 2 * sizeof(BlockNode) + sizeof(const float*) + sizeof(Addition));
}

}  // namespace sluice::stages
