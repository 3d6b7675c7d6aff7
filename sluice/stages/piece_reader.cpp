#include <sluice/stages/piece_reader.hpp>

#include <algorithm>
#include <cstring>
#include <new>

namespace sluice::stages {

PieceReader::PieceReader(std::shared_ptr<PiecedFile> file, std::size_t span, std::size_t index_bytes,
                         std::shared_ptr<PieceMemory> memory)
    : file_(std::move(file)),
      span_(span),
      index_bytes_(index_bytes),
      memory_(std::move(memory)),
      stretch_bytes_(4 * span) {
  if (index_bytes_ == 0) return;
  building_ = std::make_shared<PieceIndex>();
  building_->stamp = file_->stamp;
}

void PieceReader::begin_at(std::uint64_t bit, std::uint64_t decoded, std::span<const std::uint8_t> window, bool fresh) {
  base_ = bit / 8, bit_ = bit % 8;
  in_member_ = true, within_member_ = !fresh;
  member_begin_ = base_;
  decoded_ = began_at_ = decoded;
  window_ = window;
  building_.reset();
}

PieceReader::Next PieceReader::next(Chunk& out, std::uint64_t stop) {
  for (;;) {
    const std::optional<Next> made = in_stretch_ ? stretch(out, stop) : piece(out, stop);
    if (unreadable_) return Next::refused;
    if (made) return *made;
    if (stop && !in_stretch_ && position() >= stop) return out.size = 0, Next::piece;
  }
}

// Reads until so many bytes are there or the file ends; whether they are.
bool PieceReader::fill(std::size_t wanted) {
  if (have_ < wanted && !at_end_) {
    std::uint8_t* const front = in_.reserve(most_input());
    std::memmove(front, front + at_, have_);
    at_ = 0;
    const std::size_t missing = std::min(most_input() - have_, std::max<std::size_t>(wanted - have_, 4096));
    const auto read = file_->read(front + have_, missing, base_ + have_);
    unreadable_ = !read;
    at_end_ = read.value_or(0) < missing;
    have_ += read.value_or(0);
  }
  return have_ >= wanted;
}

// What lies between two pieces.
void PieceReader::drop_between(std::size_t bytes) {
  crc_between_ = crc32_of({data(), bytes}, crc_between_);
  drop(bytes);
}

// Behind the last member; what comes behind them is no member, which is for Inflate to say.
void PieceReader::skip_zeros() {
  while (member_bytes_ > 0 && fill(1) && data()[0] == 0) {
    behind_zeros_ = true;
    drop_between(static_cast<std::size_t>(
        std::find_if(data(), data() + have_, [](std::uint8_t byte) { return byte != 0; }) - data()));
  }
}

bool PieceReader::begin_member() {
  fill(std::min<std::size_t>(4096, most_input()));
  const std::size_t header = gzip_header_bytes({data(), have_});
  if (header == 0 || behind_zeros_) return false;
  drop_between(header);
  in_member_ = true, within_member_ = false;
  bit_ = 0;
  member_crc_ = 0, member_size_ = 0, member_begin_ = base_;
  return true;
}

bool PieceReader::end_member() {
  if (!fill(trailer_bytes)) return false;
  if (!within_member_ &&
      (little_endian(data()) != member_crc_ || little_endian(data() + 4) != static_cast<std::uint32_t>(member_size_)))
    return false;
  member_bytes_ = static_cast<std::size_t>(base_ - member_begin_) + 1;
  drop_between(trailer_bytes);
  in_member_ = false;
  return true;
}

std::optional<PieceReader::Next> PieceReader::piece(Chunk& out, std::uint64_t stop) {
  if (!in_member_) {
    skip_zeros();
    if (!fill(1)) {
      if (building_) building_->crc_behind = crc_between_;
      return Next::end;
    }
    if (!begin_member()) return Next::refused;
    if (stop && position() >= stop) return std::nullopt;
  }
  std::uint8_t* const to = memory_->chunks.take(out.owner).reserve(most() + PieceDecoder::room_beside);
  const auto decode = [&](std::optional<std::uint64_t> end) {
    return decoder_.decode(in_, at_, have_, {.begin = bit_, .end = end}, window_, to, most());
  };
  const auto up_to = [&](std::uint64_t end, std::size_t size) {
    note(to, size, end, false);
    hand(out, to, size);
    drop(static_cast<std::size_t>(end / 8));
    bit_ = static_cast<unsigned>(end % 8);
    stretch_bytes_ = 4 * span_;
    return Next::piece;
  };
  auto want = static_cast<std::size_t>(static_cast<double>(span_) * ratio_) + 1;
  if (stop && stop / 8 - base_ <= std::min(2 * want, most_input() - 64)) {
    fill(static_cast<std::size_t>(stop / 8 - base_) + 64);
    const std::uint64_t end = stop - base_ * 8;
    if (end / 8 < have_)
      if (const auto r = decode(end); r.outcome == Outcome::decoded) return up_to(end, r.size);
  }
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
    if (r.outcome == Outcome::decoded) return up_to(*end, r.size);
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
std::optional<PieceReader::Next> PieceReader::last(Chunk& out, std::uint8_t* to, const PieceDecoder::Result& r) {
  note(to, r.size, std::uint64_t{r.bytes} * 8, true);
  drop(r.bytes);
  if (!end_member()) return Next::refused;
  hand(out, to, r.size);
  last_ = {}, window_ = {};
  if (r.size == 0) return std::nullopt;
  return Next::piece;
}

// What is to be known of a piece behind its window. end: 0 where it is zlib's.
void PieceReader::note(const std::uint8_t* to, std::size_t size, std::uint64_t end, bool is_last) {
  piece_crc_ = crc32_of({to + window_.size(), size});
  member_crc_ = combined(member_crc_, piece_crc_, size);
  member_size_ += size;
  if (end == 0) return;
  ratio_ =
      std::min(1.0, size >= 4096 ? static_cast<double>((end - bit_) / 8 + 1) / static_cast<double>(size) : 2 * ratio_);
  if (building_) keep(position(), base_ * 8 + end, is_last, size, piece_crc_, crc32_of(own_bytes(end)));
}

void PieceReader::keep(std::uint64_t begin, std::uint64_t end, bool is_last, std::size_t size, std::uint32_t crc,
                       std::uint32_t crc_of_file) {
  if (!building_) return;
  building_->entries.push_back(
      {.begin = begin,
       .end = end,
       .last = is_last,
       .offset = building_->entries.empty() ? 0 : building_->entries.back().offset + building_->entries.back().size,
       .size = size,
       .crc = crc,
       .crc_of_file = crc_of_file,
       .crc_before = std::exchange(crc_between_, 0),
       .window = {window_.begin(), window_.end()}});
  window_bytes_ += window_.size() + sizeof(PieceIndex::Entry);
  if (window_bytes_ > index_bytes_) building_.reset();
}

// Those of the piece in front that ends at bit `end`, but for one that it shares with the piece before.
std::span<const std::uint8_t> PieceReader::own_bytes(std::uint64_t end) const {
  const std::size_t shared = bit_ ? 1 : 0;
  return {data() + shared, static_cast<std::size_t>((end + 7) / 8) - shared};
}

void PieceReader::hand(Chunk& out, const std::uint8_t* to, std::size_t size) {
  const std::uint8_t* const data = to + window_.size();
  const std::size_t kept = std::min(deflate_window, window_.size() + size);
  out.data = data, out.size = size, out.offset = decoded_;
  last_ = out.owner;
  window_ = {data + size - kept, kept};
  decoded_ += size;
  crc_ = combined(crc_, piece_crc_, size);
}

bool PieceReader::accept(const GuessedPiece& p, Chunk& out) {
  if (!p.decoded || in_stretch_) return false;
  const PiecePart& front = p.parts.front();
  if (p.begin.bit != position() || p.begin.member == in_member_) return false;
  if (front.fresh && !p.begin.member && member_size_ > 0) return false;
  // Nothing of this reader is changed before all of it is known to be right.
  if (p.window > window_.size() ||
      !std::equal(window_.end() - static_cast<std::ptrdiff_t>(p.window), window_.end(), p.first - p.window))
    return false;
  std::uint32_t first_crc = front.crc;
  if (p.twice) {
    if (!table_) table_ = std::make_unique<WindowTable>();
    table_->set(window_);
    if (!table_->fill(p.first, p.unknown)) return false;
    first_crc = crc32_of({p.first, front.size});
  }
  std::uint32_t member_crc = member_crc_, crc = 0;
  std::uint64_t member_size = member_size_;
  bool within_member = within_member_;
  for (const PiecePart& part : p.parts) {
    const std::uint32_t of_part = &part == &front ? first_crc : part.crc;
    if (part.fresh) member_crc = 0, member_size = 0, within_member = false;
    member_crc = combined(member_crc, of_part, part.size);
    member_size += part.size;
    crc = combined(crc, of_part, part.size);
    if (part.last && !within_member &&
        (member_crc != part.member_crc || static_cast<std::uint32_t>(member_size) != part.member_size))
      return false;
  }

  for (const PiecePart& part : p.parts) {
    if (part.fresh) window_ = {}, member_begin_ = part.begin / 8;
    crc_between_ = combined(crc_between_, part.crc_before, part.bytes_before);
    keep(part.begin, part.end, part.last, part.size, &part == &front ? first_crc : part.crc, part.crc_of_file);
    if (part.last) member_bytes_ = static_cast<std::size_t>(part.end / 8 - member_begin_) + 1;
  }
  crc_between_ = combined(crc_between_, p.crc_behind, p.bytes_behind);
  member_crc_ = member_crc, member_size_ = member_size, within_member_ = within_member && !p.end.member;
  piece_crc_ = crc;
  base_ = p.end.bit / 8, bit_ = p.end.bit % 8;
  in_member_ = !p.end.member;
  at_ = have_ = 0;
  at_end_ = false;
  stretch_bytes_ = 4 * span_;

  out.data = p.first, out.size = p.size, out.offset = decoded_;
  decoded_ += p.size;
  crc_ = combined(crc_, crc, p.size);
  // What is behind it may reach back to: its own bytes, and before them those that were there.
  const std::size_t own = p.end.member ? 0 : std::min(deflate_window, p.parts.back().size);
  if (p.end.member) {
    window_ = {}, last_ = {};
  } else if (own == deflate_window || p.parts.back().fresh) {
    window_ = {p.first + p.size - own, own};
    last_ = out.owner;
  } else {
    const std::size_t before = std::min(window_.size(), deflate_window - own);
    own_window_.resize(deflate_window);
    std::memmove(own_window_.data(), window_.data() + window_.size() - before, before);
    std::memcpy(own_window_.data() + before, p.first + p.size - own, own);
    window_ = {own_window_.data(), before + own};
    last_ = {};
  }
  return true;
}

// To a block that a piece can begin with, by zlib.
std::optional<PieceReader::Next> PieceReader::begin_stretch() {
  building_.reset();
  in_stretch_ = true;
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

std::optional<PieceReader::Next> PieceReader::stretch(Chunk& out, std::uint64_t stop) {
  std::uint8_t* const to = memory_->chunks.take(out.owner).reserve(most() + PieceDecoder::room_beside);
  if (!window_.empty()) std::memcpy(to, window_.data(), window_.size());
  std::size_t made = 0, taken = 0;
  bool at_boundary = false, ended = false;
  while (made < span_ && !at_boundary && !ended) {
    if (taken == have_) {
      drop(taken), taken = 0;
      fill(std::min<std::size_t>(64 * 1024, most_input()));
      if (have_ == 0) return Next::refused;
    }
    zlib_.next_in = const_cast<std::uint8_t*>(data()) + taken;  // zlib's interface knows no const
    zlib_.avail_in = static_cast<unsigned>(have_ - taken);
    zlib_.next_out = to + window_.size() + made;
    zlib_.avail_out = static_cast<unsigned>(span_ - made);
    const int result = ::inflate(&zlib_, Z_BLOCK);
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    taken = have_ - zlib_.avail_in, made = span_ - zlib_.avail_out;
    ended = result == Z_STREAM_END;
    if (!ended && result != Z_OK && result != Z_BUF_ERROR) return Next::refused;
    constexpr int behind_block = 128, in_last = 64;
    const std::uint64_t here = (base_ + taken) * 8 - static_cast<unsigned>(zlib_.data_type & 7);
    at_boundary = !ended && (zlib_.data_type & behind_block) && !(zlib_.data_type & in_last) &&
                  (stretched_ + made >= stretch_bytes_ || here == stop) &&
                  (taken > 0 || (zlib_.data_type & 7) == 0);  // its last byte, where that is shared, is there
  }
  stretched_ += made;
  note(to, made, 0, false);
  const unsigned unused = at_boundary ? static_cast<unsigned>(zlib_.data_type) & 7u : 0;
  drop(taken - (unused ? 1 : 0));
  if (ended && !end_member()) return Next::refused;
  hand(out, to, made);
  if (ended) last_ = {}, window_ = {};
  if (ended || at_boundary) {
    in_stretch_ = false;
    bit_ = unused ? 8 - unused : 0;
    stretch_bytes_ = std::min(2 * stretch_bytes_, 64 * span_);  // not to look in vain too often
    end_zlib();
  }
  if (made == 0) return std::nullopt;
  return Next::piece;
}

}  // namespace sluice::stages
