// Runs of as many items each, whatever the chunks were: the rows of a batch, or their labels.
//
// Elements, in order -> Rows, in order: pointers to `count` items each, the last run maybe fewer. With `at_once` a run
// ends with its Elements, too, and nothing waits for what comes later.
// Nothing is copied: a run keeps the chunks that its items lie in.
// Order and thread-safety: an expand; one thread at a time. Errors: std::invalid_argument for a count of 0.
//
//   auto rows = g.expand("rows", Regroup{.count = 256}, images, capacity(2));
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "pipeline/verbs.hpp"
#include "stages/batch.hpp"
#include "stages/chunk.hpp"
#include "stages/parse.hpp"

namespace sluice::stages {

struct Rows {
  IdxShape shape;                       // of the file that the first of them is in
  Pixel type = Pixel::uint8;            // of what `at` points to
  std::uint64_t first = 0;              // index of the first item, of all files
  std::vector<const std::uint8_t*> at;  // the items, each shape.pixels() of `type`
  std::vector<Shared<Bytes>> owners;    // what they lie in

  std::size_t count() const { return at.size(); }
};

struct Regroup {
  std::size_t count = 256;  // items of a run, at least 1
  bool at_once = false;

  using Output = Rows;
  void push(const Elements& elements);
  bool pull(Rows& out);
  void finish() { finished_ = true; }
  void reset();

  // State of its own, no options.
  Elements elements_{};
  std::size_t next_ = 0;  // of the elements
  Rows building_{};
  bool finished_ = false;
};

// The label at a place. Throws DataError, naming `path`, for one that is none of `classes`.
std::uint16_t label_at(const Rows& labels, std::size_t i, std::size_t classes, const std::string& path);

static_assert(verbs::Expand<Regroup, Elements, Rows>);

}  // namespace sluice::stages
