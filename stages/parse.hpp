// Decoded bytes of an IDX file -> its images or labels, as views of the bytes where they lie.
//
// chunks, in order -> Elements, in order: runs of whole items (an image of rows x columns bytes, a label of one byte),
// uint8. Only an item that straddles two chunks is copied. Memory follows the bytes that came, never the header.
// Order and thread-safety: an expand; one thread at a time.
// Errors: DataError naming the file: see parse_idx_header; a file that ends within its header, or before the last item
// that its header promises; bytes after the last item (noticed as soon as they come).
//
//   auto images = g.expand("parse", ParseImages{.path = path}, chunks);
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/verbs.hpp"
#include "stages/chunk.hpp"
#include "stages/idx.hpp"

namespace sluice::stages {

struct Elements {
  IdxShape shape;                      // of the whole file
  std::uint64_t first = 0;             // index of the first item
  std::size_t count = 0;               // items
  const std::uint8_t* data = nullptr;  // (count x shape.item_bytes())
  Shared<Bytes> owner;                 // keeps them
};

template <IdxKind kind>
struct ParseIdx {
  std::string path;                      // for error messages
  std::size_t chunk_bytes = 256 * 1024;  // of the chunks that come, at most: what one output keeps
  std::size_t item_bytes = 0;            // of an item, where it is known; 0: nothing is stated of memory

  using Output = Elements;
  void push(const Chunk& chunk);
  bool pull(Elements& out);
  void finish();
  void reset() { state_ = {}; }
  // An item that straddles chunks is a copy of its own.
  std::optional<std::size_t> payload_bytes() const {
    return item_bytes ? std::optional(std::max(chunk_bytes, item_bytes)) : std::nullopt;
  }

  // State of its own, no options.
  struct State {
    std::vector<std::uint8_t> partial;  // of the header, or of an item that began in an earlier chunk
    std::optional<IdxShape> shape;
    std::uint64_t next = 0;  // item
    Shared<Bytes> owner;
    const std::uint8_t* data = nullptr;  // what is left of the chunk
    std::size_t size = 0;
  };
  void read_header();
  State state_{};
};

using ParseImages = ParseIdx<IdxKind::images>;
using ParseLabels = ParseIdx<IdxKind::labels>;
extern template struct ParseIdx<IdxKind::images>;
extern template struct ParseIdx<IdxKind::labels>;

static_assert(verbs::Expand<ParseImages, Chunk, Elements> && verbs::Expand<ParseLabels, Chunk, Elements>);

}  // namespace sluice::stages
