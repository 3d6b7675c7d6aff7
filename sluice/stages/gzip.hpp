// Bytes -> one gzip member each; members one after the other are a gzip file of all of the bytes.
//
// chunk -> chunk, compressed by zlib; the same bytes from the same input, whatever the clock says.
// Order and thread-safety: a map; a pure function, on any number of chunks at once.
// Errors: std::invalid_argument for a level out of range, std::length_error for a chunk of 4 GiB or more.
//
//   auto members = g.map("compress", Gzip{.level = 1}, chunks, unlimited);
//
// Format: RFC 1952.
#pragma once

#include <cstddef>
#include <optional>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/chunk.hpp>

namespace sluice::stages {

struct Gzip {
  int level = 1;                // 1 (fastest) to 9 (smallest)
  std::size_t chunk_bytes = 0;  // of a chunk that comes, at most, where it is known; 0: nothing is stated of memory

  using Output = Chunk;
  void operator()(const Chunk& in, Chunk& out) const;
  std::optional<std::size_t> payload_bytes() const;
};

static_assert(verbs::Map<Gzip, Chunk, Chunk>);

}  // namespace sluice::stages
