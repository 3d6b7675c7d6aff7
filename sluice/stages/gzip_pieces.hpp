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
// path -> Pieces, in order; Piece -> Chunk, at most 1.5 x span bytes. The bytes are those of Inflate. (libdeflate
// decodes some blocks that zlib refuses, made for it: there the CRC decides.) Order and thread-safety: GzipPieces is a
// source, one thread at a time; InflatePiece a map, on any number of pieces at once. Errors: Inflate's; a DataError
// also where the file no longer decodes to what was handed on of it. Memory: of windows at most index_bytes; where they
// are more, nothing is kept and every pass is like the first.
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
#include <span>
#include <string>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/chunk.hpp>
#include <sluice/stages/deflate_piece.hpp>
#include <sluice/stages/gzip_index.hpp>

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

// Memory that was given out and is nobody's any more.
struct PieceMemory {
  Pool<Bytes> chunks;
  Pool<PieceInput> inputs;
};

struct GzipPieces {
  std::string path;
  std::size_t span = 256 * 1024;        // decoded bytes of a piece, about; >= 1
  std::size_t index_bytes = 0;          // of windows that are kept, at most; 0: nothing is
  std::string index{};                  // an index file, which is used where it is one; then DecodePiece, VerifyPieces
  std::size_t read_bytes = 128 * 1024;  // of the file at a time, where Inflate reads it; >= 1
  int wake = -1, input = -1;            // as Inflate's
  bool at_once = false;                 // as Inflate's

  std::shared_ptr<PieceMemory> memory{};  // of several files that are read one after the other; none: its own

  using Output = Piece;
  bool operator()(Piece& out);
  void reset();
  std::size_t chunk_bytes() const;  // of heap memory, at most; looks into an index file
  std::size_t payload_bytes() const;
  std::size_t state_bytes() const;
  std::size_t kept_bytes() const;  // from one run to the next
  // Behind a pass with index_bytes in which no stretch was zlib's: what an index file has (gzip_index.hpp).
  std::optional<GzipIndex> found() const;

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

// Pieces of an index file are of at most so many bytes; where one is larger, the file is not used.
inline constexpr std::size_t most_of_read_piece = std::size_t{4} << 20;

// With an index file: what is decoded is handed on by VerifyPieces, in order, once it is known for what follows the
// pieces before it: its window is their end, and a member's bytes have its CRC. Where that is not so, the rest of the
// file is Inflate's, from its beginning.
//
//   pieces -> inflate (DecodePiece) -> verify (VerifyPieces) -> ...
struct CheckedPiece {
  Chunk chunk;
  std::shared_ptr<PiecedFile> from;  // where it is to be verified
  std::size_t number = 0;
  bool decoded = false;
  std::size_t window = 0;  // bytes before it, in the chunk's memory
  std::uint32_t crc = 0;
  std::uint32_t member_crc = 0, member_size = 0;  // of the last of a member: what its trailer says
};

struct DecodePiece {
  using Output = CheckedPiece;
  void operator()(const Piece& piece, CheckedPiece& out) const;
  std::size_t payload_bytes() const { return 0; }  // the piece has it
};

class Judge;

struct VerifyPieces {
  using Output = Chunk;
  void push(const CheckedPiece& piece);
  bool pull(Chunk& out);
  void finish() {}
  void reset() { state_ = {}; }
  std::size_t payload_bytes() const { return 256 * 1024; }  // of Inflate

  // State of its own, no options.
  struct State {
    std::size_t file = 0;
    CheckedPiece piece;
    bool pending = false, over = false;
    std::shared_ptr<Judge> judge;  // of a class that only its source knows
    Shared<Bytes> owner;           // of what is `before`
    std::span<const std::uint8_t> before;
    std::uint32_t crc_of_file = 0;  // handed on
    std::uint32_t crc = 0;          // of the member so far
    std::uint64_t size = 0;
  };
  bool holds();
  State state_{};
};

static_assert(verbs::Source<GzipPieces, Piece> && verbs::Map<InflatePiece, Piece, Chunk> &&
              verbs::Map<DecodePiece, Piece, CheckedPiece> && verbs::Expand<VerifyPieces, CheckedPiece, Chunk>);

}  // namespace sluice::stages
