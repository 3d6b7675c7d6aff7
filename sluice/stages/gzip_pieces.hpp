// A gzip file in pieces, each of which can be decoded on its own; and the map that decodes them.
//
//   pieces -> inflate -> ...
//
// The first time, where a piece ends is found along the way: the next block's header is looked for about `span` decoded
// bytes ahead (deflate_piece.hpp), and the piece up to there decoded, one after the other, because each needs the 32
// KiB before it: such a piece comes decoded, and InflatePiece hands it on. With index_bytes, what was found is kept:
// where each piece begins, the 32 KiB before it, its size and its CRC. From then on (reset()) pieces come as they lie
// in the file, any number of threads decode them, and the CRC of each is checked before it is handed on.
//
// What is unusual is left to zlib: a stretch without such a block (stored, or with fixed codes, or one of more than
// 1.5 x span) is decoded by it up to one; and whatever is refused (damage, a header with a checksum or an unknown flag,
// a piece whose CRC is not the one that was kept) is decoded anew from the file's beginning by Inflate, whose verdict
// and words hold. No gzip file, and what is no file (a pipe), is Inflate's from the beginning.
//
// path -> Pieces, in order; Piece -> Chunk, at most 1.5 x span bytes. The bytes are those of Inflate.
// Order and thread-safety: GzipPieces is a source, one thread at a time; InflatePiece a map, on any number of pieces at
// once. Errors: Inflate's; a DataError also where the file has become shorter than what was handed on.
// Memory: of windows at most index_bytes, by longer pieces where they are more; where those were longer than 1.5 x
// span, nothing is kept and every pass is like the first.
//
//   auto pieces = g.source("pieces", GzipPieces{.path = "train-images-idx3-ubyte.gz"}, capacity(4));
//   auto chunks = g.map("inflate", InflatePiece{}, pieces, unlimited);
//
// Format: RFC 1952 (gzip), several members one after the other; RFC 1951 (deflate).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/chunk.hpp>
#include <sluice/stages/deflate_piece.hpp>

namespace sluice::stages {

class PiecedFile;

struct Piece {
  Chunk chunk;  // as it will be; with its data, where they are decoded already
  // Of one that is not:
  std::shared_ptr<PiecedFile> from;
  std::size_t number = 0;          // of the piece in its file
  std::uint8_t* target = nullptr;  // the chunk's memory
  PieceInput* input = nullptr;     // for its compressed bytes
  Shared<PieceInput> own_input;    // keeps it
};

struct GzipPieces {
  std::string path;
  std::size_t span = 256 * 1024;        // decoded bytes of a piece, about; >= 1
  std::size_t index_bytes = 0;          // of windows that are kept, at most; 0: nothing is
  std::size_t read_bytes = 128 * 1024;  // of the file at a time, where Inflate reads it; >= 1
  int wake = -1, input = -1;            // as Inflate's
  bool at_once = false;                 // as Inflate's

  using Output = Piece;
  bool operator()(Piece& out);
  void reset();
  std::size_t payload_bytes() const;
  std::size_t state_bytes() const;
  std::size_t kept_bytes() const { return index_bytes; }  // from one run to the next

  // State of its own, no options.
  class State;
  struct Closer {
    void operator()(State* state) const;
  };
  std::unique_ptr<State, Closer> state_{};
};

// Decoded bytes of a piece where they are about `span`, at most; and the heap memory of its chunk.
constexpr std::size_t most_of_piece(std::size_t span) {
  return span + (span + 1) / 2;
}
constexpr std::size_t piece_bytes(std::size_t span) {
  return most_of_piece(span) + PieceDecoder::room_beside;
}

struct InflatePiece {
  using Output = Chunk;
  void operator()(const Piece& piece, Chunk& out) const;
  std::size_t payload_bytes() const { return 0; }  // the piece has it
};

static_assert(verbs::Source<GzipPieces, Piece> && verbs::Map<InflatePiece, Piece, Chunk>);

}  // namespace sluice::stages
