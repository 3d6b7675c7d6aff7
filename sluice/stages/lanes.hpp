// Lanes of a training set: parts of its rows that are read, and shuffled, each by itself, whoever does it.
//
// (rows, batch size, lanes) -> which rows a lane has, and which of them come in which step. Of R rows in L lanes, lane
// l has rows l R / L up to (l + 1) R / L. The positions of an epoch, 0 .. R - 1, are dealt to the lanes one by one,
// lane 0 first; in the last round only lanes that have a row left get one. Step s has positions s B up to (s + 1) B,
// and in it the rows of lane 0 come first, then those of lane 1; the rows of each lane are cut into row blocks by
// themselves (RowRun). So what a step is depends on L, and on nothing that says where a lane's rows lie or who reads
// them.
//
// Processes share lanes in runs of neighbours: of N, process r owns lanes L r / N up to L (r + 1) / N.
// Order and thread-safety: plain values, pure functions. Errors: std::invalid_argument of check().
//
//   const LaneShare share{.lanes = 8, .rank = 1, .ranks = 2};        // lanes 4 to 7
//   const Lanes lanes{.rows = 60'000, .batch_size = 256, .share = share};
//   lanes.rows_of(4), lanes.rows_in_step(4, 0), lanes.step(0).rows   // 7500, 32, 256
#pragma once

#include <cstddef>
#include <cstdint>

#include <sluice/stages/batch.hpp>

namespace sluice::stages {

// The lanes of one process.
struct LaneShare {
  std::size_t lanes = 1, rank = 0, ranks = 1;

  std::size_t first_of(std::size_t process) const { return lanes * process / ranks; }
  std::size_t first() const { return first_of(rank); }
  std::size_t last() const { return first_of(rank + 1); }  // one past it
  std::size_t owned() const { return last() - first(); }
  bool whole() const { return ranks == 1; }
  // At least a lane for each process.
  void check() const;
  bool operator==(const LaneShare&) const = default;
};

struct Lanes {
  std::uint64_t rows = 0;      // of the set; as many as lanes, at least
  std::size_t batch_size = 1;  // rows of a step, over all lanes; >= 1
  LaneShare share{};

  // Of the set: lane l has those from first_row(l) up to first_row(l + 1).
  std::uint64_t first_row(std::size_t lane) const;
  std::uint64_t rows_of(std::size_t lane) const { return first_row(lane + 1) - first_row(lane); }
  // Rows of a lane among the first positions of an epoch.
  std::uint64_t rows_before(std::size_t lane, std::uint64_t position) const;
  std::uint64_t steps() const { return (rows + batch_size - 1) / batch_size; }
  std::size_t rows_in_step(std::size_t lane, std::uint64_t step) const;
  std::size_t most_in_step() const;  // of a lane
  // What a step comes to over all lanes, and where the blocks of each process begin.
  StepRows step(std::uint64_t number) const;
  // The rows of a lane in it: the first row block is behind those of all lanes before, of whatever process.
  RowRun run(std::size_t lane, std::uint64_t step) const;

  // Rows of a lane's shuffle buffer, where one of `all` rows is shared: as many for each, at least 1, at most its own.
  std::size_t buffer_rows(std::size_t lane, std::size_t all) const;
};

}  // namespace sluice::stages
