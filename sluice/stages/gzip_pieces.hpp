// A gzip file in pieces, each of which can be decoded on its own; and the map that decodes them.
//
//   pieces -> inflate -> ...                                           one after the other at first
//   pieces -> inflate (DecodePiece) -> verify (VerifyPieces) -> ...    on any thread from the beginning
//
// The first time, where a piece ends is found along the way: the next block's header is looked for about `span` decoded
// bytes ahead (deflate_piece.hpp), and the piece up to there decoded, one after the other, because each needs the 32
// KiB before it: such a piece comes decoded, and InflatePiece hands it on. With index_bytes, what was found is kept:
// where each piece begins, the 32 KiB before it, its size and its CRC. From then on (reset()) pieces come as they lie
// in the file, any number of threads decode them, and the CRC of each is checked before it is handed on.
//
// With `guess`, or by an index file (`index`), the first time is any thread's, too: pieces are decoded where they may
// begin (guessed_piece.hpp), or where the index says, and VerifyPieces hands on, in order, what is what follows the
// pieces before it; what is not, it decodes itself. A piece that reaches back to nothing is decoded once, any other
// twice: that is worth it from four threads on (few_threads), and with two where pieces_are_independent.
//
// What is unusual is left to zlib: a stretch without such a block (stored, or with fixed codes, or one of more than
// 1.5 x span) is decoded by it up to one; and whatever is refused (damage, a header with a checksum or an unknown flag,
// a piece whose CRC is not the one that was kept) is decoded anew from the file's beginning by Inflate, whose verdict
// and words hold. No gzip file, and what is no file (a pipe), is Inflate's from the beginning.
//
// Of `wanted` bytes only the pieces that have some of them are read, where it is known where pieces lie: by an earlier
// run, whose CRC each piece is held against; or by an index file, which has none: there reading begins as many pieces
// before as a window has bytes, so that the window of each that is wanted is held against what comes before it. Where
// something is not as it should be, all of the file is Inflate's. The CRC of a member is seen to where all of it is
// read, and no further.
//
// path -> Pieces, in order; Piece -> Chunk, at most 1.5 x span bytes (by an index: most_of_read_piece). The bytes are
// those of Inflate. (libdeflate decodes some blocks that zlib refuses, made for it: there the CRC decides.) Order and
// thread-safety: GzipPieces is a source, one thread at a time; InflatePiece and DecodePiece are maps, on any number of
// pieces at once. Errors: Inflate's; a DataError also where the file no longer decodes to what was handed on of it.
// Memory: of windows at most index_bytes; where they are more, nothing is kept and every pass is like the first.
//
//   auto pieces = g.source("pieces", GzipPieces{.path = "train-images-idx3-ubyte.gz"}, capacity(4));
//   auto chunks = g.map("inflate", InflatePiece{}, pieces, unlimited);
//
// Format: RFC 1952 (gzip), several members one after the other; RFC 1951 (deflate).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/chunk.hpp>
#include <sluice/stages/codec.hpp>
#include <sluice/stages/deflate_piece.hpp>
#include <sluice/stages/guessed_piece.hpp>
#include <sluice/stages/gzip_index.hpp>

namespace sluice::stages {

class PiecedFile;
class PieceReader;

struct Piece {
  Chunk chunk;  // as it will be; with its data, where they are decoded already
  // Of one that is not:
  std::shared_ptr<PiecedFile> from;
  std::size_t number = 0;          // of the piece in its file, where it is known where that begins
  std::uint8_t* target = nullptr;  // the chunk's memory
  bool skipped = false;            // nobody needs what it has
  // Where it is not known: the bytes that it begins in, and whether the file ends with them.
  std::uint64_t begins_from = 0, begins_before = 0;
  bool last = false;
};

// Memory that was given out and is nobody's any more.
struct PieceMemory {
  Pool<Bytes> chunks;
};

// Decoded bytes of gzip files that were handed on, and those of them of which it was known where their pieces begin:
// of an index, or of an earlier run. Counted by GzipPieces and, behind it, VerifyPieces; read by anybody meanwhile.
struct DecodedBytes {
  std::atomic<std::uint64_t> all{0}, of_known{0};
  std::atomic<std::size_t> passed_over{0};  // index files that are not of their file, or damaged
  void add(std::uint64_t bytes, bool known) {
    all.fetch_add(bytes, std::memory_order_relaxed);  // a number to be shown, as the next
    if (known) of_known.fetch_add(bytes, std::memory_order_relaxed);
  }
};

struct PieceIndex;

// Where the pieces of a file lie, from one run to the next, of this process or of another; and what a run needs of
// them.
//
//   auto known = std::make_shared<KnownPieces>();
//   GzipPieces{.path = path, .known = known}   // sets it, and begins with what it has
//
// Several that read the same file share what is known, and have their own needs: KnownPieces(known).
// index(), set(), read() on any thread; need() not while a graph runs.
class KnownPieces {
 public:
  KnownPieces() = default;
  explicit KnownPieces(std::shared_ptr<KnownPieces> shared) : shared_(std::move(shared)) {}
  std::shared_ptr<const PieceIndex> index() const;
  void set(std::shared_ptr<const PieceIndex> index);
  // What an index file says, of which nothing is believed: read by whoever asks first.
  using Read = std::function<std::shared_ptr<const PieceIndex>()>;
  std::shared_ptr<const PieceIndex> read(const Read& read);

  // Whether decoded bytes (offset, size) are needed in the next runs: of other pieces that are known nothing is read
  // but zeros are handed on. None: all are.
  using Needs = std::function<bool(std::uint64_t, std::size_t)>;
  void need(Needs needs) { needs_ = std::move(needs), skipped_ = 0; }
  bool needs(std::uint64_t offset, std::size_t size) {
    const bool needed = !needs_ || needs_(offset, size);
    skipped_ += !needed;
    return needed;
  }
  std::size_t skipped() const { return skipped_; }  // pieces, since need()

 private:
  const std::shared_ptr<KnownPieces> shared_{};  // where that is known; nullptr: here
  mutable std::mutex mutex_;                     // of index_ and read_
  std::shared_ptr<const PieceIndex> index_, read_;
  Needs needs_;
  std::size_t skipped_ = 0;
};

struct GzipPieces {
  std::string path;
  std::size_t span = 256 * 1024;        // decoded bytes of a piece, about; >= 1
  std::size_t index_bytes = 0;          // of windows that are kept, at most; 0: nothing is
  std::string index{};                  // an index file, which is used where it is one; then DecodePiece, VerifyPieces
  bool guess = false;                   // without one: where pieces begin; then DecodePiece, VerifyPieces
  std::size_t read_bytes = 128 * 1024;  // of the file at a time, where Inflate reads it; >= 1
  int wake = -1, input = -1;            // as Inflate's
  bool at_once = false;                 // as Inflate's
  std::size_t decoder_memory = usual_decoder_memory;  // as Inflate's

  ByteRange wanted{};
  // As long as it is not known where pieces lie it reads on to the file's end, nevertheless, to learn it. Of several
  // that share `known`, one does.
  bool learns = true;

  std::shared_ptr<KnownPieces> known{};  // with index_bytes
  std::shared_ptr<DecodedBytes> decoded{};
  std::shared_ptr<PieceMemory> memory{};  // of several files that are read one after the other; none: its own

  using Output = Piece;
  bool operator()(Piece& out);
  void reset();
  std::size_t chunk_bytes() const;  // of heap memory, at most; looks into an index file
  std::size_t payload_bytes() const;
  std::size_t state_bytes() const;
  std::size_t kept_bytes() const;  // from one run to the next
  // Behind a pass with index_bytes, none that guessed, in which no stretch was zlib's: what an index file has
  // (gzip_index.hpp).
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

struct CheckedPiece {
  Chunk chunk;
  std::shared_ptr<PiecedFile> from;  // where it is to be verified
  GuessedPiece piece;                // then
};

struct DecodePiece {
  using Output = CheckedPiece;
  void operator()(const Piece& piece, CheckedPiece& out) const;
  std::size_t payload_bytes() const { return 0; }  // the piece has it
};

class Judge;

// Hands on, in order, what is what follows the pieces before it: a piece begins where they end, its window is their
// end, and a member's bytes have its CRC. Else it decodes what comes next itself, as GzipPieces would, up to the next
// piece that is; and what it cannot, is Inflate's, from the file's beginning.
struct VerifyPieces {
  std::size_t span = 256 * 1024;  // as GzipPieces'
  std::size_t index_bytes = 0;    // as GzipPieces', which knows from then on what was found here
  std::size_t chunk_bytes = 0;    // of heap memory that a piece's chunk has, at most; 0: as without an index file
  std::shared_ptr<DecodedBytes> decoded{};
  bool kept = false;  // chunks are to stay in memory: in places of 4 MiB

  using Output = Chunk;
  void push(const CheckedPiece& piece);
  bool pull(Chunk& out);
  void finish() {}
  void reset() { state_ = {}, block_ = {}; }
  std::size_t payload_bytes() const;
  std::size_t state_bytes() const;

  // State of its own, no options.
  struct State {
    std::size_t file = 0;
    const CheckedPiece* piece = nullptr;  // until nothing more comes of it
    bool looked_at = false, over = false, of_known = false;
    std::shared_ptr<PieceReader> reader;  // of a class that only its source knows
    std::shared_ptr<Judge> judge;
  };
  struct Block {
    Shared<Bytes> owner;
    std::uint8_t* free = nullptr;
    std::size_t bytes = 0;
  };
  bool next(Chunk& out);
  void begin(const CheckedPiece& first);
  bool judge(const PiecedFile& file);
  bool index_lies(const PiecedFile& file);
  void pass_over(Chunk& chunk) const;
  void keep(Chunk& chunk);
  void index_lied(const PiecedFile& file) const;
  State state_{};
  Block block_{};
  std::shared_ptr<PieceMemory> memory_{};
};

// With fewer, to guess where pieces begin is worth it only where they are independent.
inline constexpr std::size_t few_threads = 4;
// Whether the pieces of a file can be decoded by themselves (bgzip, pigz -i, small members), as some of them say. What
// is no large gzip file has none.
bool pieces_are_independent(const std::string& path, std::size_t span);

static_assert(verbs::Source<GzipPieces, Piece> && verbs::Map<InflatePiece, Piece, Chunk> &&
              verbs::Map<DecodePiece, Piece, CheckedPiece> && verbs::Expand<VerifyPieces, CheckedPiece, Chunk>);

}  // namespace sluice::stages
