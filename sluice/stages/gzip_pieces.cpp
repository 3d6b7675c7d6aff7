#include <sluice/stages/gzip_pieces.hpp>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>
#include <span>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/gzip_index.hpp>
#include <sluice/stages/inflate.hpp>

namespace sluice::stages {
namespace {

// What tells that a file is the one that it was.
struct Stamp {
  dev_t device{};
  ino_t inode{};
  off_t size = 0;
  timespec changed{};
  static Stamp of(const struct stat& s) { return {s.st_dev, s.st_ino, s.st_size, s.st_mtim}; }
  friend bool operator==(const Stamp& a, const Stamp& b) {
    return a.device == b.device && a.inode == b.inode && a.size == b.size && a.changed.tv_sec == b.changed.tv_sec &&
           a.changed.tv_nsec == b.changed.tv_nsec;
  }
};

[[noreturn]] void changed(const std::string& path, std::uint64_t offset) {
  throw DataError(
      fmt::format("{}: no longer decodes to the {} bytes that it had: was it written meanwhile?", path, offset));
}

std::uint32_t combined(std::uint32_t crc, std::uint32_t of_next, std::uint64_t size) {
  return static_cast<std::uint32_t>(crc32_combine(crc, of_next, static_cast<z_off_t>(size)));
}

// The size of a member's header in front of these bytes; 0: there is none, or an unusual one.
std::size_t gzip_header_bytes(std::span<const std::uint8_t> data) {
  constexpr unsigned has_crc = 0x02, extra = 0x04, name = 0x08, comment = 0x10, reserved = 0xe0;
  if (data.size() < 10 || data[0] != 0x1f || data[1] != 0x8b || data[2] != 8) return 0;
  const unsigned flags = data[3];
  if (flags & (has_crc | reserved)) return 0;
  std::size_t at = 10;
  if (flags & extra) {
    if (data.size() < at + 2) return 0;
    at += 2 + (data[at] | std::size_t{data[at + 1]} << 8);
  }
  for (const unsigned text : {name, comment})
    if (flags & text) {
      while (at < data.size() && data[at] != 0) ++at;
      ++at;
    }
  return at <= data.size() ? at : 0;
}

std::uint32_t little_endian(const std::uint8_t* bytes) {
  std::uint32_t n = 0;
  for (std::size_t i = 4; i-- > 0;) n = n << 8 | bytes[i];
  return n;
}

bool all_zero(std::span<const std::uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace

// The file from its beginning, by the decoder that judges, without its first bytes: those that were handed on, whose
// CRC is known. That they are the same is seen to.
class Judge {
 public:
  Judge(Inflate inflate, std::uint64_t skipped, std::uint32_t crc)
      : inflate_(std::move(inflate)), skip_(skipped), skipped_(skipped), expected_(crc) {}

  bool operator()(Chunk& out) {
    while (inflate_(out)) {
      const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, out.size));
      if (n > 0) {
        crc_ = crc32_of({out.data, n}, crc_);
        skip_ -= n;
        if (skip_ == 0 && crc_ != expected_) changed(inflate_.path, skipped_);
      }
      out.data += n, out.size -= n, out.offset += n;
      if (out.size > 0) return true;
    }
    if (skip_ > 0) changed(inflate_.path, skipped_);
    return false;
  }

 private:
  Inflate inflate_;
  std::uint64_t skip_, skipped_;
  std::uint32_t expected_, crc_ = 0;
};

// Where the pieces of a file lie.
struct PieceIndex {
  struct Entry {
    std::uint64_t begin = 0, end = 0;  // bits of the file
    bool last = false;                 // of its member: `end` is where a byte ends
    bool ends = false;                 // of an index that was read: the file, but for zeros
    std::uint64_t offset = 0;          // decoded
    std::size_t size = 0;
    std::uint32_t crc = 0;             // of what it decodes to
    std::uint32_t crc_of_file = 0;     // of its bytes, but for one that it shares with the piece before
    std::uint32_t crc_before = 0;      // of the bytes between the piece before and this one: trailers, headers
    std::vector<std::uint8_t> window;  // what its member has before it, 32 KiB at most
    std::string packed{};              // the same, of an index that was read
  };
  std::vector<Entry> entries;
  // Of one that was read, and of which nothing is believed: CRCs are not known, and `end` of the last piece of a member
  // is where the next begins.
  bool believed = true;
  std::uint32_t crc_behind = 0;  // of the bytes behind the last
  Stamp stamp;                   // of the file
};

// An open file and, where they are known, its pieces; read by any number of threads.
class PiecedFile {
 public:
  static constexpr std::size_t trailer_bytes = 8;

  explicit PiecedFile(std::string name) : path(std::move(name)) {
    // A pipe must not even be opened: whoever writes into it would lose its reader.
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
    do file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    while (file_ < 0 && errno == EINTR);
    if (file_ >= 0 && ::fstat(file_, &status) == 0) stamp = Stamp::of(status);
  }
  PiecedFile(const PiecedFile&) = delete;
  PiecedFile& operator=(const PiecedFile&) = delete;
  ~PiecedFile() {
    if (file_ >= 0) ::close(file_);
  }
  bool is_open() const { return file_ >= 0; }

  // The bytes from `offset` on; fewer where the file ends. Nothing: they cannot be read.
  std::optional<std::size_t> read(std::uint8_t* target, std::size_t wanted, std::uint64_t offset) const {
    std::size_t got = 0;
    while (got < wanted) {
      const ssize_t n = ::pread(file_, target + got, wanted - got, static_cast<off_t>(offset + got));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return std::nullopt;
      if (n == 0) break;
      got += static_cast<std::size_t>(n);
    }
    return got;
  }

  // Whether nothing but zeros is behind that byte.
  bool zero_from(std::uint64_t at) const {
    std::uint8_t bytes[4096];
    for (const auto size = static_cast<std::uint64_t>(stamp.size); at < size;) {
      const auto n = read(bytes, sizeof bytes, at);
      if (!n || *n == 0 || !all_zero({bytes, *n})) return false;
      at += *n;
    }
    return true;
  }

  // A piece that nothing is known of but where it begins and ends, and how many bytes it should have.
  void decode(const PieceIndex::Entry& e, PieceInput& in, std::uint8_t* target, CheckedPiece& out) const {
    std::uint8_t window[deflate_window];
    if (!e.packed.empty()) {
      const auto size = unpack_window(e.packed, window);
      if (!size) return;
      out.window = *size;
    }
    const std::uint64_t first = e.begin / 8;
    const auto bytes = static_cast<std::size_t>((e.end + 7) / 8 - first);
    if (read(in.reserve(bytes), bytes, first) != bytes) return;
    PieceBits bits{.begin = e.begin % 8, .end = {}};
    if (!e.last) bits.end = e.end - first * 8;
    thread_local PieceDecoder decoder;
    const PieceDecoder::Result r = decoder.decode(in, 0, bytes, bits, {window, out.window}, target, e.size);
    if (r.size != e.size) return;
    if (e.last) {
      // Behind it its trailer, and then the header of the next member, or zeros to the end of the file.
      if (r.outcome != PieceDecoder::Outcome::last_of_member || r.bytes + trailer_bytes > bytes) return;
      const std::uint8_t* const trailer = in.data() + r.bytes;
      const std::span<const std::uint8_t> rest(trailer + trailer_bytes, bytes - r.bytes - trailer_bytes);
      if (e.ends ? !all_zero(rest) || !zero_from(first + bytes)
                 : rest.empty() || gzip_header_bytes(rest) != rest.size())
        return;
      out.member_crc = little_endian(trailer), out.member_size = little_endian(trailer + 4);
    } else if (r.outcome != PieceDecoder::Outcome::decoded) {
      return;
    }
    out.chunk.data = target + out.window;
    out.crc = crc32_of({out.chunk.data, e.size});
    out.decoded = true;
  }

  // A piece into `target`, behind its window; false: it is not what it was.
  bool decode(const PieceIndex::Entry& e, PieceInput& in, std::uint8_t* target) const {
    const std::uint64_t first = e.begin / 8;
    const auto bytes = static_cast<std::size_t>((e.end + 7) / 8 - first);
    if (read(in.reserve(bytes), bytes, first) != bytes) return false;
    // libdeflate takes some changes for what they were (a run of code lengths that is too long) that zlib refuses.
    const std::size_t shared = e.begin % 8 ? 1 : 0;
    if (crc32_of({in.data() + shared, bytes - shared}) != e.crc_of_file) return false;
    PieceBits bits{.begin = e.begin % 8, .end = {}};
    if (!e.last) bits.end = e.end - first * 8;
    thread_local PieceDecoder decoder;
    const PieceDecoder::Result r = decoder.decode(in, 0, bytes, bits, e.window, target, e.size);
    const bool whole = e.last ? r.outcome == PieceDecoder::Outcome::last_of_member && r.bytes == bytes
                              : r.outcome == PieceDecoder::Outcome::decoded;
    return whole && r.size == e.size && crc32_of({target + e.window.size(), e.size}) == e.crc;
  }

  const std::string path;
  Stamp stamp;
  std::shared_ptr<const PieceIndex> index;
  std::atomic<bool> refused{false};  // a piece: the file is another one now, or damaged

 private:
  int file_ = -1;
};

void InflatePiece::operator()(const Piece& piece, Chunk& out) const {
  out = piece.chunk;
  if (!piece.from) return;
  PiecedFile& file = *piece.from;
  const PieceIndex::Entry& e = file.index->entries[piece.number];
  std::uint8_t* const data = piece.target + e.window.size();
  out.data = data;
  if (file.decode(e, *piece.input, piece.target)) return;
  file.refused = true;
  std::uint32_t before = 0;
  for (std::size_t i = 0; i < piece.number; ++i)
    before = combined(before, file.index->entries[i].crc, file.index->entries[i].size);
  Judge judge({.path = file.path}, e.offset, before);
  Chunk found;
  for (std::size_t have = 0; have < e.size; have += std::min(found.size, e.size - have)) {
    if (!judge(found)) changed(file.path, e.offset + e.size);
    std::memcpy(data + have, found.data, std::min(found.size, e.size - have));
  }
}

void DecodePiece::operator()(const Piece& piece, CheckedPiece& out) const {
  out.from.reset();
  if (!piece.from || piece.from->index->believed) return InflatePiece{}(piece, out.chunk);
  out.chunk = piece.chunk;
  out.from = piece.from, out.number = piece.number;
  out.window = 0, out.decoded = false;
  piece.from->decode(piece.from->index->entries[piece.number], *piece.input, piece.target, out);
}

void VerifyPieces::push(const CheckedPiece& piece) {
  if (piece.chunk.file != state_.file) state_ = {}, state_.file = piece.chunk.file;
  state_.piece = piece;
  state_.pending = true;
}

bool VerifyPieces::pull(Chunk& out) {
  State& s = state_;
  if (!s.pending) return false;
  if (!s.judge && s.piece.from && !holds()) {
    s.piece.from->refused = true;
    s.judge = std::make_shared<Judge>(Inflate{.path = s.piece.from->path}, s.piece.chunk.offset, s.crc_of_file);
  }
  if (s.judge) {
    // The rest of the file; pieces of it that are still to come are passed over.
    s.pending = !s.over && (*s.judge)(out);
    s.over = !s.pending;
    out.file = s.file;
    return s.pending;
  }
  s.pending = false;
  out = s.piece.chunk;
  return true;
}

// Whether a piece is what follows those before it: then so are its bytes.
bool VerifyPieces::holds() {
  State& s = state_;
  const CheckedPiece& p = s.piece;
  if (!p.decoded || p.window > s.before.size()) return false;
  const auto of_piece = std::span(p.chunk.data - p.window, p.window);
  if (!std::equal(of_piece.begin(), of_piece.end(), s.before.end() - static_cast<std::ptrdiff_t>(p.window)))
    return false;
  const std::uint32_t crc = combined(s.crc, p.crc, p.chunk.size);
  const std::uint64_t size = s.size + p.chunk.size;
  const bool last = p.from->index->entries[p.number].last;
  if (last && (crc != p.member_crc || static_cast<std::uint32_t>(size) != p.member_size)) return false;
  s.crc_of_file = combined(s.crc_of_file, p.crc, p.chunk.size);
  const std::size_t kept = std::min(deflate_window, p.window + p.chunk.size);
  s.owner = p.chunk.owner;
  s.before = {p.chunk.data + p.chunk.size - kept, kept};
  s.crc = last ? 0 : crc, s.size = last ? 0 : size;
  if (last) s.before = {};
  return true;
}

class GzipPieces::State {
 public:
  explicit State(const GzipPieces& o)
      : o_{.path = o.path,
           .span = o.span,
           .index_bytes = o.index_bytes,
           .index = o.index,
           .read_bytes = o.read_bytes,
           .wake = o.wake,
           .input = o.input,
           .at_once = o.at_once},
        memory_(o.memory ? o.memory : std::make_shared<PieceMemory>()) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { end_zlib(); }

  bool next(Piece& out) {
    out.from.reset();
    for (;;) {
      std::optional<bool> made;  // nothing: go on in another way
      switch (way_) {
        case Way::fresh:
          begin();
          break;
        case Way::indexed:
          made = indexed(out);
          break;
        case Way::pieces:
          made = piece(out);
          break;
        case Way::stretch:
          made = stretch(out);
          break;
        case Way::judged:
          made = (*judge_)(out.chunk);
          break;
      }
      if (unreadable_ && way_ != Way::judged) {
        judge();
        if (made == false) continue;
      }
      if (made) return *made;
    }
  }

  // Where the pieces lie, behind a first pass that found it out.
  std::optional<GzipIndex> found() const {
    if (!index_ || !index_->believed) return std::nullopt;
    GzipIndex all;
    const std::vector<Entry>& entries = index_->entries;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const Entry& e = entries[i];
      all.decoded = e.offset + e.size;
      if (e.size > 0)
        all.points.push_back(
            {.bit = e.begin, .offset = e.offset, .window = e.window.empty() ? std::string() : packed_window(e.window)});
      else if (e.window.empty() && (i == 0 || entries[i - 1].last))
        return std::nullopt;  // a member of nothing is no point
    }
    return all.points.empty() ? std::nullopt : std::optional(std::move(all));
  }

  void reset() {
    way_ = Way::fresh;
    // One that was not believed is looked at no more.
    index_lies_ = index_lies_ || (file_ && file_->refused && index_ && !index_->believed);
    if (file_ && (file_->refused || (index_ && !index_->believed))) index_.reset();
    file_.reset();
    building_.reset();
    judge_.reset();
    end_zlib();
    last_ = {}, window_ = {};
    in_ = {};  // with pieces that are known it is not needed
    base_ = decoded_ = 0;
    have_ = at_ = 0;
    crc_ = 0;
    decoder_ = {};
    at_end_ = unreadable_ = in_member_ = false;
  }

 private:
  using Entry = PieceIndex::Entry;
  using Outcome = PieceDecoder::Outcome;
  enum class Way { fresh, indexed, pieces, stretch, judged };

  static constexpr std::size_t trailer_bytes = PiecedFile::trailer_bytes;
  std::size_t most() const { return most_of_piece(o_.span); }
  // Compressed bytes in which the end of a piece is looked for.
  std::size_t search() const { return std::max<std::size_t>(o_.span, 4096); }
  std::size_t most_input() const { return o_.span + o_.span / 8 + 64 + search(); }

  void begin() {
    if (!decodes_pieces() || o_.input >= 0) return judge();
    file_ = std::make_shared<PiecedFile>(o_.path);
    if (!file_->is_open()) return judge();
    if (index_ && index_->stamp == file_->stamp) {
      file_->index = index_;
      way_ = Way::indexed, next_ = 0;
      return;
    }
    index_ = read_index();
    if (index_) {
      file_->index = index_;
      way_ = Way::indexed, next_ = 0;
      return;
    }
    if (o_.index_bytes > 0) building_ = std::make_unique<PieceIndex>(), building_->stamp = file_->stamp;
    window_bytes_ = 0, crc_between_ = 0;
    ratio_ = 0.5;
    stretch_bytes_ = 4 * o_.span;
    member_bytes_ = 0, behind_zeros_ = false;
    way_ = Way::pieces;
    if (!fill(2) || data()[0] != 0x1f || data()[1] != 0x8b) judge();
  }

  // An index file, where it can be of this file.
  std::shared_ptr<const PieceIndex> read_index() {
    if (o_.index.empty() || index_lies_) return nullptr;
    const auto size = static_cast<std::uint64_t>(file_->stamp.size);
    auto read = read_gzip_index(o_.index, size);
    std::uint8_t start[4096];
    const auto have = file_->read(start, sizeof start, 0);
    if (!read || gzip_header_bytes({start, have.value_or(0)}) * 8 != read->points.front().bit) return nullptr;
    auto known = std::make_shared<PieceIndex>();
    known->stamp = file_->stamp;
    known->believed = false;
    std::vector<GzipPoint>& points = read->points;
    known->entries.reserve(points.size());
    for (std::size_t i = 0; i < points.size(); ++i) {
      const bool ends = i + 1 == points.size();
      const std::uint64_t decoded = (ends ? read->decoded : points[i + 1].offset) - points[i].offset;
      // No encoder makes of a piece much more than it was; between two members lie a trailer and a header.
      const std::uint64_t most_bits = (decoded + decoded / 8 + 16 * 1024) * 8;
      std::uint64_t end = ends ? size * 8 : points[i + 1].bit;
      if (decoded > most_of_read_piece || points[i].bit >= size * 8 || (!ends && end - points[i].bit > most_bits))
        return nullptr;
      if (ends) end = std::min(end, (points[i].bit + most_bits) / 8 * 8);
      known->entries.push_back({.begin = points[i].bit,
                                .end = end,
                                .last = ends || points[i + 1].window.empty(),
                                .ends = ends,
                                .offset = points[i].offset,
                                .size = static_cast<std::size_t>(decoded),
                                .window = {},
                                .packed = std::move(points[i].window)});
    }
    return known;
  }

  // From here on, to the end of the file.
  void judge() {
    way_ = Way::judged;
    building_.reset(), index_.reset();
    end_zlib();
    judge_.emplace(Inflate{.path = o_.path,
                           .chunk_bytes = o_.span,
                           .read_bytes = o_.read_bytes,
                           .wake = o_.wake,
                           .input = o_.input,
                           .at_once = o_.at_once},
                   decoded_, crc_);
  }

  const std::uint8_t* data() const { return in_.data() + at_; }
  // Reads until so many bytes are there or the file ends; whether they are.
  bool fill(std::size_t wanted) {
    if (have_ < wanted && !at_end_) {
      std::uint8_t* const front = in_.reserve(most_input());
      std::memmove(front, front + at_, have_);
      at_ = 0;
      const std::size_t free = most_input() - have_;
      const auto read = file_->read(front + have_, free, base_ + have_);
      unreadable_ = !read;
      at_end_ = read.value_or(0) < free;
      have_ += read.value_or(0);
    }
    return have_ >= wanted;
  }
  // What lies between two pieces.
  void drop_between(std::size_t bytes) {
    crc_between_ = crc32_of({data(), bytes}, crc_between_);
    drop(bytes);
  }
  void drop(std::size_t bytes) { at_ += bytes, have_ -= bytes, base_ += bytes; }

  // Behind the last member; what comes behind them is no member, which is for Inflate to say.
  void skip_zeros() {
    while (member_bytes_ > 0 && fill(1) && data()[0] == 0) {
      behind_zeros_ = true;
      drop_between(static_cast<std::size_t>(
          std::find_if(data(), data() + have_, [](std::uint8_t byte) { return byte != 0; }) - data()));
    }
  }

  std::optional<bool> piece(Piece& out) {
    if (!in_member_) {
      skip_zeros();
      if (!fill(1)) {
        if (building_) building_->crc_behind = crc_between_;
        index_ = std::move(building_);
        return false;
      }
      fill(std::min<std::size_t>(4096, most_input()));
      const std::size_t header = gzip_header_bytes({data(), have_});
      if (header == 0 || behind_zeros_) return judge(), std::nullopt;
      drop_between(header);
      in_member_ = true;
      bit_ = 0;
      member_crc_ = 0, member_size_ = 0, member_begin_ = base_;
    }
    std::uint8_t* const to = memory_->chunks.take(out.chunk.owner).reserve(most() + PieceDecoder::room_beside);
    const auto decode = [&](std::optional<std::uint64_t> end) {
      return decoder_.decode(in_, at_, have_, {.begin = bit_, .end = end}, window_, to, most());
    };
    auto want = static_cast<std::size_t>(static_cast<double>(o_.span) * ratio_) + 1;
    // What is left of the file, or a member like the one before, may be no more than a piece. (Where all are small,
    // what is there is not moved to the front for each.)
    const bool small = member_size_ == 0 && member_bytes_ > 0 && member_bytes_ <= 2 * want;
    fill(small ? std::min(want + search(), 2 * member_bytes_ + 32 * 1024) : want + search());
    if (small || (at_end_ && have_ <= 2 * want))
      if (const auto r = decode(std::nullopt); r.outcome == Outcome::last_of_member) return last(out, to, r);
    fill(want + search());
    constexpr std::uint64_t nowhere = ~std::uint64_t{1};
    std::uint64_t too_large = ~std::uint64_t{0};  // an end that is too far
    bool before_last = false;  // the last block of a member is looked for only where the others are too far
    int refused = 0;           // ends in vain: what looks like a block and is none is rare
    for (std::uint64_t from = std::uint64_t{want} * 8 + bit_;;) {
      const auto end =
          find_dynamic_block(data(), have_, from, std::min<std::uint64_t>(have_, want + search()) * 8, before_last);
      // Without an end to be seen, the member may have one.
      PieceDecoder::Result r{.outcome = Outcome::too_large};
      if (end.value_or(nowhere) < too_large) r = decode(end);
      if (r.outcome == Outcome::decoded) {
        note(to, r.size, *end, false);
        hand(out, to, r.size);
        drop(static_cast<std::size_t>(*end / 8));
        bit_ = static_cast<unsigned>(*end % 8);
        stretch_bytes_ = 4 * o_.span;
        return true;
      }
      if (r.outcome == Outcome::last_of_member) return last(out, to, r);
      if (r.outcome == Outcome::too_large && want >= 64) {
        too_large = std::min(too_large, end.value_or(nowhere));
        want /= 2;
        from = std::uint64_t{want} * 8 + bit_;
      } else if (r.outcome == Outcome::refused && end && ++refused < 16) {
        from = *end + 1;
      } else if (!std::exchange(before_last, true)) {
        want = 64, from = bit_ + 1;
        too_large = nowhere;
      } else {
        return begin_stretch();
      }
    }
  }

  // The last piece of a member, which is handed on if the member is what its trailer says.
  std::optional<bool> last(Piece& out, std::uint8_t* to, const PieceDecoder::Result& r) {
    note(to, r.size, std::uint64_t{r.bytes} * 8, true);
    drop(r.bytes);
    if (!end_member()) return judge(), std::nullopt;
    hand(out, to, r.size);
    last_ = {}, window_ = {};
    if (r.size == 0) return std::nullopt;
    return true;
  }

  bool end_member() {
    if (!fill(trailer_bytes) || little_endian(data()) != member_crc_ ||
        little_endian(data() + 4) != static_cast<std::uint32_t>(member_size_))
      return false;
    member_bytes_ = static_cast<std::size_t>(base_ - member_begin_) + 1;
    drop_between(trailer_bytes);
    in_member_ = false;
    return true;
  }

  // What is to be known of a piece behind its window.
  void note(const std::uint8_t* to, std::size_t size, std::uint64_t end, bool is_last) {
    const std::uint32_t crc = piece_crc_ = crc32_of({to + window_.size(), size});
    member_crc_ = combined(member_crc_, crc, size);
    member_size_ += size;
    if (end > 0)
      ratio_ = std::min(
          1.0, size >= 4096 ? static_cast<double>((end - bit_) / 8 + 1) / static_cast<double>(size) : 2 * ratio_);
    if (!building_) return;
    building_->entries.push_back({.begin = base_ * 8 + bit_,
                                  .end = base_ * 8 + end,
                                  .last = is_last,
                                  .offset = decoded_,
                                  .size = size,
                                  .crc = crc,
                                  .crc_of_file = crc32_of(own_bytes(end)),
                                  .crc_before = std::exchange(crc_between_, 0),
                                  .window = {window_.begin(), window_.end()}});
    window_bytes_ += window_.size() + sizeof(Entry);
    if (window_bytes_ > o_.index_bytes) building_.reset();
  }

  // Those of the piece in front that ends at bit `end`, but for one that it shares with the piece before.
  std::span<const std::uint8_t> own_bytes(std::uint64_t end) const {
    const std::size_t shared = bit_ ? 1 : 0;
    return {data() + shared, static_cast<std::size_t>((end + 7) / 8) - shared};
  }

  void hand(Piece& out, const std::uint8_t* to, std::size_t size) {
    const std::uint8_t* const data = to + window_.size();
    const std::size_t kept = std::min(deflate_window, window_.size() + size);
    out.chunk.data = data, out.chunk.size = size, out.chunk.offset = decoded_;
    last_ = out.chunk.owner;
    window_ = {data + size - kept, kept};
    decoded_ += size;
    crc_ = combined(crc_, piece_crc_, size);
  }

  // To a block that a piece can begin with, by zlib.
  std::optional<bool> begin_stretch() {
    building_.reset();
    way_ = Way::stretch;
    stretched_ = 0;
    if (inflateInit2(&zlib_, -15) != Z_OK) throw std::bad_alloc();
    zlib_ready_ = true;
    if (!window_.empty()) inflateSetDictionary(&zlib_, window_.data(), static_cast<unsigned>(window_.size()));
    if (bit_ > 0) {
      inflatePrime(&zlib_, static_cast<int>(8 - bit_), data()[0] >> bit_);
      drop(1);
    }
    return std::nullopt;
  }

  std::optional<bool> stretch(Piece& out) {
    std::uint8_t* const to = memory_->chunks.take(out.chunk.owner).reserve(most() + PieceDecoder::room_beside);
    if (!window_.empty()) std::memcpy(to, window_.data(), window_.size());
    std::size_t made = 0, taken = 0;
    bool at_boundary = false, ended = false;
    while (made < o_.span && !at_boundary && !ended) {
      if (taken == have_) {
        drop(taken), taken = 0;
        if (!fill(1)) return judge(), std::nullopt;
      }
      zlib_.next_in = const_cast<std::uint8_t*>(data()) + taken;  // zlib's interface knows no const
      zlib_.avail_in = static_cast<unsigned>(have_ - taken);
      zlib_.next_out = to + window_.size() + made;
      zlib_.avail_out = static_cast<unsigned>(o_.span - made);
      const int result = ::inflate(&zlib_, Z_BLOCK);
      if (result == Z_MEM_ERROR) throw std::bad_alloc();
      taken = have_ - zlib_.avail_in, made = o_.span - zlib_.avail_out;
      ended = result == Z_STREAM_END;
      if (!ended && result != Z_OK && result != Z_BUF_ERROR) return judge(), std::nullopt;
      constexpr int behind_block = 128, in_last = 64;
      at_boundary = !ended && (zlib_.data_type & behind_block) && !(zlib_.data_type & in_last) &&
                    stretched_ + made >= stretch_bytes_ &&
                    (taken > 0 || (zlib_.data_type & 7) == 0);  // its last byte, where that is shared, is there
    }
    stretched_ += made;
    note(to, made, 0, false);
    const unsigned unused = at_boundary ? static_cast<unsigned>(zlib_.data_type) & 7u : 0;
    drop(taken - (unused ? 1 : 0));
    if (ended && !end_member()) return judge(), std::nullopt;
    hand(out, to, made);
    if (ended) last_ = {}, window_ = {};
    if (ended || at_boundary) {
      way_ = Way::pieces;
      bit_ = unused ? 8 - unused : 0;
      stretch_bytes_ = std::min(2 * stretch_bytes_, 64 * o_.span);  // not to look in vain too often
      end_zlib();
    }
    if (made == 0) return std::nullopt;
    return true;
  }

  void end_zlib() {
    if (std::exchange(zlib_ready_, false)) inflateEnd(&zlib_);
  }

  std::optional<bool> indexed(Piece& out) {
    const bool over = next_ == index_->entries.size();
    // What is left of a file whose index lies comes from VerifyPieces.
    if (!index_->believed && (over || file_->refused)) return false;
    if (!index_->believed) return give(out), true;
    if (file_->refused || !as_it_was(over ? file_size() : index_->entries[next_].begin / 8,
                                     over ? index_->crc_behind : index_->entries[next_].crc_before))
      return judge(), std::nullopt;
    if (over) return false;
    base_ = (index_->entries[next_].end + 7) / 8;
    give(out);
    return true;
  }
  void give(Piece& out) {
    const Entry& e = index_->entries[next_];
    out.from = file_;
    out.number = next_++;
    out.target = memory_->chunks.take(out.chunk.owner).reserve(e.size + PieceDecoder::room_beside);
    out.input = &memory_->inputs.take(out.own_input);
    out.chunk.data = nullptr, out.chunk.size = e.size, out.chunk.offset = e.offset;
    decoded_ += e.size;
    crc_ = combined(crc_, e.crc, e.size);
  }

  std::uint64_t file_size() const { return static_cast<std::uint64_t>(file_->stamp.size); }

  // The bytes from `base_` to there, which belong to no piece.
  bool as_it_was(std::uint64_t end, std::uint32_t expected) {
    std::uint32_t crc = 0;
    std::uint8_t bytes[4096];
    for (std::uint64_t at = base_; at < end;) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(sizeof bytes, end - at));
      if (file_->read(bytes, n, at) != n) return false;
      crc = crc32_of({bytes, n}, crc);
      at += n;
    }
    return crc == expected;
  }

  const GzipPieces o_;
  Way way_ = Way::fresh;
  std::shared_ptr<PiecedFile> file_;
  std::shared_ptr<const PieceIndex> index_;
  bool index_lies_ = false;               // the index file
  std::unique_ptr<PieceIndex> building_;  // in a first pass, as long as it may become one
  std::size_t window_bytes_ = 0;          // that it keeps
  std::uint32_t crc_between_ = 0;
  std::size_t next_ = 0;  // of the index
  std::optional<Judge> judge_;
  std::uint64_t decoded_ = 0;  // and handed on
  std::uint32_t crc_ = 0;      // of that
  std::uint32_t piece_crc_ = 0;
  const std::shared_ptr<PieceMemory> memory_;

  PieceInput in_;
  std::size_t at_ = 0;      // in it: what is not used yet
  std::size_t have_ = 0;    // bytes of that
  std::uint64_t base_ = 0;  // of the first, in the file
  unsigned bit_ = 0;        // of the first byte, where the next block begins
  bool at_end_ = false;     // of the file
  bool unreadable_ = false;
  bool in_member_ = false;
  std::uint32_t member_crc_ = 0;
  std::uint64_t member_size_ = 0, member_begin_ = 0;
  std::size_t member_bytes_ = 0;  // compressed, of the member before; 0: there is none
  bool behind_zeros_ = false;     // behind the last member
  double ratio_ = 0.5;            // compressed to decoded, of the piece before
  Shared<Bytes> last_;            // chunk, in which `window_` lies
  std::span<const std::uint8_t> window_;
  PieceDecoder decoder_;
  z_stream zlib_{};
  bool zlib_ready_ = false;
  std::size_t stretched_ = 0, stretch_bytes_ = 0;
};

void GzipPieces::Closer::operator()(State* state) const {
  delete state;
}

bool GzipPieces::operator()(Piece& out) {
  if (span == 0 || read_bytes == 0) throw std::invalid_argument("span and read_bytes must be at least 1");
  if (!state_) state_.reset(new State(*this));
  return state_->next(out);
}

void GzipPieces::reset() {
  if (state_) state_->reset();
}

std::optional<GzipIndex> GzipPieces::found() const {
  return state_ ? state_->found() : std::nullopt;
}

std::size_t GzipPieces::kept_bytes() const {
  std::error_code none;
  const std::uintmax_t of_file = index.empty() ? 0 : std::filesystem::file_size(index, none);
  return std::max(index_bytes, none ? std::size_t{0} : static_cast<std::size_t>(of_file));
}

std::size_t GzipPieces::chunk_bytes() const {
  std::size_t most = most_of_piece(span);
  if (!index.empty())
    if (const auto read = read_gzip_index(index, ~std::uint64_t{0} / 16)) most = std::max(most, largest_piece(*read));
  return std::min(most, std::max(most_of_piece(span), most_of_read_piece)) + PieceDecoder::room_beside;
}

// The chunk, and the compressed bytes.
std::size_t GzipPieces::payload_bytes() const {
  const std::size_t chunk = chunk_bytes();
  return chunk + (index_bytes > 0 || !index.empty() ? chunk + chunk / 8 + PieceInput::extra() : 0);
}

// Bytes that are read ahead, the chunk before, tables of zlib.
std::size_t GzipPieces::state_bytes() const {
  return 3 * span + PieceInput::extra() + piece_bytes(span) + 48 * 1024;
}

}  // namespace sluice::stages
