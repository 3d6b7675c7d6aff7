// An IDX or .npy file as one chunk: gzip-compressed and decoded by libdeflate in one call, about twice as fast as
// zlib's streams, or plain and read as it is.
//
// path -> one chunk with all the bytes of the file, decoded where they will stay. How many they are the header says
// (no more than deflate can make of a file of this size), so memory is taken once, and it is touched only as bytes are
// decoded. Whatever does not decode to exactly that many bytes, and whatever is no regular file, is left to Inflate,
// whose chunks, verdict and words then hold: one decoder judges, the other is fast. Order and thread-safety: a source;
// one thread at a time. reset() starts again at the file's beginning. Errors: Inflate's. Where the library was built
// without libdeflate, gzip is left to Inflate.
//
// Never read into memory: a file with holes, or one much longer than what it promises. Of a block that was made for it,
// libdeflate takes a code that stands for nothing for the only one there is, where zlib refuses it; the checksum holds.
//
//   auto chunks = g.source("inflate", InflateWhole{.path = "train-images-idx3-ubyte.gz"}, capacity(2));
//
// Format: RFC 1952 (gzip), several members one after the other; RFC 1951 (deflate).
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/chunk.hpp>
#include <sluice/stages/elements.hpp>
#include <sluice/stages/inflate.hpp>

namespace sluice::stages {

// The version of libdeflate that this library was built with; empty: with none.
std::string libdeflate_version();

struct InflateWhole {
  std::string path;
  ItemKind kind = ItemKind::images;
  int wake = -1;                                      // as Inflate's
  std::size_t decoder_memory = usual_decoder_memory;  // as Inflate's

  using Output = Chunk;
  bool operator()(Chunk& out);
  void reset() { state_ = {}; }
  // Reads the header of a file that is there.
  std::optional<std::size_t> payload_bytes() const;

  // State of its own, no options.
  struct State {
    enum Progress { fresh, whole, left_to_inflate } progress = fresh;
    Inflate inflate{};
  };
  State state_{};
};

static_assert(verbs::Source<InflateWhole, Chunk>);

}  // namespace sluice::stages
