// Where pieces of a gzip file begin, kept in a file beside it: in the format of gztool, which reads it, and whose own
// are read.
//
// GzipIndex <-> bytes. A point is where a block begins: a bit of the file, the decoded bytes before it, and of those
// the last 32 KiB that its member has. A point without a window, but the first, begins a member. Windows stay packed (a
// zlib stream each) until they are used. Nothing of an index that was read is believed: who uses it compares each
// window with what was decoded before it (VerifyPieces).
// Order and thread-safety: plain values, pure functions. Errors: none; what is no index is nothing.
//
//   if (const auto index = read_gzip_index(gzip_index_path("a.gz"), size)) ...   // "a.gzi"
//
// Format: what gztool 1.5.1 and 1.8.0 write, big-endian: 8 zero bytes, "gzipindx" (or "gzipindX", with a 4-byte kind of
// lines); twice the number of points (8); of each point the decoded offset (8), the first whole byte behind it in the
// file (8), how many bits of the byte before are its (4), the size of its packed window (4), the window, with X its
// line (8); then the decoded size of the file (8), with X its lines (8).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::stages {

struct GzipPoint {
  std::uint64_t bit = 0;     // of the file
  std::uint64_t offset = 0;  // decoded
  std::string window{};      // packed; empty: a member begins here
};

struct GzipIndex {
  std::vector<GzipPoint> points;
  std::uint64_t decoded = 0;  // bytes of the file
};

std::string packed_window(std::span<const std::uint8_t> window);
// At most 32 KiB to `to`; nothing: it is no packed window of that size.
std::optional<std::size_t> unpack_window(std::string_view packed, std::uint8_t* to);

std::string gzip_index_bytes(const GzipIndex& index);
// file_bytes: of the gzip file. Points in order, within it, and with windows where they can have some.
std::optional<GzipIndex> parse_gzip_index(std::string_view bytes, std::uint64_t file_bytes);
// Nothing, too: there is none, or one that is too large to be used.
inline constexpr std::size_t most_gzip_index = std::size_t{32} << 20, most_gzip_points = 1 << 14;
std::optional<GzipIndex> read_gzip_index(const std::string& path, std::uint64_t file_bytes);

// Decoded bytes between two of its points, at most.
std::size_t largest_piece(const GzipIndex& index);

// Where it lies: "a.gz" -> "a.gzi", "a" -> "a.gzi"; in `folder`, where one is given.
std::string gzip_index_path(const std::string& path, const std::string& folder = {});

}  // namespace sluice::stages
