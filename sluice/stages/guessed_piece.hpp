// Pieces of a gzip file that are decoded before it is known where they begin. Of gzip_pieces.hpp, for those who decode.
//
// A piece is what lies from the first boundary behind one byte of the file to the first behind another: a boundary is
// where a block with dynamic codes seems to begin, or a member. It is decoded without what is before it: by itself,
// where it reaches back to nothing (bgzip, pigz -i, members that are smaller than a piece); otherwise twice, behind two
// invented windows (unknown_window.hpp). Whether it is part of the file is for its reader to say (piece_reader.hpp):
// the piece before must end where it begins. That a piece was decoded to its end says that a block ends there, if one
// began where it began.
//
// Order and thread-safety: boundaries are looked for once each, by any number of threads. Errors: none but
// std::bad_alloc; what cannot be decoded is not.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include <sluice/stages/unknown_window.hpp>

namespace sluice::stages {

class PiecedFile;

struct Boundary {
  std::uint64_t bit = 0;  // of the file
  bool member = false;    // a header begins here; otherwise a block
};

// Those that were found, and how the file has been so far. How it has been is relaxed: it only says what is worth a
// try, and whatever a thread sees of it gives the same bytes.
class Boundaries {
 public:
  explicit Boundaries(std::size_t span);
  // The first at or behind byte `from` of the file, of which `data` has the bytes from `base` to `end` (and 16 more
  // that can be read).
  std::optional<Boundary> first(std::uint64_t from, const std::uint8_t* data, std::uint64_t base, std::uint64_t end);
  // Compressed bytes to a decoded one, of a piece lately.
  double ratio() const { return ratio_.load(std::memory_order_relaxed); }
  void note_decoded(std::uint64_t bytes, std::size_t decoded);
  void note_too_large();
  // Whether to guess once more: where none was decoded for a while, only now and then.
  bool worth_a_try();

 private:
  struct Found {
    std::mutex mutex;
    std::uint64_t from = ~std::uint64_t{0}, end = 0;  // looked for up to there
    std::optional<Boundary> boundary;
  };
  std::optional<Boundary> look(std::uint64_t from, const std::uint8_t* data, std::uint64_t base, std::uint64_t end);

  const std::size_t search_;        // so far one is looked for
  const std::size_t fresh_within_;  // so near, one that reaches back to nothing is preferred
  std::array<Found, 64> found_;
  struct None {  // bytes in which no block begins
    std::mutex mutex;
    std::uint64_t from = 0, end = 0;
  };
  None none_;
  // Of no order with anything else: guesses, which nothing but speed depends on.
  std::atomic<double> ratio_{0.5};
  std::atomic<unsigned> in_vain_{0};   // pieces that were tried since one was decoded
  std::atomic<int> without_fresh_{0};  // boundaries that were looked for since one reached back to nothing
};

// What of a piece belongs to one member.
struct PiecePart {
  std::uint64_t begin = 0, end = 0;               // bits of the file
  bool fresh = false;                             // its member begins with it
  bool last = false;                              // and ends: `end` is where a byte ends
  std::size_t size = 0;                           // decoded
  std::uint32_t crc = 0;                          // of that; not where it was decoded twice
  std::uint32_t crc_of_file = 0;                  // of its bytes, but for one that it shares with the piece before
  std::uint32_t crc_before = 0;                   // of what is in front of it: the trailer of the part before, a header
  std::size_t bytes_before = 0;                   // of those
  std::uint32_t member_crc = 0, member_size = 0;  // of the last: what its trailer says
};

struct GuessedPiece {
  // Bytes of the file; the last ends with it.
  std::uint64_t from = 0, to = 0;
  bool last = false;

  bool decoded = false;
  Boundary begin, end;   // of the last, the file's
  bool twice = false;    // the first part: `first` is behind an invented window
  UnknownBytes unknown;  // what is in it of that
  std::size_t size = 0;
  std::size_t window = 0;  // bytes in front of `first` that are taken for those before the piece
  std::uint8_t* first = nullptr;
  std::vector<PiecePart> parts;
  std::uint32_t crc_behind = 0;  // of what is behind the last part: its trailer, zeros
  std::size_t bytes_behind = 0;

  // Nothing is decoded; its memory is used again.
  void clear() {
    decoded = twice = false;
    window = size = bytes_behind = 0;
    crc_behind = 0;
    parts.clear();
  }
};

// Compressed bytes in which a boundary is looked for.
std::size_t boundary_search(std::size_t span);
// Compressed bytes that pieces of `span` decoded ones are cut from at a time.
std::size_t guessed_range(std::size_t span, double ratio);

// Heap memory that decode_guess takes for a piece beside its target, at most: compressed bytes, what is decoded the
// second time, and how it differs.
std::size_t guess_bytes(std::size_t span);

// Heap memory that decode_guess takes for a piece beside its target, at most: compressed bytes, also shifted, what is
// decoded the second time and how it differs.
std::size_t guess_bytes(std::size_t span);

// target: piece_bytes(file.span) bytes; what is decoded comes to piece.first, in it.
void decode_guess(const PiecedFile& file, std::uint8_t* target, GuessedPiece& piece);

// Whether the pieces of a file can be decoded by themselves, as one of them says: then to guess is worth it with two
// threads. A file that is no more than a few of them is none.
bool decodes_by_itself(const PiecedFile& file);

}  // namespace sluice::stages
