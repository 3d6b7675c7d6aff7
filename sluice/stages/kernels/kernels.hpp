// The kernels of training, for the best instruction-set level that this machine can run, chosen at start.
//
// Order and thread-safety: kernels are pure functions of their arguments and may run on any number of threads.
// force() is for tests, benchmarks and the start of a program: not while kernels run.
// Errors: force() throws std::invalid_argument naming the levels available.
//
//   const kernels::Table& k = kernels::active();
//   k.forward({.rows = rows, .labels = labels, ...});
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <sluice/stages/kernels/table.hpp>

namespace sluice::kernels {

constexpr std::size_t padded(std::size_t count) {
  return (count + lanes - 1) / lanes * lanes;
}
constexpr std::size_t weights_size(std::size_t pixels, std::size_t classes) {
  return padded(pixels) * classes;
}
constexpr std::size_t delta_size(std::size_t rows, std::size_t classes) {
  return padded(rows) * classes;
}
constexpr std::size_t gradient_size(std::size_t pixels, std::size_t classes) {
  return weights_size(pixels, classes) + padded(classes);
}

// Where the value of a pixel and a class lies in packed weights, and that of a row and a class in delta.
constexpr std::size_t packed_index(std::size_t pixel_or_row, std::size_t of_class, std::size_t classes) {
  return (pixel_or_row / lanes * classes + of_class) * lanes + pixel_or_row % lanes;
}

// The levels that this build has and this machine can run, best first; never empty.
std::span<const Table* const> available();

// The level in use: the best one, or the one forced.
const Table& active();
void force(std::string_view isa);

}  // namespace sluice::kernels
