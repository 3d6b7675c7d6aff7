// The steps of one epoch: views of the rows of a data set in memory, shuffled anew for every epoch.
//
// data set -> batches of batch_size rows, in an order that (seed, epoch) decides; the last may be smaller.
// The order of the epoch after is found along the way, some places with every batch, so that no epoch begins with a
// wait for it. Order and thread-safety: a source; one thread at a time. epoch() between runs. Errors: std::length_error
// beyond 2^32 - 1 rows; std::invalid_argument for a batch_size of 0, or an epoch that begins within a batch.
//
// Of several processes (ranks), each has a run of every step's row blocks, and looks up only the rows of these.
//
//   Batcher batcher{.data = &train, .batch_size = 256, .seed = 0};
//   auto batches = g.source("batch", std::ref(batcher), capacity(4));
//   batcher.epoch(1), g.run(), batcher.epoch(2), g.run();
//   batcher.epoch(3, 512), g.run();  // without its first two batches
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/batch.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/shuffle.hpp>

namespace sluice::stages {

struct Batcher {
  const DataSet* data = nullptr;
  std::size_t batch_size = 256;  // rows, >= 1
  std::uint64_t seed = 0;
  bool shuffled = true;                                                  // false: in the order of the data set
  std::uint64_t last_epoch = std::numeric_limits<std::uint64_t>::max();  // none after it is prepared
  std::size_t rank = 0, ranks = 1;
  std::size_t last = std::numeric_limits<std::size_t>::max();  // of the order, none from this place on

  using Output = Batch;
  bool operator()(Batch& out);
  // The next run: the epoch's rows from `first` on, a place of its order and a multiple of batch_size.
  void epoch(std::uint64_t number, std::size_t first = 0);
  void reset();
  std::size_t payload_bytes() const { return batch_size * (2 * sizeof(const std::uint8_t*) + sizeof(std::uint16_t)); }

  // State of its own, no options.
  bool is(const Shuffle& shuffle, std::uint64_t epoch) const;
  void begin(Shuffle& shuffle, std::uint64_t epoch) const;
  std::uint64_t epoch_ = 0;
  std::size_t first_ = 0, next_ = 0;
  bool started_ = false, looked_ = false;
  Shuffle now_{}, ahead_{};
  std::vector<const std::uint8_t*> following_{};  // rows of the batch that comes next
  RowRun share(std::size_t rows) const;           // of a step of so many rows: this rank's
  std::size_t size() const { return std::min(last, data->size()); }
};

static_assert(verbs::Source<Batcher, Batch>);

}  // namespace sluice::stages
