// A contiguous run of whole row blocks of one batch, and the weights to score it with; and the stage that cuts them.
//
// (batch, weights) -> `parts` shards: runs of 64-row blocks (the batch's last block may be shorter), as even as can be;
// or of whatever unit is asked for. Where units are fewer than parts, some shards are empty. Which rows a block has
// does not depend on `parts`. Of a batch of several runs (sluice/stages/batch.hpp), each run is cut in as many as the
// others: a shard is of one run. Order and thread-safety: a pure function; shards point into the message they were cut
// from. Errors: std::invalid_argument where there are fewer parts than runs.
//
//   auto shards = g.split("shard", Sharder{}, work, 2);
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/batch.hpp>
#include <sluice/stages/kernels/table.hpp>
#include <sluice/stages/model.hpp>

namespace sluice::stages {

using Work = std::tuple<Batch, Weights>;

struct Shard {
  const Batch* batch = nullptr;
  const Model* model = nullptr;      // what `weights` holds
  const Weights* weights = nullptr;  // the handle, for whoever must keep the model
  std::size_t first_row = 0;         // in the batch
  std::size_t rows = 0;              // may be 0
  std::size_t first_block = 0;       // in the batch: first_row / 64, where that is whole
  // The rows that whoever works on this one will most likely have next: to be fetched into the cache meanwhile.
  std::span<const std::uint8_t* const> upcoming{};
};

// Of `units` of rows cut in `parts`, the first of a part.
constexpr std::size_t first_unit(std::size_t units, std::size_t part, std::size_t parts) {
  return units * part / parts;
}

// A step of so many rows whose row blocks are shared out to so many processes, as even as can be.
StepRows step_of(std::size_t rows, std::size_t ranks);

// Rows of the largest shard of a batch of `rows` cut in `parts`.
std::size_t shard_rows(std::size_t rows, std::size_t parts, std::size_t unit = kernels::row_block);

// Of `parts` shards, part p is thread p * workers / parts's (with fewer than workers, each is some thread's): it works
// through its neighbouring ones, and behind the last of them come the rows of the next batch's first.
// unit: rows that stay together: a row block, or for shards that are only scored 16, the lanes of a kernel. (The
// gradient by slices fetches nothing ahead: what a thread has there is a stripe of all rows.)
struct Sharder {
  std::size_t workers = 1, unit = kernels::row_block;

  Shard operator()(const Work& work, std::size_t part, std::size_t parts) const;
};

static_assert(verbs::Split<Sharder, Work, Shard>);

}  // namespace sluice::stages
