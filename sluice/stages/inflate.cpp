#include <sluice/stages/inflate.hpp>

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <sluice/stages/decoder_bytes.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/readable_file.hpp>

namespace sluice::stages {
namespace {

std::string hexadecimal(const std::uint8_t* data, std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += fmt::format("{}{:02x}", i ? " " : "", data[i]);
  return text;
}

constexpr std::size_t start_bytes = 64;  // of a file, by which it is told what it is

std::string hexadecimal(std::string_view bytes) {
  return hexadecimal(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

// What a file that is named as if it were compressed and is not looks like, for people.
std::string likely_cause(const std::uint8_t* data, std::size_t size, std::string_view extension) {
  std::string start;
  for (std::size_t i = 0; i < std::min(size, start_bytes); ++i)
    start += static_cast<char>(data[i] >= 'A' && data[i] <= 'Z' ? data[i] + 32 : data[i]);
  const auto text = std::string_view(start).substr(std::min(start.find_first_not_of(" \t\r\n"), start.size()));
  if (text.starts_with("<!doctype") || text.starts_with("<html"))
    return fmt::format(
        "an HTML page saved as {}? That is a download that was interrupted or redirected: download it again",
        extension);
  if (size >= 3 && data[0] == 0 && data[1] == 0 && data[2] == 8)
    return fmt::format("it looks like an IDX file that is not compressed: take {} out of its name", extension);
  return fmt::format("is it compressed in another way, or damaged? A file that is not compressed has no {} in its name",
                     extension);
}

}  // namespace

class Inflate::State {
 public:
  explicit State(const Inflate& options)
      : path_(options.path),
        buffer_bytes_(std::max(options.read_bytes, start_bytes)),
        read_bytes_(options.read_bytes),
        decoder_memory_(options.decoder_memory),
        wanted_from_(options.input < 0 ? options.begin : 0),
        wake_(options.wake),
        at_once_(options.at_once) {
    buffer_ = std::make_unique_for_overwrite<std::uint8_t[]>(buffer_bytes_);
    file_ = options.input < 0 ? open_to_read(path_) : own_copy(options.input);
    struct stat status {};
    waits_ = ::fstat(file_, &status) != 0 || !S_ISREG(status.st_mode);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (file_ >= 0) ::close(file_);
  }

  std::uint64_t decoded() const { return decoded_; }
  std::uint8_t* memory(Shared<Bytes>& owner, std::size_t size) { return pool_.take(owner).reserve(size); }

  // Up to `size` decoded bytes; fewer only at the end of the file, and where they are wanted at once.
  std::size_t decode(std::uint8_t* target, std::size_t size) {
    if (!failed_.empty()) throw DataError(failed_);  // of a codec that has failed nothing is known
    if (!looked_) look_at_start(), pass_over();
    std::size_t made = 0;
    while (made < size) {
      const std::span<std::uint8_t> room(target + made, size - made);
      if (at_once_ && made > 0 && begin_ == end_ && would_wait()) break;
      if (compression_ == Compression::none && begin_ == end_) {  // to where it stays
        const std::size_t n = read(room.data(), room.size());
        if (n == 0) break;
        made += n;
      } else if (begin_ == end_ && holds_) {
        made += decode_member(room);
      } else if (!fill(1)) {
        if (!in_member_) {
          check_padding();
          break;
        }
        // A codec may hold bytes of what it took before the chunk was full.
        const std::size_t held = decode_member(room);
        made += held;
        if (held == 0 && in_member_) fail_cut_short();
      } else if (compression_ == Compression::none) {
        const std::size_t n = std::min(room.size(), end_ - begin_);
        std::memcpy(room.data(), buffer_.get() + begin_, n);
        begin_ += n, made += n;
      } else if (in_member_ || begin_member()) {
        made += decode_member(room);
      }
    }
    decoded_ += made;
    return made;
  }

 private:
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
    failed_ = path_ + ": " + fmt::format(text, std::forward<Args>(args)...);
    throw DataError(failed_);
  }

  int own_copy(int descriptor) {
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
      end_ += read(buffer_.get() + end_, buffer_bytes_ - end_);
    }
    return end_ - begin_ >= wanted;
  }

  // The next bytes of the file, as many as come at once; none: it has ended.
  std::size_t read(std::uint8_t* target, std::size_t size) {
    while (!at_end_) {
      if (waits_) wait();
      const ssize_t n = ::read(file_, target, std::min(read_bytes_, size));
      if (n < 0 && (errno == EINTR || (waits_ && errno == EAGAIN))) continue;
      if (n < 0) fail("cannot be read at byte {}: {}", read_so_far_, std::strerror(errno));
      at_end_ = n == 0;
      read_so_far_ += static_cast<std::uint64_t>(n);
      return static_cast<std::size_t>(n);
    }
    return 0;
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

  const CompressionFacts& facts() const { return facts_of(compression_); }
  std::span<const std::uint8_t> there() const { return {buffer_.get() + begin_, end_ - begin_}; }

  // No more is waited for than what tells.
  Compression look() {
    for (std::size_t wanted = 1;; ++wanted) {
      const bool is_there = fill(wanted);
      const std::optional<Compression> told = told_by(there());
      if (told || !is_there) return told.value_or(Compression::none);
    }
  }

  void look_at_start() {
    compression_ = look();
    looked_ = true;
    if (begin_ == end_) fail("is empty, expected data: was the download interrupted?");
    if (compression_ != Compression::none) {
      codec_ = make_codec(compression_, decoder_memory_);
      if (codec_) return;
      fail("is compressed by {}, which this program was built without: decompress it ({}), or build with {}",
           facts().name, facts().tool, facts().library);
    }
    const Compression named = named_compression(path_);
    if (named == Compression::none) return;
    const CompressionFacts& expected = facts_of(named);
    fill(start_bytes);
    fail("begins with bytes {} at byte 0, expected {} of {} {} file: {}",
         hexadecimal(buffer_.get(), std::min<std::size_t>(end_, 8)), hexadecimal(expected.magic), expected.article,
         expected.name, likely_cause(buffer_.get(), end_, expected.extension));
  }

  // To what is wanted of a plain file.
  void pass_over() {
    if (compression_ != Compression::none || waits_ || wanted_from_ <= read_so_far_) return;
    if (::lseek(file_, static_cast<off_t>(wanted_from_), SEEK_SET) < 0) return;
    begin_ = end_ = 0;
    read_so_far_ = decoded_ = wanted_from_;
  }

  bool next_is_member() {
    fill(facts().magic_bytes);
    return begins_as(compression_, there()) == true;
  }

  // False: zeros behind a member were passed over, as tapes and copies of blocks have them; what is behind them has not
  // been looked at yet.
  bool begin_member() {
    if (behind_last_.empty() && !next_is_member())
      behind_last_ = fmt::format("{} at byte {}",
                                 hexadecimal(there().data(), std::min(there().size(), facts().magic_bytes)), offset());
    if (!behind_last_.empty()) {
      if (pass_zeros()) return false;
      if (!ends_padding()) fail_behind_last();
      behind_last_.clear(), zeros_ = 0;
    }
    ++member_;
    member_begin_ = offset();
    while (there().size() < codec_->header_bytes(there()))
      if (!fill(codec_->header_bytes(there()))) fail_cut_short();
    asked([&] { codec_->begin(there()); });
    return in_member_ = true;
  }

  // Whether nothing else is there.
  bool pass_zeros() {
    if (facts().padding == Padding::nothing) return false;
    for (; begin_ < end_ && buffer_[begin_] == 0; ++begin_) ++zeros_;
    return begin_ == end_;
  }

  // Whether another stream begins behind it.
  bool ends_padding() {
    return facts().padding == Padding::fours_of_zeros && zeros_ > 0 && zeros_ % 4 == 0 && next_is_member();
  }

  static constexpr const char* appended_or_damaged = "was something appended, or is it damaged?";

  void check_padding() {
    if (zeros_ % 4 != 0 && facts().padding == Padding::fours_of_zeros)
      fail("has {} bytes of zeros before byte {}, after {} {}, expected a multiple of 4: {}", zeros_, offset(),
           facts().member, member_, appended_or_damaged);
  }

  [[noreturn]] void fail_behind_last() {
    check_padding();
    const std::string_view noun = facts().member.substr(facts().name.size() + 1);
    fail("has bytes {}, after {} {}, expected the end of the file or {} of another {}: {}", behind_last_,
         facts().member, member_, hexadecimal(facts().magic), noun, appended_or_damaged);
  }

  [[noreturn]] void fail_cut_short() {
    fail("ends at byte {}, in the middle of {} {}, expected the rest of it: was the download interrupted?",
         read_so_far_, facts().member, member_);
  }

  // What a codec refuses is said of its member.
  template <class Ask>
  void asked(Ask&& ask) {
    try {
      ask();
    } catch (const RefusedMember& refused) {
      fail("{} {}, which begins at byte {}, {}", facts().member, member_, member_begin_, refused.what());
    }
  }

  std::size_t decode_member(std::span<std::uint8_t> room) {
    CodecStep step;
    asked([&] { step = codec_->decode(there(), room); });
    begin_ += step.used;
    if (step.damage)
      fail("is damaged at byte {}, in {} {}: {}: copy or download it again", offset(), facts().member, member_,
           step.damage);
    in_member_ = !step.ended;
    holds_ = in_member_ && step.made == room.size();
    return step.made;
  }

  std::string path_, failed_;  // failed_: what is wrong, once something is
  Pool<Bytes> pool_;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::size_t buffer_bytes_, read_bytes_, decoder_memory_;
  std::size_t begin_ = 0, end_ = 0;  // what was read into the buffer and not yet used
  std::uint64_t read_so_far_ = 0;    // of the file
  std::uint64_t decoded_ = 0;
  std::uint64_t member_ = 0;        // members begun
  std::uint64_t member_begin_ = 0;  // of the last, in the file
  std::string behind_last_;         // where the last has ended: what is there, in words
  std::uint64_t zeros_ = 0;         // of that, so far
  std::uint64_t wanted_from_;       // decoded
  int file_ = -1, wake_;
  bool at_once_;
  bool waits_ = false;   // no regular file
  bool looked_ = false;  // at the start
  bool at_end_ = false, in_member_ = false;
  bool holds_ = false;  // the codec, perhaps, what there was no room for
  Compression compression_ = Compression::none;
  std::unique_ptr<Codec> codec_;
};

void Inflate::Closer::operator()(State* state) const {
  delete state;
}

std::size_t Inflate::state_bytes() const {
  return read_bytes + decoder_bytes(path, input, decoder_memory);
}

bool Inflate::operator()(Chunk& out) {
  if (chunk_bytes == 0 || read_bytes == 0) throw std::invalid_argument("chunk_bytes and read_bytes must be at least 1");
  if (!state_) state_.reset(new State(*this));
  std::uint8_t* const target = state_->memory(out.owner, chunk_bytes);
  const std::size_t made = state_->decode(target, chunk_bytes);
  if (made == 0) return false;
  out.data = target;
  out.size = made;
  out.offset = state_->decoded() - made;
  return true;
}

}  // namespace sluice::stages
