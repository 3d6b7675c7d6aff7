// A gzip file that is open to be read in pieces, and what is known of where they lie. Of gzip_pieces.hpp, for those who
// decode.
//
// Order and thread-safety: a PieceIndex is a value; of a PiecedFile the const functions on any number of threads.
// Errors: std::bad_alloc; what cannot be read or decoded as it is known is nothing, or false.
//
//   PiecedFile file("a.gz", span);
//   if (file.is_open() && file.decode(entry, target)) ...
//
// Format: RFC 1952 (gzip): a member's header (2.3), its deflate stream, CRC-32 and size.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sluice/stages/chunk.hpp>
#include <sluice/stages/deflate_piece.hpp>
#include <sluice/stages/guessed_piece.hpp>
#include <sluice/stages/regular_file.hpp>

namespace sluice::stages {

inline constexpr std::size_t trailer_bytes = 8;  // of a member

// The size of a member's header in front of these bytes; 0: there is none, or an unusual one.
std::size_t gzip_header_bytes(std::span<const std::uint8_t> data);
// Of a trailer: the CRC, and behind it the size.
std::uint32_t little_endian(const std::uint8_t* bytes);
bool all_zero(std::span<const std::uint8_t> bytes);
// The CRC-32 of some bytes and those that follow them.
std::uint32_t combined(std::uint32_t crc, std::uint32_t of_next, std::uint64_t size);

// Where the pieces of a file lie.
struct PieceIndex {
  struct Entry {
    std::uint64_t begin = 0, end = 0;  // bits of the file
    bool last = false;                 // of its member: `end` is where a byte ends
    std::uint64_t offset = 0;          // decoded
    std::size_t size = 0;
    std::uint32_t crc = 0;             // of what it decodes to
    std::uint32_t crc_of_file = 0;     // of its bytes, but for one that it shares with the piece before
    std::uint32_t crc_before = 0;      // of the bytes between the piece before and this one: trailers, headers
    std::vector<std::uint8_t> window;  // what its member has before it, 32 KiB at most
    std::string packed{};              // the same, of an index that was read
  };
  std::vector<Entry> entries;
  // Of one that was read, and of which nothing is believed: CRCs are not known, and `end` of the last piece of a member
  // is where the next begins.
  bool believed = true;
  std::uint32_t crc_behind = 0;  // of the bytes behind the last
  Stamp stamp;                   // of the file
};

// What a thread decodes pieces with, one after the other.
struct PieceWork {
  PieceDecoder decoder;
  PieceInput input;  // compressed bytes
  Bytes second;      // for what is decoded twice
  static PieceWork& of_this_thread();
};

// What those who decode find out of a file, for who reads it next: they may still be at it when its last piece was
// given to them, and the file closed.
struct PieceFindings {
  std::atomic<bool> refused{false};  // a piece: the file is another one now, or damaged
  // When the run is over:
  std::shared_ptr<const PieceIndex> found;  // where pieces lie
  bool index_lied = false;                  // an index file said something else
  // While it goes on:
  std::atomic<bool> enough{false};  // all that is wanted has been handed on
};

class PiecedFile : public RegularFile {
 public:
  PiecedFile(const std::string& name, std::size_t decoded_of_piece);

  // The pieces of an index file that can be of this file; nothing: it cannot.
  std::shared_ptr<const PieceIndex> pieces_of(const std::string& index) const;

  // A piece that nothing is known of but where it begins and ends, and how many bytes it should have, to `target`,
  // behind its window.
  void decode_doubted(const PieceIndex::Entry& entry, std::uint8_t* target, GuessedPiece& piece) const;
  // A piece into `target`, behind its window; false: it is not what it was.
  bool decode(const PieceIndex::Entry& entry, std::uint8_t* target) const;

  // Whether not all of it is read.
  bool is_part() const { return first_piece > 0 || wanted.end != ByteRange{}.end; }

  const std::string path;
  const std::size_t span;                   // of pieces that are looked for
  std::shared_ptr<const PieceIndex> index;  // in this run
  std::size_t first_piece = 0;              // of it, in this run
  ByteRange wanted;
  const std::shared_ptr<PieceFindings> findings = std::make_shared<PieceFindings>();
  mutable Boundaries boundaries;
};

}  // namespace sluice::stages
