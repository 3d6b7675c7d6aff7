#include <sluice/stages/inflate_whole.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>

#include <sluice/stages/errors.hpp>

#ifdef SLUICE_LIBDEFLATE
#include <libdeflate.h>
#endif

namespace sluice::stages {
namespace {

// Holes take no room on a disk, and would in memory. Of a small file, or where a file system counts nothing, this does
// not say much.
bool has_holes(const struct stat& status) {
  return status.st_size > (1 << 20) && status.st_blocks > 0 && status.st_blocks < status.st_size / 512;
}

class File {
 public:
  explicit File(const std::string& path) {
    // A pipe must not even be opened: whoever writes into it would lose its reader.
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) || has_holes(status)) return;
    do file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    while (file_ < 0 && errno == EINTR);
    if (file_ >= 0) size_ = static_cast<std::size_t>(status.st_size);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (file_ >= 0) ::close(file_);
  }

  std::size_t size() const { return size_; }  // 0: none, or no regular file

  // The next `wanted` bytes, or fewer where the file ends or cannot be read.
  std::size_t read(std::uint8_t* target, std::size_t wanted) {
    std::size_t got = 0;
    while (got < wanted) {
      const ssize_t n = ::read(file_, target + got, wanted - got);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      got += static_cast<std::size_t>(n);
    }
    return got;
  }

 private:
  int file_ = -1;
  std::size_t size_ = 0;
};

// Deflate makes at most 258 bytes of 2 bits.
constexpr std::uint64_t most_ratio = 1032;

// How many bytes the IDX file has, by the header at the start of its first gzip member; nothing where that is not sound
// or promises more than a file of this size can hold.
std::optional<std::size_t> promised_bytes(const std::uint8_t* start, std::size_t size, std::size_t file_size,
                                          ItemKind kind) {
  std::uint8_t header[16];
  const std::size_t wanted = idx_header_bytes(kind);
  z_stream zlib{};
  if (inflateInit2(&zlib, 15 + 16) != Z_OK) throw std::bad_alloc();
  zlib.next_in = const_cast<std::uint8_t*>(start);  // zlib's interface knows no const
  zlib.avail_in = static_cast<unsigned>(size);
  zlib.next_out = header;
  zlib.avail_out = static_cast<unsigned>(wanted);
  ::inflate(&zlib, Z_SYNC_FLUSH);
  const bool complete = zlib.avail_out == 0;
  inflateEnd(&zlib);
  if (!complete) return std::nullopt;
  try {
    const ItemShape shape = parse_idx_header(header, kind, {});
    const std::uint64_t items = shape.count * shape.item_bytes();  // below 2^58
    if (items > file_size * most_ratio) return std::nullopt;
    return wanted + static_cast<std::size_t>(items);
  } catch (const DataError&) {
    return std::nullopt;
  }
}

constexpr std::size_t start_bytes = 4096;  // enough for any header that is not made to be long

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

bool decode(const std::string& path, ItemKind kind, Chunk& out) {
  if (libdeflate_version().empty()) return false;
  File file(path);
  if (file.size() == 0) return false;
  Bytes compressed;
  std::uint8_t* const in = compressed.reserve(file.size() + 1);  // one more, to see whether it grows
  const std::size_t start = file.read(in, std::min(start_bytes, file.size()));
  const auto promised = promised_bytes(in, start, file.size(), kind);
  if (!promised || much_longer(file.size(), *promised)) return false;
  if (start + file.read(in + start, file.size() + 1 - start) != file.size()) return false;
  std::uint8_t* const target = out.owner.renew().reserve(*promised);
  if (!decode(in, file.size(), target, *promised)) return false;
  out.data = target;
  out.size = *promised;
  out.offset = 0;
  return true;
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
  File file(path);
  std::uint8_t start[start_bytes];
  const std::size_t size = file.size() == 0 ? 0 : file.read(start, start_bytes);
  return promised_bytes(start, size, file.size(), kind);
}

}  // namespace sluice::stages
