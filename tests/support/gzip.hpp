// gzip members and IDX files as bytes, sound ones and broken ones.
//
//   gzip("text") + gzip("")                       // two members, the second empty
//   idx_header(3, {60000, 28, 28}) + pixels       // magic 0x00000803
//   idx_images(pixels, 28, 28), idx_labels({3, 0, 1})
#pragma once

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice::test {

namespace detail {

// What zlib makes of the bytes. window_bits and strategy are those of deflateInit2, flush that of deflate.
inline std::string compressed(std::string bytes, int level, int window_bits, int strategy, int flush) {
  z_stream z{};
  if (deflateInit2(&z, level, Z_DEFLATED, window_bits, 8, strategy) != Z_OK) throw std::runtime_error("zlib");
  std::string out(deflateBound(&z, bytes.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(bytes.data());
  z.avail_in = static_cast<unsigned>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<unsigned>(out.size());
  const int result = deflate(&z, flush);
  out.resize(z.total_out);
  deflateEnd(&z);
  if (result != (flush == Z_FINISH ? Z_STREAM_END : Z_OK) || z.avail_in > 0) throw std::runtime_error("zlib");
  return out;
}

}  // namespace detail

// One member.
inline std::string gzip(const std::string& bytes, int level = 6) {
  return detail::compressed(bytes, level, 15 + 16, Z_DEFAULT_STRATEGY, Z_FINISH);
}

// One member, whose blocks are of `block` bytes each, wherever in a byte that is, and know of those before them.
// memory: how few symbols zlib puts into a block by itself, 1 to 9.
inline std::string gzip_in_blocks(const std::string& bytes, std::size_t block, int level = 9,
                                  int strategy = Z_DEFAULT_STRATEGY, int memory = 8) {
  z_stream z{};
  if (deflateInit2(&z, level, Z_DEFLATED, 15 + 16, memory, strategy) != Z_OK) throw std::runtime_error("zlib");
  std::string out(deflateBound(&z, bytes.size()) + 64 + bytes.size() / block * 16, '\0');
  std::string in = bytes;
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<unsigned>(out.size());
  int result = Z_OK;
  for (std::size_t at = 0; result == Z_OK; at += block) {
    z.avail_in = static_cast<unsigned>(std::min(block, bytes.size() - std::min(at, bytes.size())));
    result = deflate(&z, at + block >= bytes.size() ? Z_FINISH : Z_BLOCK);
  }
  out.resize(z.total_out);
  deflateEnd(&z);
  if (result != Z_STREAM_END) throw std::runtime_error("zlib");
  return out;
}

// Deflate without gzip around it; where it is not the last, an empty stored block ends it, and other blocks may follow,
// which know nothing of these bytes.
inline std::string deflate_blocks(const std::string& bytes, bool last, int level = 9,
                                  int strategy = Z_DEFAULT_STRATEGY) {
  return detail::compressed(bytes, level, -15, strategy, last ? Z_FINISH : Z_SYNC_FLUSH);
}

// One member of `before` and so many zeros: a MiB of them is compressed, once.
inline std::string gzip_zeros(std::size_t size, const std::string& before = {}) {
  constexpr std::size_t piece = std::size_t{1} << 20;
  const std::string zeros(piece, '\0'), rest(size % piece, '\0'), blocks = deflate_blocks(zeros, false);
  const auto crc = [](const std::string& bytes) {
    return crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<unsigned>(bytes.size()));
  };
  unsigned long checksum = crc(before);
  const unsigned long of_zeros = crc(zeros);
  std::string out = std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03", 10) + deflate_blocks(before, false);
  for (std::size_t i = 0; i < size / piece; ++i) {
    out += blocks;
    checksum = crc32_combine(checksum, of_zeros, piece);
  }
  out += deflate_blocks(rest, true);
  checksum = crc32_combine(checksum, crc(rest), static_cast<z_off_t>(rest.size()));
  for (const std::size_t number : {std::size_t{checksum}, before.size() + size})
    for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(number >> shift & 0xff);
  return out;
}

// Magic and sizes of a file whose elements are of `type` (0x08: uint8).
inline std::string idx_header(std::uint8_t rank, const std::vector<std::uint32_t>& sizes, std::uint8_t type = 0x08) {
  std::string bytes{0, 0, static_cast<char>(type), static_cast<char>(rank)};
  for (const std::uint32_t size : sizes)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift & 0xff);
  return bytes;
}

// As many images of rows x columns as there are pixels for.
inline std::string idx_images(const std::string& pixels, std::uint32_t rows, std::uint32_t columns) {
  return idx_header(3, {static_cast<std::uint32_t>(pixels.size() / rows / columns), rows, columns}) + pixels;
}

inline std::string idx_labels(const std::vector<std::uint8_t>& labels) {
  return idx_header(1, {static_cast<std::uint32_t>(labels.size())}) + std::string(labels.begin(), labels.end());
}

// `size` bytes that look random and are always the same.
inline std::string noise(std::size_t size, std::uint64_t seed = 1) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<char>(seed >> 56);
  }
  return bytes;
}

}  // namespace sluice::test
