// gzip members and IDX files as bytes, sound ones and broken ones.
//
//   gzip("text") + gzip("")                       // two members, the second empty
//   idx_header(3, {60000, 28, 28}) + pixels       // magic 0x00000803
//   idx_images(pixels, 28, 28), idx_labels({3, 0, 1})
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice::test {

// One member.
inline std::string gzip(const std::string& bytes, int level = 6) {
  z_stream z{};
  if (deflateInit2(&z, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::runtime_error("zlib");
  std::string in = bytes, out(deflateBound(&z, bytes.size()) + 32, '\0');
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<unsigned>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<unsigned>(out.size());
  const int result = deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  if (result != Z_STREAM_END) throw std::runtime_error("zlib");
  return out;
}

// One member of `size` zeros, made without having them in memory.
inline std::string gzip_zeros(std::size_t size, const std::string& before = {}) {
  z_stream z{};
  if (deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::runtime_error("zlib");
  std::string out, piece = before, room(1 << 16, '\0');
  for (bool last = false; !last;) {
    if (piece.empty()) piece.assign(size < (1u << 20) ? size : std::size_t{1} << 20, '\0'), size -= piece.size();
    last = size == 0;
    z.next_in = reinterpret_cast<Bytef*>(piece.data());
    z.avail_in = static_cast<unsigned>(piece.size());
    do {
      z.next_out = reinterpret_cast<Bytef*>(room.data());
      z.avail_out = static_cast<unsigned>(room.size());
      deflate(&z, last ? Z_FINISH : Z_NO_FLUSH);
      out.append(room, 0, room.size() - z.avail_out);
    } while (z.avail_out == 0);
    piece.clear();
  }
  deflateEnd(&z);
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
