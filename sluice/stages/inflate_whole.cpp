#include <sluice/stages/inflate_whole.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <span>
#include <vector>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/item_layout.hpp>
#include <sluice/stages/npy.hpp>
#include <sluice/stages/readable_file.hpp>

#ifdef SLUICE_LIBDEFLATE
#include <libdeflate.h>
#endif

namespace sluice::stages {
namespace {

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

bool is_gzip(std::span<const std::uint8_t> start) {
  return start.size() >= 2 && start[0] == 0x1f && start[1] == 0x8b;
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
    if (items > file_size * most_ratio) return std::nullopt;
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

// The file behind its `start`, behind it in memory; false where it is not as long as it was.
bool read_rest(File& file, std::span<const std::uint8_t> start, std::uint8_t* target) {
  std::copy(start.begin(), start.end(), target);
  // One more, to see whether it grows.
  return start.size() + file.read(target + start.size(), file.size() + 1 - start.size()) == file.size();
}

bool decode(const std::string& path, ItemKind kind, Chunk& out) {
  File file(path);
  std::uint8_t memory[start_bytes];
  const std::span<const std::uint8_t> start(memory, file.size() ? file.read(memory, start_bytes) : 0);
  const auto promised = promised_bytes(start, file.size(), kind);
  if (!promised || much_longer(file.size(), *promised)) return false;
  out.data = nullptr;
  if (is_gzip(start) && !libdeflate_version().empty()) {
    Bytes compressed;
    std::uint8_t* const in = compressed.reserve(file.size() + 1);
    if (!read_rest(file, start, in)) return false;
    std::uint8_t* const target = out.owner.renew().reserve(*promised);
    if (decode(in, file.size(), target, *promised)) out.data = target;
  } else if (file.size() == *promised && !path.ends_with(".gz")) {
    std::uint8_t* const target = out.owner.renew().reserve(file.size() + 1);
    if (read_rest(file, start, target)) out.data = target;
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
  File file(path);
  std::uint8_t start[start_bytes];
  const std::size_t size = file.size() == 0 ? 0 : file.read(start, start_bytes);
  return promised_bytes({start, size}, file.size(), kind);
}

}  // namespace sluice::stages
