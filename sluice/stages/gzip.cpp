#include <sluice/stages/gzip.hpp>

#include <fmt/format.h>
#include <zlib.h>

#include <limits>
#include <new>
#include <stdexcept>

namespace sluice::stages {
namespace {

// A member of `size` bytes has at most this many; what does not compress grows by a few bytes a block.
std::size_t most_compressed(std::size_t size) {
  return size + size / 1000 + 64;
}

}  // namespace

void Gzip::operator()(const Chunk& in, Chunk& out) const {
  if (level < 1 || level > 9) throw std::invalid_argument(fmt::format("gzip level {}, expected 1 to 9", level));
  const std::size_t room = most_compressed(in.size);
  if (room > std::numeric_limits<unsigned>::max()) throw std::length_error("a gzip member of 4 GiB or more");
  z_stream zlib{};
  constexpr int gzip_of_32_kib = 15 + 16, memory = 8;
  if (deflateInit2(&zlib, level, Z_DEFLATED, gzip_of_32_kib, memory, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::uint8_t* const target = out.owner.renew().reserve(room);
  zlib.next_in = const_cast<std::uint8_t*>(in.data);  // zlib's interface knows no const
  zlib.avail_in = static_cast<unsigned>(in.size);
  zlib.next_out = target;
  zlib.avail_out = static_cast<unsigned>(room);
  const int result = ::deflate(&zlib, Z_FINISH);
  out.data = target;
  out.size = room - zlib.avail_out;
  out.offset = 0;
  deflateEnd(&zlib);
  if (result != Z_STREAM_END) throw std::logic_error("zlib needs more room for a member than it may");
}

std::optional<std::size_t> Gzip::payload_bytes() const {
  return chunk_bytes ? std::optional(most_compressed(chunk_bytes)) : std::nullopt;
}

}  // namespace sluice::stages
