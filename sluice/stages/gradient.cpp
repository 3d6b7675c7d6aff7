#include <sluice/stages/gradient.hpp>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

#include <sluice/stages/kernels/kernels.hpp>

namespace sluice::stages {
namespace {

constexpr std::size_t most_merges = 64;  // levels of a tree that is numbered by std::size_t

std::size_t blocks_of(std::size_t rows) {
  return (rows + kernels::row_block - 1) / kernels::row_block;
}

}  // namespace

void gradient_of(const Scored& scored, std::size_t first_pixel, std::size_t pixels, bool bias, PartialGradient& out) {
  const Shard& shard = scored.shard;
  const Model& model = *shard.model;
  const std::size_t first = shard.first_block, last = first + blocks_of(shard.rows);
  out.shard = shard;
  out.node_size = kernels::weights_size(pixels, model.classes) + (bias ? kernels::padded(model.classes) : 0);
  out.nodes.clear();
  out.values.resize(most_nodes(first, last) * out.node_size);

  const kernels::Table& kernel = kernels::active();
  const std::uint8_t* const* rows = shard.batch->rows.data() + shard.first_row;
  const std::span<const std::uint8_t* const> upcoming = shard.upcoming;
  const float* merge[most_merges];
  for (std::size_t block = first, row = 0; block < last; block++, row += kernels::row_block) {
    BlockNode node{0, block};
    std::size_t merges = 0;
    for (const std::size_t wanted = merges_after(first, block); merges < wanted; merges++) {
      out.nodes.pop_back();
      merge[merges] = out.node(out.nodes.size());
      node = {node.level + 1, node.index / 2};
    }
    kernel.gradient_block(
        {.rows = rows + row,
         .type = shard.batch->type,
         .count = std::min(kernels::row_block, shard.rows - row),
         .first_pixel = first_pixel,
         .pixels = pixels,
         .classes = model.classes,
         .bias = bias,
         .delta = scored.delta.data() + kernels::delta_size(row, model.classes),
         .merge = merge,
         .merges = merges,
         .out = out.values.data() + out.nodes.size() * out.node_size,
         .upcoming = upcoming.data() + std::min(row, upcoming.size()),
         .upcoming_count = std::min(kernels::row_block, upcoming.size() - std::min(row, upcoming.size()))});
    out.nodes.push_back(node);
  }
}

void SoftmaxGradient::operator()(const Scored& scored, PartialGradient& out) const {
  const Model& model = *scored.shard.model;
  limits.check(scored.shard.rows, model.pixels, model.classes);
  gradient_of(scored, 0, model.pixels, true, out);
}

std::optional<std::size_t> SoftmaxGradient::payload_bytes() const {
  if (!limits.known()) return std::nullopt;
  // A run of n blocks falls into at most two nodes a level; a vector that grew to as many may have room for twice that.
  const std::size_t nodes = 2 * static_cast<std::size_t>(std::bit_width(blocks_of(limits.rows)));
  return sizeof(PartialGradient) +
         nodes * (kernels::gradient_size(limits.pixels, limits.classes) * sizeof(float) + 2 * sizeof(BlockNode));
}

}  // namespace sluice::stages
