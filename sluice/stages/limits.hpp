// The largest shapes that a stage will meet, from which it states the most memory one of its outputs owns.
//
// Zeros mean unknown: nothing is stated then. A stage refuses what exceeds a stated limit, so that the bound holds.
// Errors: check() throws std::length_error.
//
//   SoftmaxForward{.limits = {.rows = 256, .pixels = 784, .classes = 10}}
#pragma once

#include <cstddef>

namespace sluice::stages {

struct Limits {
  std::size_t rows = 0;     // of a shard
  std::size_t pixels = 0;   // of a row
  std::size_t classes = 0;  // 2 .. 65536
  std::size_t beside = 0;   // runs of numbers, as long as the parameters, that a model has beside them: runs_beside()

  bool known() const { return rows > 0 && pixels > 0 && classes > 0; }
  void check(std::size_t its_rows, std::size_t its_pixels, std::size_t its_classes) const;
};

}  // namespace sluice::stages
