// A gzip file from its beginning to its end, piece after piece: those that were decoded elsewhere, where they are what
// comes next, and otherwise its own. Of gzip_pieces.hpp, for those who decode.
//
// Its own are found along the way: the next block's header is looked for about `span` decoded bytes ahead, and the
// piece up to there decoded; a stretch without such a block is decoded by zlib up to one.
//
// a file -> chunks, in order, its own of at most most_of_piece(span) bytes. Order and thread-safety: one thread at a
// time. Errors: std::bad_alloc; what is refused is Inflate's to judge: `decoded` bytes of CRC `crc` were handed on
// before it. Memory: bytes that are read ahead, the chunk before, tables of zlib; and with index_bytes the pieces that
// were found, as long as their windows have at most so many bytes.
//
//   PieceReader reader(file, span, 0, memory);
//   while (reader.next(chunk) == PieceReader::Next::piece) ...
//
// Format: RFC 1952 (gzip), several members one after the other; RFC 1951 (deflate).
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include <sluice/stages/chunk.hpp>
#include <sluice/stages/deflate_piece.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/pieced_file.hpp>
#include <sluice/stages/unknown_window.hpp>

namespace sluice::stages {

class PieceReader {
 public:
  PieceReader(std::shared_ptr<PiecedFile> file, std::size_t span, std::size_t index_bytes,
              std::shared_ptr<PieceMemory> memory);
  PieceReader(const PieceReader&) = delete;
  PieceReader& operator=(const PieceReader&) = delete;
  ~PieceReader() { end_zlib(); }

  // Not at the file's beginning, but behind its first `decoded` bytes, at the bit of a block that reaches back to
  // `window` (which stays where it is until something has been handed on), or that its member begins with.
  void begin_at(std::uint64_t bit, std::uint64_t decoded, std::span<const std::uint8_t> window, bool fresh);
  bool begins_as_gzip() { return fill(2) && data()[0] == 0x1f && data()[1] == 0x8b; }

  enum class Next { piece, end, refused };
  // A piece of its own. It ends at bit `stop` of the file, if that is not far and a block or a member begins there; it
  // has no bytes, where that is what comes next.
  Next next(Chunk& out, std::uint64_t stop = 0);
  // The bit that comes next.
  std::uint64_t position() const { return base_ * 8 + bit_; }
  // One that was decoded elsewhere, whose memory is out.owner: if it is what comes next, its bytes are completed where
  // they are; false: it is not.
  bool accept(const GuessedPiece& piece, Chunk& out);

  // Handed on so far, with what lies before where it began; its CRC, if that is nothing.
  std::uint64_t decoded() const { return decoded_; }
  std::optional<std::uint32_t> crc() const { return began_at_ ? std::nullopt : std::optional(crc_); }
  std::uint64_t began_at() const { return began_at_; }  // decoded
  // At the end: where the pieces lie, if that is known of all.
  std::shared_ptr<const PieceIndex> found() { return std::move(building_); }

 private:
  using Outcome = PieceDecoder::Outcome;

  std::size_t most() const { return most_of_piece(span_); }
  std::size_t search() const { return boundary_search(span_); }
  std::size_t most_input() const { return span_ + span_ / 8 + 64 + search(); }
  const std::uint8_t* data() const { return in_.data() + at_; }

  bool fill(std::size_t wanted);
  void drop(std::size_t bytes) { at_ += bytes, have_ -= bytes, base_ += bytes; }
  void drop_between(std::size_t bytes);
  void skip_zeros();
  bool begin_member();
  bool end_member();
  std::optional<Next> piece(Chunk& out, std::uint64_t stop);
  std::optional<Next> last(Chunk& out, std::uint8_t* to, const PieceDecoder::Result& r);
  void note(const std::uint8_t* to, std::size_t size, std::uint64_t end, bool is_last);
  void keep(std::uint64_t begin, std::uint64_t end, bool is_last, std::size_t size, std::uint32_t crc,
            std::uint32_t crc_of_file);
  std::span<const std::uint8_t> own_bytes(std::uint64_t end) const;
  void hand(Chunk& out, const std::uint8_t* to, std::size_t size);
  std::optional<Next> begin_stretch();
  std::optional<Next> stretch(Chunk& out, std::uint64_t stop);
  void end_zlib() {
    if (std::exchange(zlib_ready_, false)) inflateEnd(&zlib_);
  }

  const std::shared_ptr<PiecedFile> file_;
  const std::size_t span_, index_bytes_;
  const std::shared_ptr<PieceMemory> memory_;

  std::shared_ptr<PieceIndex> building_;  // as long as it may become one
  std::size_t window_bytes_ = 0;          // that it keeps
  std::uint32_t crc_between_ = 0;         // of what lies before the next piece
  std::uint64_t decoded_ = 0;             // and handed on
  std::uint64_t began_at_ = 0;            // of that
  std::uint32_t crc_ = 0;                 // of that
  std::uint32_t piece_crc_ = 0;

  PieceInput in_;
  std::size_t at_ = 0;      // in it: what is not used yet
  std::size_t have_ = 0;    // bytes of that
  std::uint64_t base_ = 0;  // of the first, in the file
  unsigned bit_ = 0;        // of the first byte, where the next block begins
  bool at_end_ = false;     // of the file
  bool unreadable_ = false;
  bool in_member_ = false;
  bool within_member_ = false;  // it began there: nothing is known of the member's beginning
  std::uint32_t member_crc_ = 0;
  std::uint64_t member_size_ = 0, member_begin_ = 0;
  std::size_t member_bytes_ = 0;  // compressed, of the member before; 0: there is none
  bool behind_zeros_ = false;     // behind the last member
  double ratio_ = 0.5;            // compressed to decoded, of the piece before
  Shared<Bytes> last_;            // chunk, in which `window_` lies
  std::span<const std::uint8_t> window_;
  std::vector<std::uint8_t> own_window_;  // where it lies in no chunk
  PieceDecoder decoder_;
  std::unique_ptr<WindowTable> table_;  // of what was decoded before its window was known
  z_stream zlib_{};
  bool in_stretch_ = false, zlib_ready_ = false;
  std::size_t stretched_ = 0, stretch_bytes_ = 0;
};

}  // namespace sluice::stages
