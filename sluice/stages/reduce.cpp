#include <sluice/stages/reduce.hpp>

#include <bit>

#include <sluice/stages/kernels/kernels.hpp>

namespace sluice::stages {
namespace {

// Sums that are needed at once: the tree is added from left to right, so that of each level one waits for its sibling,
// and the last one is being added.
std::size_t most_sums(std::size_t nodes) {
  return static_cast<std::size_t>(std::bit_width(nodes)) + 1;
}

}  // namespace

void SliceSum::add_up(std::span<const float* const> nodes, std::span<const Addition> additions, std::size_t first) {
  if (additions.empty()) {
    values = nodes[0] + first;
    return;
  }
  const std::size_t size = end - begin;
  sums.resize(most_sums(nodes.size()) * size);
  results.clear();
  const kernels::Table& kernel = kernels::active();
  std::size_t used = 0;
  const auto is_sum = [&](std::size_t operand) { return operand >= nodes.size(); };
  const auto operand = [&](std::size_t n) -> const float* {
    return is_sum(n) ? results[n - nodes.size()] : nodes[n] + first;
  };
  for (const Addition& a : additions) {
    // Sums wait in the order of a stack: what is added last is on its top.
    if (is_sum(a.left) && is_sum(a.right)) used--;
    if (!is_sum(a.left) && !is_sum(a.right)) used++;
    float* const sum = sums.data() + (used - 1) * size;
    kernel.add(sum, operand(a.left), operand(a.right), size);
    results.push_back(sum);
  }
  values = results.back();
}

std::size_t SliceSum::bytes(std::size_t blocks, std::size_t floats) {
  return most_sums(blocks) * floats * sizeof(float) + 2 * blocks * sizeof(float*);
}

void Reduce::operator()(const Slice& slice, SliceSum& out) const {
  out.of = slice.of;
  out.begin = slice.begin, out.end = slice.end;
  out.add_up(slice.of->nodes, slice.of->additions, slice.begin);
}

std::optional<std::size_t> Reduce::payload_bytes() const {
  if (!limits.known()) return std::nullopt;
  const std::size_t blocks = (limits.rows + kernels::row_block - 1) / kernels::row_block;
  const std::size_t lines = kernels::gradient_size(limits.pixels, limits.classes) / kernels::lanes;
  return SliceSum::bytes(blocks, (lines + slices - 1) / slices * kernels::lanes);
}

}  // namespace sluice::stages
