// What two lanes, or two runs of them, have in a step, as one batch.
//
// (batch, batch) of the same step, the earlier lanes first -> a batch of the rows of both, which keeps what they lie
// in. Nothing is copied but pointers and labels. Order and thread-safety: a map, a pure function. Errors: none.
//
//   auto both = g.map("batch.1", JoinLanes{}, g.zip("lanes.1", lane_0, lane_1));
#pragma once

#include <cstddef>
#include <optional>
#include <tuple>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/batch.hpp>

namespace sluice::stages {

struct JoinLanes {
  std::size_t rows = 0, item_bytes = 0;  // of both together, at most, where they are known: to state the bound

  using Output = Batch;
  void operator()(const std::tuple<Batch, Batch>& in, Batch& out) const;
  std::optional<std::size_t> payload_bytes() const;
};

static_assert(verbs::Map<JoinLanes, std::tuple<Batch, Batch>, Batch>);

}  // namespace sluice::stages
