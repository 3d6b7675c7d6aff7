// How the learning rate changes while a training goes on.
//
// step, from 0 -> what the rate is multiplied by there, float64 in [0, 1], the same bits on every machine
// (rate_factor). While it warms up, (step + 1) / warmup; then, with x = (step - warmup) / (total - warmup), and 1 from
// `total` on:
//
//   constant   1
//   linear     1 - x
//   cosine     (1 + cos(pi x)) / 2                   Loshchilov, Hutter: SGDR (ICLR 2017), without restarts
//   step       gamma^floor(step / every)             as PyTorch's StepLR
//
// Pure functions. Errors: check() throws std::invalid_argument naming the field, its value and its range.
//
//   rate_factor({.kind = Schedule::Kind::cosine, .warmup = 100, .total = 1000}, 550)   // 0.5
#pragma once

#include <cstdint>

namespace sluice::stages {

struct Schedule {
  enum class Kind : std::uint8_t { constant, linear, cosine, step };

  Kind kind = Kind::constant;
  std::uint64_t warmup = 0;  // steps, < total where that is known
  std::uint64_t total = 0;   // steps of the whole training; 0: not known, where nothing needs it
  std::uint64_t every = 0;   // steps, of kind step; 0: a third of `total`, rounded up
  double gamma = 0.1;        // of kind step, in (0, 1]
};

double rate_factor(const Schedule& schedule, std::uint64_t step);

void check(const Schedule& schedule);

}  // namespace sluice::stages
