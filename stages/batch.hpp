// One step's rows: views into the data set in memory (or into the chunks that hold the rows), never copies of pixels.
//
// rows: pixel pointers of this batch's images, `count()` of them, each `pixels` bytes (uint8, 0..255, row-major).
// labels: their classes, each < the classes of the data set.
// Order and thread-safety: a plain value; the pixels it points to belong to the data set and outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::stages {

struct Batch {
  std::vector<const std::uint8_t*> rows;  // (count), each points to `pixels` bytes
  std::vector<std::uint16_t> labels;      // (count), 0 .. classes - 1
  // The rows of the next batch, where they are known: to be fetched into the cache meanwhile. May be empty.
  std::vector<const std::uint8_t*> upcoming;
  std::size_t pixels = 0;  // bytes of one image: rows x columns of the data set

  std::size_t count() const { return rows.size(); }
};

}  // namespace sluice::stages
