// The end of the side branch: the loss and the hits of all batches of a run.
//
// a batch's loss and hits -> the chapter's Accumulator of loss, hits and rows: the loss in batch order, the others
// whole. A run that goes on with an epoch starts from what was `carried` over, with the same bits as one that was never
// interrupted. Order and thread-safety: a sink, one batch at a time, in order; read it when the run is over. Errors:
// DivergedError at the first batch whose loss is no finite number; std::logic_error if loss and hits are of different
// numbers of rows, so not of the same batch.
//
//   Accumulate sums;
//   g.sink("accumulate", std::ref(sums), losses, hits);
//   g.run();
//   fmt::print("loss {:.4f}, accuracy {:.4f}\n", sums.mean_loss(), sums.accuracy());
#pragma once

#include <cmath>
#include <cstddef>
#include <stdexcept>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/accumulator.hpp>
#include <sluice/stages/accuracy.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/loss.hpp>

namespace sluice::stages {

struct Accumulate {
  Accumulator sums{"loss", "hits", "count"};  // whole numbers up to 2^53 are exact
  Accumulator carried = sums;                 // what a run starts from

  void operator()(const BatchLoss& loss, const BatchHits& hits) {
    if (loss.count != hits.count) throw std::logic_error("loss and hits of different batches");
    if (!std::isfinite(loss.sum))
      throw DivergedError(std::isnan(loss.sum) ? "the loss is not a number" : "the loss is infinite");
    sums.add({loss.sum, static_cast<double>(hits.hits), static_cast<double>(loss.count)});
  }
  void reset() { sums = carried; }

  std::size_t count() const { return static_cast<std::size_t>(sums["count"]); }  // rows
  double mean_loss() const { return count() ? sums["loss"] / sums["count"] : 0; }
  double accuracy() const { return count() ? sums["hits"] / sums["count"] : 0; }
};

static_assert(verbs::Sink<Accumulate, BatchLoss, BatchHits>);

}  // namespace sluice::stages
