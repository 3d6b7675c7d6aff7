#include <sluice/stages/inflate_whole.hpp>

#include <zlib.h>

#include <algorithm>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include <sluice/stages/codec.hpp>
#include <sluice/stages/deflate_piece.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/item_layout.hpp>
#include <sluice/stages/npy.hpp>
#include <sluice/stages/regular_file.hpp>

#ifdef SLUICE_LIBDEFLATE
#include <libdeflate.h>
#endif

namespace sluice::stages {
namespace {

bool is_gzip(std::span<const std::uint8_t> start) {
  return begins_as(Compression::gzip, start) == true;
}

// What the first gzip member decodes to at its start, up to the header of an array and not much further.
std::vector<std::uint8_t> decoded_start(std::span<const std::uint8_t> start) {
  std::vector<std::uint8_t> decoded(most_npy_header + 64);
  z_stream zlib{};
  if (inflateInit2(&zlib, 15 + 16) != Z_OK) throw std::bad_alloc();
  zlib.next_in = const_cast<std::uint8_t*>(start.data());  // zlib's interface knows no const
  zlib.avail_in = static_cast<unsigned>(start.size());
  zlib.next_out = decoded.data();
  zlib.avail_out = static_cast<unsigned>(decoded.size());
  ::inflate(&zlib, Z_SYNC_FLUSH);
  decoded.resize(decoded.size() - zlib.avail_out);
  inflateEnd(&zlib);
  return decoded;
}

constexpr std::size_t start_bytes = 4096;  // enough for any header that is not made to be long

// How many bytes the array has that the file begins with, by its header, compressed or not; nothing where that is not
// sound or promises more than a file of this size can hold.
std::optional<std::size_t> promised_bytes(std::span<const std::uint8_t> start, std::size_t file_size, ItemKind kind) {
  std::vector<std::uint8_t> decoded;
  if (is_gzip(start)) decoded = decoded_start(start), start = decoded;
  try {
    std::vector<std::uint8_t> header;
    const auto layout = take_layout(header, start, kind, {});
    if (!layout) return std::nullopt;
    const std::uint64_t items = layout->shape.count * layout->item_bytes;  // which is checked to be below 2^64
    if (items > file_size * most_deflate_ratio) return std::nullopt;
    return layout->header_bytes + static_cast<std::size_t>(items);
  } catch (const DataError&) {
    return std::nullopt;
  }
}

// Most of a file that is much longer than what it promises is something else.
bool much_longer(std::size_t file_size, std::size_t promised) {
  return file_size / 2 > promised + (1 << 15);
}

#ifdef SLUICE_LIBDEFLATE
// All members of a gzip file -> exactly `size` bytes; false where they are not.
bool decode(const std::uint8_t* in, std::size_t in_size, std::uint8_t* out, std::size_t size) {
  const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> decompressor(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (!decompressor) throw std::bad_alloc();
  for (bool first = true; in_size > 0; first = false) {
    if (!first && std::all_of(in, in + in_size, [](std::uint8_t byte) { return byte == 0; })) break;
    // It does not look at a header's own checksum, nor at bits that must be zero.
    constexpr std::size_t flags = 3;
    if (in_size <= flags || (in[flags] & (0x02 | 0xe0)) != 0) return false;
    std::size_t used = 0, made = 0;
    if (libdeflate_gzip_decompress_ex(decompressor.get(), in, in_size, out, size, &used, &made) != LIBDEFLATE_SUCCESS)
      return false;
    in += used, in_size -= used;
    out += made, size -= made;
  }
  return size == 0;
}
#else
bool decode(const std::uint8_t*, std::size_t, std::uint8_t*, std::size_t) {
  return false;
}
#endif

// The file, of which the `start` is there; false where it is not as long as it was.
bool read_whole(const RegularFile& file, std::span<const std::uint8_t> start, std::uint8_t* target) {
  std::copy(start.begin(), start.end(), target);
  const auto size = static_cast<std::size_t>(file.size());
  // One more, to see whether it grows.
  const auto rest = file.read(target + start.size(), size + 1 - start.size(), start.size());
  return rest && start.size() + *rest == size;
}

// How a file begins; not at all where it cannot be decoded in one go: it is none, or holes would take memory.
struct Start {
  explicit Start(const RegularFile& file)
      : size(file.is_open() && !file.has_holes() ? file.read(bytes, start_bytes, 0).value_or(0) : 0) {}
  operator std::span<const std::uint8_t>() const { return {bytes, size}; }

  std::uint8_t bytes[start_bytes];
  std::size_t size;
};

bool decode(const std::string& path, ItemKind kind, Chunk& out) {
  const RegularFile file(path);
  const Start beginning(file);
  const std::span<const std::uint8_t> start = beginning;
  const auto size = static_cast<std::size_t>(file.size());
  const auto promised = promised_bytes(start, size, kind);
  if (!promised || much_longer(size, *promised)) return false;
  out.data = nullptr;
  if (is_gzip(start) && !libdeflate_version().empty()) {
    Bytes compressed;
    std::uint8_t* const in = compressed.reserve(size + 1);
    if (!read_whole(file, start, in)) return false;
    std::uint8_t* const target = out.owner.renew().reserve(*promised);
    if (decode(in, size, target, *promised)) out.data = target;
  } else if (size == *promised && named_compression(path) == Compression::none) {
    std::uint8_t* const target = out.owner.renew().reserve(size + 1);
    if (read_whole(file, start, target)) out.data = target;
  }
  out.size = *promised;
  out.offset = 0;
  return out.data != nullptr;
}

}  // namespace

std::string libdeflate_version() {
#ifdef SLUICE_LIBDEFLATE
  return LIBDEFLATE_VERSION_STRING;
#else
  return {};
#endif
}

bool InflateWhole::operator()(Chunk& out) {
  State& s = state_;
  if (s.progress == State::whole) return false;
  if (s.progress == State::fresh) {
    s.progress = State::left_to_inflate;
    s.inflate.path = path;
    s.inflate.wake = wake;
    s.inflate.decoder_memory = decoder_memory;
    try {
      if (decode(path, kind, out)) {
        s.progress = State::whole;
        return true;
      }
    } catch (const std::bad_alloc&) {
      // A damaged header may promise anything; chunk by chunk, memory follows the bytes that come.
    }
    out = {};
  }
  return s.inflate(out);
}

std::optional<std::size_t> InflateWhole::payload_bytes() const {
  const RegularFile file(path);
  return promised_bytes(Start(file), static_cast<std::size_t>(file.size()), kind);
}

}  // namespace sluice::stages
