// Runs of as many items each, whatever the chunks were: the rows of a batch, or their labels.
//
// Elements, in order -> Rows, in order: pointers to `count` items each, the last run maybe fewer. With `at_once` a run
// ends with its Elements, too, and nothing waits for what comes later. Items before `begin` or from `end` on are
// dropped. Nothing is copied: a run keeps the chunks that its items lie in. Order and thread-safety: an expand; one
// thread at a time. Errors: std::invalid_argument for a count of 0.
//
//   auto rows = g.expand("rows", Regroup{.count = 256}, images, capacity(2));
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/batch.hpp>
#include <sluice/stages/chunk.hpp>
#include <sluice/stages/parse.hpp>

namespace sluice::stages {

struct Rows {
  ItemShape shape;                      // of the file that the first of them is in
  Pixel type = Pixel::uint8;            // of what `at` points to
  std::uint64_t first = 0;              // index of the first item, of all files
  std::vector<const std::uint8_t*> at;  // the items, each shape.pixels() of `type`
  std::vector<Shared<Bytes>> owners;    // what they lie in
  std::vector<std::uint64_t> begins;    // of files, among all items, where it is within this run

  std::size_t count() const { return at.size(); }
};

struct Regroup {
  std::size_t count = 256;  // items of a run, at least 1
  bool at_once = false;
  std::size_t item_bytes = 0, chunk_bytes = 0;       // in memory, at most, where they are known: to state the bound
  std::size_t chunks = 0;                            // that a run spans, at most; 0: what files of arrays are cut into
  std::uint64_t begin = 0, end = ~std::uint64_t{0};  // of all files, the items that are handed on

  using Output = Rows;
  void push(const Elements& elements);
  bool pull(Rows& out);
  void finish() { finished_ = true; }
  void reset();
  // The pointers, and the chunks that a run spans with the copy of an item between two of them. What is no uint8 comes
  // in pieces of its own, of which the last of each chunk may be a small one; float64 is twice as long in the file.
  std::optional<std::size_t> payload_bytes() const {
    if (!chunk_bytes) return std::nullopt;
    const std::size_t spanned = chunks ? chunks : 3 * count * item_bytes / chunk_bytes + 2;
    return count * sizeof(const std::uint8_t*) + spanned * (chunk_bytes + item_bytes + sizeof(Shared<Bytes>));
  }
  std::size_t state_bytes() const { return payload_bytes().value_or(0); }  // of the run that is not complete

  // State of its own, no options.
  Elements elements_{};
  std::size_t next_ = 0;  // of the elements
  Rows building_{};
  bool finished_ = false;
};

static_assert(verbs::Expand<Regroup, Elements, Rows>);

}  // namespace sluice::stages
