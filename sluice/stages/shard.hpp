// A contiguous run of whole row blocks of one batch, and the weights to score it with; and the stage that cuts them.
//
// (batch, weights) -> `parts` shards: runs of 64-row blocks (the batch's last block may be shorter), as even as can be.
// Where blocks are fewer than parts, some shards are empty. Which rows a block has does not depend on `parts`.
// Order and thread-safety: a pure function; shards point into the message they were cut from.
// Errors: none.
//
//   auto shards = g.split("shard", Sharder{}, work, 2);
#pragma once

#include <cstddef>
#include <tuple>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/batch.hpp>
#include <sluice/stages/model.hpp>

namespace sluice::stages {

using Work = std::tuple<Batch, Weights>;

struct Shard {
  const Batch* batch = nullptr;
  const Model* model = nullptr;      // what `weights` holds
  const Weights* weights = nullptr;  // the handle, for whoever must keep the model
  std::size_t first_row = 0;         // in the batch
  std::size_t rows = 0;              // may be 0
  std::size_t first_block = 0;       // in the batch: first_row / 64
};

// Rows of the largest shard of a batch of `rows` cut in `parts`.
std::size_t shard_rows(std::size_t rows, std::size_t parts);

struct Sharder {
  Shard operator()(const Work& work, std::size_t part, std::size_t parts) const;
};

static_assert(verbs::Split<Sharder, Work, Shard>);

}  // namespace sluice::stages
