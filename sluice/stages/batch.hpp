// One step's rows: views into the data set in memory (or into the chunks that hold the rows), never copies of pixels.
//
// rows: pointers to this batch's images, `count()` of them, each of `pixels` values of `type`, row-major.
// labels: their classes, each < the classes of the data set.
// Where a step's rows are not all here (other processes have the rest), or come from several lanes of a stream, `runs`
// says which of the step's row blocks these rows are.
// Order and thread-safety: a plain value; the pixels it points to belong to the data set and outlive it, or lie in what
// its `owners` hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <sluice/stages/chunk.hpp>
#include <sluice/stages/kernels/table.hpp>
#include <sluice/stages/shared.hpp>

namespace sluice::stages {

using kernels::Pixel;

// Rows of a batch that follow one another and are cut into row blocks by themselves: the last of them may be shorter.
struct RowRun {
  std::size_t first_row = 0, rows = 0;  // here
  std::size_t first_block = 0;          // of the step

  std::size_t blocks() const { return (rows + kernels::row_block - 1) / kernels::row_block; }
  bool operator==(const RowRun&) const = default;
};

// What a step comes to, whoever has which of its rows.
struct StepRows {
  std::size_t rows = 0;  // in all
  // The first row block of each process, and behind the last one their number: process r has blocks begins[r] up to
  // begins[r + 1].
  std::vector<std::size_t> begins;

  std::size_t blocks() const { return begins.empty() ? 0 : begins.back(); }
};

struct Batch {
  std::vector<const std::uint8_t*> rows;  // (count), each points to `pixels` values of `type`
  std::vector<std::uint16_t> labels;      // (count), 0 .. classes - 1
  // The rows of the next batch, where they are known: to be fetched into the cache meanwhile. May be empty.
  std::vector<const std::uint8_t*> upcoming;
  std::vector<Shared<Bytes>> owners;    // what keeps the rows, where no data set does
  std::uint64_t first = 0;              // index of the first row, where they come in the order of a file
  std::size_t pixels = 0;               // of one image: rows x columns of the data set
  std::size_t columns = 0, planes = 1;  // of one image, where somebody wants to see it
  Pixel type = Pixel::uint8;
  std::vector<RowRun> runs;  // of `rows`, in order, blocks one after the other; empty: one, of all, from block 0 on
  StepRows step;             // of all processes; of 0 rows: this is the whole step

  std::size_t count() const { return rows.size(); }
};

}  // namespace sluice::stages
