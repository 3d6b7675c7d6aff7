#include <sluice/stages/zip_member.hpp>

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

#include <sluice/stages/deflate_piece.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/one_line.hpp>
#include <sluice/stages/readable_file.hpp>

#ifdef SLUICE_LIBDEFLATE
#include <libdeflate.h>
#endif
#ifdef SLUICE_LIBZIP
#include <zip.h>
#endif

namespace sluice::stages {
namespace {

constexpr std::uint16_t stored_method = 0, deflate_method = 8;

const char* method_name(std::uint16_t method) {
  switch (method) {
    case 9:
      return "deflate64";
    case 12:
      return "bzip2";
    case 14:
      return "LZMA";
    case 93:
      return "zstd";
    case 95:
      return "xz";
    default:
      return "an unknown method";
  }
}

#ifdef SLUICE_LIBZIP
// The directory of a file, and its members as they are stored, by libzip.
class Archive {
 public:
  explicit Archive(const std::string& path)
      : file_(path, "the directory of a zip file is at its end, so save it as a file first") {
    int error = ZIP_ER_OK;
    zip_.reset(zip_open(path.c_str(), ZIP_RDONLY, &error));
    if (!zip_) refuse(error);
  }

  const ReadableFile& file() const { return file_; }

  std::vector<ZipEntry> entries() const {
    std::vector<ZipEntry> all;
    const zip_int64_t count = zip_get_num_entries(zip_.get(), 0);
    for (zip_int64_t i = 0; i < count; ++i) {
      zip_stat_t status;
      zip_stat_init(&status);
      if (zip_stat_index(zip_.get(), static_cast<zip_uint64_t>(i), 0, &status) != 0) refuse(ZIP_ER_INCONS);
      all.push_back({.name = status.name,
                     .size = status.size,
                     .stored = status.comp_size,
                     .crc = status.crc,
                     .method = status.comp_method,
                     .encrypted = status.encryption_method != ZIP_EM_NONE});
    }
    return all;
  }

  // Begins with the bytes of a member; false: they cannot be found.
  bool open(std::size_t index) {
    member_.reset(zip_fopen_index(zip_.get(), index, ZIP_FL_COMPRESSED));
    return member_ != nullptr;
  }
  // The next of them; nothing: they cannot be read.
  std::optional<std::size_t> read(std::uint8_t* target, std::size_t wanted) {
    const zip_int64_t n = zip_fread(member_.get(), target, wanted);
    return n < 0 ? std::nullopt : std::optional(static_cast<std::size_t>(n));
  }
  std::string trouble() const { return member_ ? zip_file_strerror(member_.get()) : zip_strerror(zip_.get()); }

 private:
  [[noreturn]] void refuse(int error) const {
    const std::string& path = file_.path();
    switch (error) {
      case ZIP_ER_NOZIP:
        throw DataError(path + ": is no zip file, or one without its end: was the download interrupted?");
      case ZIP_ER_MULTIDISK:
        throw DataError(path + ": is a part of a split zip file, expected all of it in one: join the parts first");
      case ZIP_ER_INCONS:
        throw DataError(path + ": its zip directory is damaged: copy or download it again");
      case ZIP_ER_MEMORY:
        throw std::bad_alloc();
      default:
        zip_error_t words;
        zip_error_init_with_code(&words, error);
        const std::string text = zip_error_strerror(&words);
        zip_error_fini(&words);
        throw DataError(fmt::format("{}: cannot be read as a zip file: {}", path, text));
    }
  }

  struct Discard {
    void operator()(zip_t* zip) const { zip_discard(zip); }
    void operator()(zip_file_t* member) const { zip_fclose(member); }
  };
  ReadableFile file_;
  std::unique_ptr<zip_t, Discard> zip_;
  std::unique_ptr<zip_file_t, Discard> member_;  // of zip_
};
#else
class Archive {
 public:
  explicit Archive(const std::string& path) : file_(path) {
    throw DataError(path + ": is a zip file, and this was built without libzip, which reads them: unpack it first");
  }
  const ReadableFile& file() const { return file_; }
  std::vector<ZipEntry> entries() const { return {}; }
  bool open(std::size_t) { return false; }
  std::optional<std::size_t> read(std::uint8_t*, std::size_t) { return std::nullopt; }
  std::string trouble() const { return {}; }

 private:
  ReadableFile file_;
};
#endif

std::string names_of(const std::vector<ZipEntry>& entries) {
  constexpr std::size_t most = 8;
  std::string names;
  for (std::size_t i = 0; i < std::min(most, entries.size()); ++i)
    names += (i ? ", " : "") + one_line(entries[i].name, 40);
  return names + (entries.size() > most ? fmt::format(" and {} more", entries.size() - most) : "");
}

std::size_t index_of(const std::vector<ZipEntry>& entries, const std::string& path, const std::string& member) {
  const auto is = [&](const ZipEntry& entry) { return entry.name == member; };
  const auto found = std::find_if(entries.begin(), entries.end(), is);
  if (found == entries.end())
    throw DataError(fmt::format("{}: has no member '{}', but {}", path, one_line(member),
                                entries.empty() ? "none at all" : names_of(entries)));
  const auto count = std::count_if(found, entries.end(), is);
  if (count > 1)
    throw DataError(
        fmt::format("{}: has {} members '{}', expected one: was it written to twice?", path, count, one_line(member)));
  return static_cast<std::size_t>(found - entries.begin());
}

// Throws where it is none that is read here, or cannot be what it promises.
void check_entry(const ZipEntry& entry, const std::string& name) {
  if (entry.encrypted)
    throw DataError(name + ": is encrypted, expected a member without a password: unpack it, and save it without");
  if (entry.method != stored_method && entry.method != deflate_method)
    throw DataError(fmt::format(
        "{}: is compressed by {} ({}), expected deflate (8) or none (0): numpy.savez_compressed uses deflate", name,
        method_name(entry.method), entry.method));
  const bool possible =
      entry.method == stored_method ? entry.size == entry.stored : entry.size / most_deflate_ratio <= entry.stored;
  if (!possible)
    throw DataError(
        fmt::format("{}: has {} bytes in the file, and cannot be the {} that the directory promises: is it damaged?",
                    name, entry.stored, entry.size));
}

#ifdef SLUICE_LIBDEFLATE
std::uint32_t crc_of(std::uint32_t crc, const std::uint8_t* data, std::size_t size) {
  return libdeflate_crc32(crc, data, size);
}
// Of all of `in` exactly `size` bytes; false where it is not so.
bool decode(const std::uint8_t* in, std::size_t in_size, std::uint8_t* out, std::size_t size) {
  const std::unique_ptr<libdeflate_decompressor, void (*)(libdeflate_decompressor*)> decompressor(
      libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
  if (!decompressor) throw std::bad_alloc();
  std::size_t used = 0, made = 0;
  return libdeflate_deflate_decompress_ex(decompressor.get(), in, in_size, out, size, &used, &made) ==
             LIBDEFLATE_SUCCESS &&
         used == in_size && made == size;
}
#else
std::uint32_t crc_of(std::uint32_t crc, const std::uint8_t* data, std::size_t size) {
  return static_cast<std::uint32_t>(crc32_z(crc, data, size));
}
bool decode(const std::uint8_t*, std::size_t, std::uint8_t*, std::size_t) {
  return false;
}
#endif

}  // namespace

std::string libzip_version() {
#ifdef SLUICE_LIBZIP
  return LIBZIP_VERSION;
#else
  return {};
#endif
}

bool is_zip(const std::uint8_t* start) {
  constexpr std::array<std::uint8_t, 4> magic{'P', 'K', 3, 4};
  return std::equal(magic.begin(), magic.end(), start);
}

std::vector<ZipEntry> zip_entries(const std::string& path) {
  return Archive(path).entries();
}

std::string zip_member_name(const std::string& path, const std::string& member) {
  return path + ": " + one_line(member);
}

class ZipMember::State {
 public:
  explicit State(const ZipMember& options)
      : name_(zip_member_name(options.path, options.member)), archive_(options.path), read_bytes_(options.read_bytes) {
    const std::vector<ZipEntry> entries = archive_.entries();
    index_ = index_of(entries, options.path, options.member);
    entry_ = entries[index_];
    check_entry(entry_, name_);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (zlib_ready_) inflateEnd(&zlib_);
  }

  const ZipEntry& entry() const { return entry_; }

  // The whole member; false, and at its beginning: it is not taken so.
  bool whole(Chunk& out) {
    const std::uint64_t there = archive_.file().size();
    if (entry_.size == 0 || entry_.stored > there || archive_.file().has_holes()) return false;
    try {
      Bytes compressed;
      const auto size = static_cast<std::size_t>(entry_.size), stored = static_cast<std::size_t>(entry_.stored);
      std::uint8_t* const target = out.owner.renew().reserve(size);
      std::uint8_t* const in = entry_.method == stored_method ? target : compressed.reserve(stored);
      if (!archive_.open(index_) || read_all(in, stored) != stored) return false;
      if (entry_.method == deflate_method && !decode(in, stored, target, size)) return false;
      if (crc_of(0, target, size) != entry_.crc) return false;
      out.data = target;
      out.size = size;
      out.offset = 0;
      decoded_ = entry_.size;
      return true;
    } catch (const std::bad_alloc&) {
      return false;  // chunk by chunk, memory follows the bytes that come
    }
  }

  // A chunk of at most so many bytes.
  bool next(Chunk& out, std::size_t most) {
    if (!buffer_ && decoded_ == 0) begin();
    if (decoded_ == entry_.size) return false;
    std::uint8_t* const target = pool_.take(out.owner).reserve(most);
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(most, entry_.size - decoded_));
    for (std::size_t made = 0; made < size;)
      made += entry_.method == stored_method ? read_stored(target + made, size - made)
                                             : inflate_some(target + made, size - made);
    crc_ = crc_of(crc_, target, size);
    out.data = target;
    out.size = size;
    out.offset = decoded_;
    decoded_ += size;
    if (decoded_ == entry_.size) check_end();
    return true;
  }

 private:
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) const {
    throw DataError(name_ + ": " + fmt::format(text, std::forward<Args>(args)...));
  }
  [[noreturn]] void fail_to_read() const {
    fail("cannot be read behind byte {} of {} in the file: {}: is the file damaged, or its directory?", taken_,
         entry_.stored, archive_.trouble());
  }

  // Fewer where they cannot be read.
  std::size_t read_all(std::uint8_t* target, std::size_t size) {
    std::size_t got = 0;
    while (got < size) {
      const auto n = archive_.read(target + got, std::min(size - got, read_bytes_));
      if (!n || *n == 0) break;
      got += *n;
    }
    return got;
  }

  void begin() {
    buffer_ = std::make_unique_for_overwrite<std::uint8_t[]>(read_bytes_);
    if (!archive_.open(index_)) fail_to_read();
    if (inflateInit2(&zlib_, -15) != Z_OK) throw std::bad_alloc();
    zlib_ready_ = true;
    if (entry_.size == 0) check_end();
  }

  // At least a byte.
  std::size_t read_stored(std::uint8_t* target, std::size_t size) {
    const auto n = archive_.read(target, std::min(size, read_bytes_));
    if (!n || *n == 0) fail_to_read();
    taken_ += *n;
    return *n;
  }

  // At least a byte.
  std::size_t inflate_some(std::uint8_t* target, std::size_t size) {
    const std::size_t made = inflate(target, size);
    if (made == 0)
      fail("decodes to {} bytes, expected {} as the directory promises: is it damaged?", zlib_.total_out, entry_.size);
    return made;
  }

  // None only where the data end.
  std::size_t inflate(std::uint8_t* target, std::size_t size) {
    for (;;) {
      if (zlib_.avail_in == 0 && taken_ < entry_.stored) fill();
      const auto in = zlib_.avail_in, out = static_cast<unsigned>(std::min(size, zlib_most));
      zlib_.next_out = target;
      zlib_.avail_out = out;
      const int result = ::inflate(&zlib_, Z_NO_FLUSH);
      const std::size_t made = out - zlib_.avail_out;
      if (result == Z_MEM_ERROR) throw std::bad_alloc();
      ended_ = result == Z_STREAM_END;
      if (ended_ || made > 0) return made;  // damage behind is seen the next time
      if (result != Z_OK && result != Z_BUF_ERROR)
        fail("is damaged at byte {} of {} in the file: {}: copy or download it again", taken_ - zlib_.avail_in,
             entry_.stored, zlib_.msg ? zlib_.msg : "invalid data");
      if (in == 0)
        fail("ends at byte {} in the file, in the middle of its data, of which {} bytes are decoded: is it damaged?",
             taken_, zlib_.total_out);
    }
  }

  void fill() {
    zlib_.next_in = buffer_.get();
    zlib_.avail_in = static_cast<unsigned>(read_stored(
        buffer_.get(), static_cast<std::size_t>(std::min<std::uint64_t>(zlib_most, entry_.stored - taken_))));
  }

  // Behind the last byte that the directory promises.
  void check_end() {
    std::uint8_t beyond = 0;
    if (entry_.method == deflate_method && !ended_ && inflate(&beyond, 1) > 0)
      fail("goes on after the {} bytes that the directory promises: is it damaged?", entry_.size);
    if (taken_ - zlib_.avail_in != entry_.stored)
      fail("has {} bytes behind its data: is it damaged?", entry_.stored - taken_ + zlib_.avail_in);
    if (crc_ != entry_.crc)
      fail("is damaged: its checksum is {:08x}, expected {:08x}: copy or download it again", crc_, entry_.crc);
  }

  static constexpr std::size_t zlib_most = 1u << 30;  // it counts in unsigned int

  std::string name_;
  Archive archive_;
  std::size_t index_ = 0, read_bytes_;
  ZipEntry entry_;
  Pool<Bytes> pool_;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::uint64_t taken_ = 0, decoded_ = 0;  // bytes of the file, and of the member
  std::uint32_t crc_ = 0;                  // of those that are decoded
  bool ended_ = false, zlib_ready_ = false;
  z_stream zlib_{};
};

void ZipMember::Closer::operator()(State* state) const {
  delete state;
}

bool ZipMember::operator()(Chunk& out) {
  if (chunk_bytes == 0 || read_bytes == 0) throw std::invalid_argument("chunk_bytes and read_bytes must be at least 1");
  if (!state_) {
    state_.reset(new State(*this));
    if (whole && state_->whole(out)) return true;
    out = {};
  }
  return state_->next(out, chunk_bytes);
}

std::optional<std::size_t> ZipMember::payload_bytes() const {
  if (!whole) return chunk_bytes;
  try {
    return static_cast<std::size_t>(State(*this).entry().size);
  } catch (const DataError&) {
    return std::nullopt;
  }
}

}  // namespace sluice::stages
