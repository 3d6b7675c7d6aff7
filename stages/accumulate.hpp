// The end of the side branch: the loss and the hits of all batches of a run.
//
// a batch's loss and hits -> running sums: the loss in double, in batch order; hits and rows as whole numbers.
// Order and thread-safety: a sink, one batch at a time, in order; read it when the run is over.
// Errors: std::logic_error if loss and hits are of different numbers of rows, so not of the same batch.
//
//   Accumulate sums;
//   g.sink("accumulate", std::ref(sums), losses, hits);
//   g.run();
//   fmt::print("loss {:.4f}, accuracy {:.4f}\n", sums.mean_loss(), sums.accuracy());
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include "pipeline/verbs.hpp"
#include "stages/accuracy.hpp"
#include "stages/loss.hpp"

namespace sluice::stages {

struct Accumulate {
  double loss = 0;          // sum of -log p[label]
  std::uint64_t hits = 0;   // rows whose prediction is their label
  std::uint64_t count = 0;  // rows

  void operator()(const BatchLoss& batch_loss, const BatchHits& batch_hits) {
    if (batch_loss.count != batch_hits.count) throw std::logic_error("loss and hits of different batches");
    loss += batch_loss.sum;
    hits += batch_hits.hits;
    count += batch_loss.count;
  }
  void reset() { *this = {}; }

  double mean_loss() const { return count ? loss / static_cast<double>(count) : 0; }
  double accuracy() const { return count ? static_cast<double>(hits) / static_cast<double>(count) : 0; }
};

static_assert(verbs::Sink<Accumulate, BatchLoss, BatchHits>);

}  // namespace sluice::stages
