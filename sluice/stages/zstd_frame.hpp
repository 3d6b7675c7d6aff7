// The header of a zstd frame: what decoding it will take, before anything of it is decoded.
//
// first bytes of a frame -> window, size, dictionary, as far as the header says. libzstd tells none of it through the
// part of its interface that is stable. Order and thread-safety: pure functions. Errors: none; what is no header is
// nothing.
//
//   const auto header = parse_zstd_header(start);   // of at least zstd_header_bytes(start) bytes
//
// Format: RFC 8878, 3.1.1.1 (frame header), 3.1.1.2 (blocks), 3.1.2 (skippable frames).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace sluice::stages {

struct ZstdHeader {
  std::size_t bytes = 0;                 // of the header, with its magic number
  bool skippable = false;                // then only the next is said
  std::uint64_t skipped = 0;             // bytes behind the header
  std::uint64_t window = 0;              // bytes
  std::optional<std::uint64_t> content;  // decoded bytes
  std::uint32_t dictionary = 0;          // 0: none, or it is not said
  bool checksum = false;                 // 4 bytes behind the last block
};

// How long it is, as far as these bytes tell.
std::size_t zstd_header_bytes(std::span<const std::uint8_t> start);
std::optional<ZstdHeader> parse_zstd_header(std::span<const std::uint8_t> start);

struct ZstdBlock {
  std::size_t bytes = 0;    // behind its header
  std::size_t decoded = 0;  // at most
  bool last = false;
};
inline constexpr std::size_t zstd_block_header_bytes = 3;
// Nothing: there is no such block.
std::optional<ZstdBlock> parse_zstd_block(const std::uint8_t* header, std::uint64_t window);

}  // namespace sluice::stages
