// A piece of a deflate stream, decoded on its own: what lies between two block boundaries, wherever in a byte they are.
//
// libdeflate decodes whole streams only, about twice as fast as zlib decodes anything. So the piece is made one, in a
// private copy of its bytes:
//
//   in front   a stored block of the 32 KiB that stand before the piece, as far as the member has them (distances go
//              back into them); then empty blocks until the bit offset fits: 10 bits each, and 91 for an odd one
//   behind     over the header of the next block, a final stored block of 16 bytes by which it is told that the
//              decoder took it as that: then the end was a block boundary. Else anything may have been decoded. They
//              are drawn at random, once a process: no file can be made so that other bits decode to them. (A final
//              stored block that begins up to seven bits before would end as this one: an end behind what is one is
//              refused. What has the bits of one and no length is none; zlib refuses such a file if they are a header.)
//
// Without an end the piece is the last of its member, and where it ends is found out.
// Order and thread-safety: a decoder of its own for each thread. Errors: std::bad_alloc; a piece that is refused says
// nothing of why: that is for the decoder that judges (Inflate).
//
//   PieceInput in(most);                  // bytes go to in.data()
//   PieceDecoder().decode(in, 0, bytes, {.begin = 3, .end = end}, window, target, room)
//
// Format: RFC 1951, 3.2.3 (blocks), 3.2.4 (stored), 3.2.6 (fixed codes), 3.2.7 (dynamic codes). A bit of a stream is
// counted from the least significant of its first byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace sluice::stages {

inline constexpr std::size_t deflate_window = 32 * 1024;
// At most 258 bytes are made of 2 bits.
inline constexpr std::uint64_t most_deflate_ratio = 1032;

// Whether this library was built with libdeflate: without it every piece is refused.
bool decodes_pieces();

// Compressed bytes with room in front and behind.
class PieceInput {
 public:
  // At least this many; what was in it is lost if it grows.
  std::uint8_t* reserve(std::size_t bytes);
  std::uint8_t* data() { return bytes_.get() + front; }
  const std::uint8_t* data() const { return bytes_.get() + front; }
  std::size_t capacity() const { return capacity_; }
  static constexpr std::size_t extra() { return front + behind; }

 private:
  friend class PieceDecoder;
  // A stored block's header and its bytes, 91 bits and three times 10; an end of up to 23 bytes, and what is read
  // ahead.
  static constexpr std::size_t front = 5 + deflate_window + 59, behind = 64;
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t capacity_ = 0;
};

struct PieceBits {
  std::uint64_t begin = 0;           // below 8: in the first byte
  std::optional<std::uint64_t> end;  // counted from the same byte; none: the last of its member
};

class PieceDecoder {
 public:
  enum class Outcome { decoded, last_of_member, too_large, refused };
  struct Result {
    Outcome outcome = Outcome::refused;
    std::size_t size = 0;   // decoded
    std::size_t bytes = 0;  // of the input, with the last one begun; of the last of a member
  };
  // What a target holds besides the piece: the window in front of it, and the end's bytes behind it.
  static constexpr std::size_t room_beside = deflate_window + 16;

  // Of `in` there are `bytes` behind `at`, where the piece begins; what is before it may be written over, and the rest
  // is afterwards as it was. The piece comes to target + window.size(), behind the window; at most `most` bytes of it.
  // target: most + room_beside bytes.
  Result decode(PieceInput& in, std::size_t at, std::size_t bytes, const PieceBits& bits,
                std::span<const std::uint8_t> window, std::uint8_t* target, std::size_t most);

 private:
  struct Free {
    void operator()(void* decompressor) const;
  };
  std::unique_ptr<void, Free> decompressor_;
};

// The CRC-32 of RFC 1952, of bytes behind those whose CRC is `before`.
std::uint32_t crc32_of(std::span<const std::uint8_t> bytes, std::uint32_t before = 0);

// The first bit of [from, to) at which a block with dynamic codes may begin: its header is complete and its codes are
// sound. Only the decoder tells whether one does. last: one that is the last of its stream; otherwise one that is not.
// `data`: `bytes` of them, and 16 more that can be read.
std::optional<std::uint64_t> find_dynamic_block(const std::uint8_t* data, std::size_t bytes, std::uint64_t from,
                                                std::uint64_t to, bool last = false);

}  // namespace sluice::stages
