#include <sluice/stages/inflate.hpp>

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include <sluice/stages/errors.hpp>

namespace sluice::stages {
namespace {

// What may make a reader wait (a pipe, a terminal) is opened without waiting for its other end.
int open_file(const std::string& path) {
  int file;
  do file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  while (file < 0 && errno == EINTR);
  if (file < 0)
    throw DataError(fmt::format("{}: cannot be opened: {}{}", path, std::strerror(errno),
                                errno == ENOENT ? ": is the path right?" : ""));
  struct stat status {};
  if (::fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) {
    ::close(file);
    throw DataError(path + ": is a folder, expected a file");
  }
  return file;
}

std::string hexadecimal(const std::uint8_t* data, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += fmt::format("{}{:02x}", i ? " " : "", data[i]);
  return text;
}

constexpr std::size_t start_bytes = 64;  // of a file, by which it is told what it is

// What a file that is named .gz and is none looks like, for people.
std::string likely_cause(const std::uint8_t* data, std::size_t size) {
  std::string start;
  for (std::size_t i = 0; i < std::min(size, start_bytes); ++i)
    start += static_cast<char>(data[i] >= 'A' && data[i] <= 'Z' ? data[i] + 32 : data[i]);
  const auto text = std::string_view(start).substr(std::min(start.find_first_not_of(" \t\r\n"), start.size()));
  if (text.starts_with("<!doctype") || text.starts_with("<html"))
    return "an HTML page saved as .gz? That is a download that was interrupted or redirected: download it again";
  if (size >= 3 && data[0] == 0 && data[1] == 0 && data[2] == 8)
    return "it looks like an IDX file that is not compressed: take .gz out of its name";
  return "is it compressed in another way, or damaged? A file that is not compressed has no .gz in its name";
}

}  // namespace

class Inflate::State {
 public:
  explicit State(const Inflate& options)
      : path_(options.path),
        buffer_bytes_(std::max(options.read_bytes, start_bytes)),
        read_bytes_(options.read_bytes),
        wake_(options.wake),
        at_once_(options.at_once) {
    buffer_ = std::make_unique_for_overwrite<std::uint8_t[]>(buffer_bytes_);
    file_ = options.input < 0 ? open_file(path_) : own_copy(options.input);
    struct stat status {};
    waits_ = ::fstat(file_, &status) != 0 || !S_ISREG(status.st_mode);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (zlib_ready_) inflateEnd(&zlib_);
    if (file_ >= 0) ::close(file_);
  }

  std::uint64_t decoded() const { return decoded_; }
  std::uint8_t* memory(Shared<Bytes>& owner, std::size_t size) { return pool_.take(owner).reserve(size); }

  // Up to `size` decoded bytes; fewer only at the end of the file, and where they are wanted at once.
  std::size_t decode(std::uint8_t* target, std::size_t size) {
    if (read_so_far_ == 0) look_at_start();
    std::size_t made = 0;
    while (made < size) {
      if (at_once_ && made > 0 && begin_ == end_ && would_wait()) break;
      if (!fill(1)) {
        if (!in_member_) break;
        // zlib may hold bits of what it took before the chunk was full.
        const std::size_t held = decode_member(target + made, size - made);
        made += held;
        if (held > 0 || !in_member_) continue;
        fail("ends at byte {}, in the middle of gzip member {}, expected the rest of it: was the download interrupted?",
             read_so_far_, member_);
      }
      if (!gzip_) {
        const std::size_t n = std::min(size - made, end_ - begin_);
        std::memcpy(target + made, buffer_.get() + begin_, n);
        begin_ += n, made += n;
      } else {
        if (!in_member_ && !begin_member()) continue;
        made += decode_member(target + made, size - made);
      }
    }
    decoded_ += made;
    return made;
  }

 private:
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) const {
    throw DataError(path_ + ": " + fmt::format(text, std::forward<Args>(args)...));
  }

  int own_copy(int descriptor) const {
    const int copy = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) fail("cannot be read: {}", std::strerror(errno));
    return copy;
  }

  std::uint64_t offset() const { return read_so_far_ - (end_ - begin_); }  // of the next byte in the file

  // Reads until `wanted` bytes (start_bytes at most) are there or the file ends; whether they are.
  bool fill(std::size_t wanted) {
    while (end_ - begin_ < wanted && !at_end_) {
      std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
      end_ -= begin_, begin_ = 0;
      if (waits_) wait();
      const ssize_t n = ::read(file_, buffer_.get() + end_, std::min(read_bytes_, buffer_bytes_ - end_));
      if (n < 0 && (errno == EINTR || (waits_ && errno == EAGAIN))) continue;
      if (n < 0) fail("cannot be read at byte {}: {}", read_so_far_, std::strerror(errno));
      if (n == 0) at_end_ = true;
      end_ += static_cast<std::size_t>(n), read_so_far_ += static_cast<std::uint64_t>(n);
    }
    return end_ - begin_ >= wanted;
  }

  bool would_wait() const {
    pollfd file{file_, POLLIN, 0};
    return waits_ && ::poll(&file, 1, 0) == 0;
  }

  // Until there is something to read, or the other end is closed.
  void wait() const {
    std::array<pollfd, 2> both{{{file_, POLLIN, 0}, {wake_, POLLIN, 0}}};
    while (::poll(both.data(), both.size(), -1) < 0 && errno == EINTR) {
    }
    if (both[1].revents)
      throw WaitEndedError(
          fmt::format("{}: was being waited for at byte {} when the run was interrupted", path_, read_so_far_));
  }

  bool next_is_gzip() { return fill(2) && buffer_[begin_] == 0x1f && buffer_[begin_ + 1] == 0x8b; }

  void look_at_start() {
    gzip_ = next_is_gzip();
    if (begin_ == end_) fail("is empty, expected data: was the download interrupted?");
    if (gzip_ || !path_.ends_with(".gz")) return;
    fill(start_bytes);
    fail("begins with bytes {} at byte 0, expected 1f 8b of a gzip file: {}",
         hexadecimal(buffer_.get(), std::min<std::size_t>(end_, 8)), likely_cause(buffer_.get(), end_));
  }

  // False: what is there of the file are zeros behind its last member, as tapes and copies of blocks have them.
  bool begin_member() {
    if (behind_last_.empty() && !next_is_gzip())
      behind_last_ = fmt::format(
          "{} at byte {}", hexadecimal(buffer_.get() + begin_, std::min<std::size_t>(end_ - begin_, 2)), offset());
    if (!behind_last_.empty()) {
      while (begin_ < end_ && buffer_[begin_] == 0) ++begin_;
      if (begin_ == end_) return false;
      fail(
          "has bytes {}, after gzip member {}, expected the end of the file or 1f 8b of another member: was something "
          "appended, or is it damaged?",
          behind_last_, member_);
    }
    if ((zlib_ready_ ? inflateReset(&zlib_) : inflateInit2(&zlib_, 15 + 16)) != Z_OK) throw std::bad_alloc();
    zlib_ready_ = in_member_ = true;
    ++member_;
    return true;
  }

  std::size_t decode_member(std::uint8_t* target, std::size_t size) {
    constexpr std::size_t most = 1u << 30;  // zlib counts in unsigned int
    const auto in = static_cast<unsigned>(std::min(end_ - begin_, most));
    const auto out = static_cast<unsigned>(std::min(size, most));
    zlib_.next_in = buffer_.get() + begin_;
    zlib_.avail_in = in;
    zlib_.next_out = target;
    zlib_.avail_out = out;
    const int result = ::inflate(&zlib_, Z_NO_FLUSH);
    begin_ += in - zlib_.avail_in;
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    if (result == Z_STREAM_END)
      in_member_ = false;
    else if (result != Z_OK && !(result == Z_BUF_ERROR && in == 0))
      fail("is damaged at byte {}, in gzip member {}: {}: copy or download it again", offset(), member_,
           zlib_.msg ? zlib_.msg : "invalid data");
    return out - zlib_.avail_out;
  }

  std::string path_;
  Pool<Bytes> pool_;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t buffer_bytes_, read_bytes_;
  std::size_t begin_ = 0, end_ = 0;  // what was read into the buffer and not yet used
  std::uint64_t read_so_far_ = 0;    // of the file
  std::uint64_t decoded_ = 0;
  std::uint64_t member_ = 0;  // members begun
  std::string behind_last_;   // where the last has ended: what is there, in words
  int file_ = -1, wake_;
  bool at_once_;
  bool waits_ = false;  // no regular file
  bool at_end_ = false, gzip_ = false, in_member_ = false, zlib_ready_ = false;
  z_stream zlib_{};
};

void Inflate::Closer::operator()(State* state) const {
  delete state;
}

bool Inflate::operator()(Chunk& out) {
  if (chunk_bytes == 0 || read_bytes == 0) throw std::invalid_argument("chunk_bytes and read_bytes must be at least 1");
  if (!state_) state_.reset(new State(*this));
  const std::uint64_t offset = state_->decoded();
  std::uint8_t* const target = state_->memory(out.owner, chunk_bytes);
  const std::size_t made = state_->decode(target, chunk_bytes);
  if (made == 0) return false;
  out.data = target;
  out.size = made;
  out.offset = offset;
  return true;
}

}  // namespace sluice::stages
