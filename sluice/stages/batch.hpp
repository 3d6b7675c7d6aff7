// One step's rows: views into the data set in memory (or into the chunks that hold the rows), never copies of pixels.
//
// rows: pointers to this batch's images, `count()` of them, each of `pixels` values of `type`, row-major.
// labels: their classes, each < the classes of the data set.
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

  std::size_t count() const { return rows.size(); }
};

}  // namespace sluice::stages
