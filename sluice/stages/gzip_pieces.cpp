#include <sluice/stages/gzip_pieces.hpp>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <sluice/stages/decoder_bytes.hpp>
#include <sluice/stages/gzip_index.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/judge.hpp>
#include <sluice/stages/piece_reader.hpp>
#include <sluice/stages/pieced_file.hpp>

namespace sluice::stages {

void InflatePiece::operator()(const Piece& piece, Chunk& out) const {
  out = piece.chunk;
  if (!piece.from) return;
  PiecedFile& file = *piece.from;
  const PieceIndex::Entry& e = file.index->entries[piece.number];
  std::uint8_t* const data = piece.target + e.window.size();
  out.data = data;
  if (piece.skipped) {
    std::memset(data, 0, e.size);
    return;
  }
  if (file.decode(e, piece.target)) return;
  file.findings->refused = true;
  std::uint32_t before = 0;
  for (std::size_t i = 0; i < piece.number; ++i)
    before = combined(before, file.index->entries[i].crc, file.index->entries[i].size);
  Judge judge({.path = file.path}, e.offset, before);
  Chunk found;
  for (std::size_t have = 0; have < e.size; have += std::min(found.size, e.size - have)) {
    if (!judge(found)) refuse_changed(file.path, e.offset + e.size);
    std::memcpy(data + have, found.data, std::min(found.size, e.size - have));
  }
}

void DecodePiece::operator()(const Piece& piece, CheckedPiece& out) const {
  out.from.reset();
  out.chunk = piece.chunk;
  if (!piece.from) return;
  const PieceIndex* const index = piece.from->index.get();
  if (index && index->believed) {
    out.piece = {};
    return InflatePiece{}(piece, out.chunk);
  }
  out.from = piece.from;
  out.piece.last = piece.last;
  if (index) return piece.from->decode_doubted(index->entries[piece.number], piece.target, out.piece);
  out.piece.from = piece.begins_from, out.piece.to = piece.begins_before;
  decode_guess(*piece.from, piece.target, out.piece);
}

void VerifyPieces::push(const CheckedPiece& piece) {
  if (piece.chunk.file != state_.file) state_ = {}, state_.file = piece.chunk.file;
  state_.piece = &piece;
  state_.looked_at = false;
}

bool VerifyPieces::pull(Chunk& out) {
  while (state_.piece) {
    out.size = 0;
    const bool verified = state_.piece->from != nullptr;
    state_.of_known = false;
    if (!next(out)) state_.piece = nullptr;
    out.file = state_.file;
    if (out.size == 0) continue;
    if (decoded && verified) decoded->add(out.size, state_.of_known);
    if (kept) keep(out);
    return true;
  }
  out = {};  // nothing here keeps its memory
  return false;
}

// What is handed on next, of no bytes perhaps; whether there is more behind it before the next piece.
bool VerifyPieces::next(Chunk& out) {
  State& s = state_;
  const CheckedPiece& p = *s.piece;
  if (s.judge) {
    // The rest of the file; pieces of it that are still to come are passed over.
    s.over = s.over || !(*s.judge)(out);
    if (s.over) out.size = 0;
    return !s.over;
  }
  if (!p.from) return out = p.chunk, false;
  if (!s.reader) begin(p);
  if (s.reader->decoded() >= p.from->wanted.end) {
    p.from->findings->enough = true;
    return false;
  }
  if (p.from->index && !p.piece.decoded && index_lies(*p.from)) return true;
  const bool comes = p.piece.decoded && !s.looked_at;
  if (comes && s.reader->position() >= p.piece.begin.bit) {
    s.looked_at = true;
    Chunk taken = p.chunk;
    if (s.reader->accept(p.piece, taken)) {
      out = taken, s.of_known = p.from->index != nullptr;
      if (taken.offset + taken.size <= p.from->wanted.begin && p.from->first_piece > 0) pass_over(out);
    } else if (p.from->index && index_lies(*p.from)) {
      return true;
    }
    return p.piece.last;
  }
  if (!comes && !p.piece.last) return false;
  const PieceReader::Next made = s.reader->next(out, comes ? p.piece.begin.bit : 0);
  if (made == PieceReader::Next::piece) return true;
  out.size = 0;
  if (made == PieceReader::Next::end) {
    p.from->findings->found = s.reader->found();
    return false;
  }
  return judge(*p.from);
}

void VerifyPieces::begin(const CheckedPiece& p) {
  State& s = state_;
  if (!memory_) memory_ = std::make_shared<PieceMemory>();
  s.reader = std::make_shared<PieceReader>(p.from, span, index_bytes, memory_);
  const PieceIndex* const index = p.from->index.get();
  if (!index || p.from->first_piece == 0) return;
  const PieceIndex::Entry& e = index->entries[p.from->first_piece];
  std::span<const std::uint8_t> window;
  if (p.piece.decoded) window = {p.piece.first - p.piece.window, p.piece.window};
  s.reader->begin_at(e.begin, e.offset, window, e.packed.empty());
}

// Of a part of a file nothing else would see to what is read beside it.
bool VerifyPieces::index_lies(const PiecedFile& file) {
  index_lied(file);
  return file.is_part() && judge(file);
}

// Bytes before those that are wanted, behind a window that nothing stands for.
void VerifyPieces::pass_over(Chunk& chunk) const {
  if (decoded) decoded->add(chunk.size, true);
  chunk.size = 0;
}

// By Inflate, what comes next.
bool VerifyPieces::judge(const PiecedFile& file) {
  State& s = state_;
  file.findings->refused = true;
  s.judge =
      std::make_shared<Judge>(Inflate{.path = file.path, .chunk_bytes = span}, s.reader->decoded(), s.reader->crc());
  s.reader.reset();
  return true;
}

constexpr std::size_t block_bytes = std::size_t{4} << 20;

void VerifyPieces::index_lied(const PiecedFile& file) const {
  if (std::exchange(file.findings->index_lied, true)) return;
  if (decoded) ++decoded->passed_over;
}

// Behind those before it; what is left of a place that has no room for it is lost.
void VerifyPieces::keep(Chunk& chunk) {
  if (block_.bytes < chunk.size) {
    block_.bytes = std::max(block_bytes, chunk.size);
    block_.owner = {};
    block_.free = block_.owner.renew().reserve(block_.bytes);
  }
  std::memcpy(block_.free, chunk.data, chunk.size);
  chunk.data = block_.free, chunk.owner = block_.owner;
  block_.free += chunk.size, block_.bytes -= chunk.size;
}

std::size_t VerifyPieces::payload_bytes() const {
  return std::max(chunk_bytes, piece_bytes(span));
}

// Of what it decodes itself: as GzipPieces; what it holds; and what it knows of a window.
std::size_t VerifyPieces::state_bytes() const {
  return (kept ? block_bytes : 0) + GzipPieces{.path = {}, .span = span}.state_bytes() + payload_bytes() + index_bytes +
         sizeof(WindowTable) + deflate_window;
}

bool pieces_are_independent(const std::string& path, std::size_t span) {
  if (!decodes_pieces()) return false;
  const PiecedFile file(path, span);
  const bool independent = file.is_open() && decodes_by_itself(file);
  PieceWork::of_this_thread() = {};  // which may not decode anything again
  return independent;
}

std::shared_ptr<const PieceIndex> KnownPieces::index() const {
  if (shared_) return shared_->index();
  const std::lock_guard lock(mutex_);
  return index_;
}
void KnownPieces::set(std::shared_ptr<const PieceIndex> index) {
  if (shared_) return shared_->set(std::move(index));
  const std::lock_guard lock(mutex_);
  index_ = std::move(index);
}
std::shared_ptr<const PieceIndex> KnownPieces::read(const Read& read) {
  if (shared_) return shared_->read(read);
  const std::lock_guard lock(mutex_);
  if (!read_) read_ = read();
  return read_;
}

class GzipPieces::State {
 public:
  explicit State(const GzipPieces& o)
      : o_{.path = o.path,
           .span = o.span,
           .index_bytes = o.index_bytes,
           .index = o.index,
           .guess = o.guess,
           .read_bytes = o.read_bytes,
           .wake = o.wake,
           .input = o.input,
           .at_once = o.at_once,
           .decoder_memory = o.decoder_memory,
           .wanted = o.wanted,
           .learns = o.learns,
           .known = o.known,
           .decoded = o.decoded},
        memory_(o.memory ? o.memory : std::make_shared<PieceMemory>()) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  bool next(Piece& out) {
    out.from.reset();
    for (;;) {
      std::optional<bool> made;  // nothing: go on in another way
      switch (way_) {
        case Way::fresh:
          begin();
          break;
        case Way::known:
          made = known(out);
          break;
        case Way::doubted:
          made = !over() && !file_->findings->refused;
          if (*made) give(out);
          break;
        case Way::guessed:
          made = guessed(out);
          break;
        case Way::found:
          made = found(out);
          break;
        case Way::judged:
          made = out_of_judge(out);
          break;
      }
      if (!made) continue;
      // What is yet to be verified is counted then.
      const bool known = out.from && way_ == Way::known;
      const bool plain = way_ == Way::judged && !is_gzip_;
      if (*made && o_.decoded && (known || !out.from) && !plain)
        o_.decoded->add(out.skipped ? 0 : out.chunk.size, known);
      return *made;
    }
  }

  // Where the pieces lie, behind a first pass that found it out.
  std::optional<GzipIndex> index() const {
    if (!index_ || !index_->believed) return std::nullopt;
    GzipIndex all;
    for (const Entry& e : index_->entries) {
      all.decoded = e.offset + e.size;
      // A member of nothing is no point: who reads on comes by it.
      if (e.size > 0)
        all.points.push_back(
            {.bit = e.begin, .offset = e.offset, .window = e.window.empty() ? std::string() : packed_window(e.window)});
    }
    return all.points.empty() ? std::nullopt : std::optional(std::move(all));
  }

  void reset() {
    way_ = Way::fresh;
    if (file_) before_ = file_->findings;
    file_.reset();
    reader_.reset();
    judge_.reset();
    decoded_ = 0, crc_ = 0, next_ = 0, base_ = 0;
    stop_ = 0;
    began_within_ = false;
  }

 private:
  using Entry = PieceIndex::Entry;
  enum class Way { fresh, known, doubted, guessed, found, judged };

  // What the run before found out.
  void learn() {
    if (!before_) return;
    // An index file that was not right is looked at no more.
    index_lies_ = index_lies_ || before_->index_lied;
    if (before_->refused || (before_->index_lied && index_ && !index_->believed)) index_.reset();
    if (!before_->refused && before_->found) keep(before_->found);
    before_.reset();
  }

  void pass_over() {
    index_lies_ = true;
    if (o_.decoded) ++o_.decoded->passed_over;
  }

  void begin() {
    if (!decodes_pieces() || o_.input >= 0) return judge();
    learn();
    file_ = std::make_shared<PiecedFile>(o_.path, o_.span);
    if (!file_->is_open()) return judge();
    if (o_.known && !index_) index_ = o_.known->index();
    if (!index_ || !(index_->stamp == file_->stamp)) {
      const bool has_one = !o_.index.empty() && !index_lies_;
      index_ = has_one ? pieces_of_index() : nullptr;
      if (has_one && !index_) pass_over();
    }
    file_->index = index_;
    if (index_) {
      way_ = index_->believed ? Way::known : Way::doubted;
      file_->wanted = o_.wanted;
      return begin_within();
    }
    if (!o_.learns) file_->wanted = {.end = o_.wanted.end};
    reader_ = std::make_unique<PieceReader>(file_, o_.span, o_.index_bytes, memory_);
    is_gzip_ = reader_->begins_as_gzip();
    if (!is_gzip_) return judge();
    way_ = Way::found;
    if (!o_.guess || file_->size() < 2 * o_.span) return;
    way_ = Way::guessed;
    reader_.reset();
  }

  std::shared_ptr<const PieceIndex> pieces_of_index() const {
    if (!o_.known) return file_->pieces_of(o_.index);
    const auto all = o_.known->read([&] { return file_->pieces_of(o_.index); });
    return all && all->stamp == file_->stamp ? all : nullptr;
  }

  // With the first piece that is wanted, up to the last. Of an index that is not believed, behind as many bytes as a
  // window has.
  void begin_within() {
    const std::vector<Entry>& all = index_->entries;
    const auto behind = [&](std::uint64_t offset) {  // the first piece that begins behind it
      return static_cast<std::size_t>(
          std::upper_bound(all.begin(), all.end(), offset,
                           [](std::uint64_t place, const Entry& e) { return place < e.offset; }) -
          all.begin());
    };
    stop_ =
        o_.wanted.end == 0 ? 0 : std::max<std::size_t>(behind(o_.wanted.end - 1), std::min<std::size_t>(1, all.size()));
    std::size_t first = o_.wanted.begin == 0 ? 0 : behind(o_.wanted.begin);
    first -= first > 0;
    if (first == 0) return;
    const std::uint64_t begin = all[first].offset;
    if (way_ == Way::doubted)
      while (first > 0 && !all[first].packed.empty() &&
             (all[first].offset == begin || begin - all[first].offset < deflate_window))
        --first;
    next_ = file_->first_piece = first;
    began_within_ = first > 0;
    if (first > 0) decoded_ = all[first].offset, base_ = (all[first - 1].end + 7) / 8;
  }

  // Of a plain file and of what zlib decodes, as far as it is wanted.
  bool out_of_judge(Piece& out) {
    if (judged_up_to_ >= file_end() || !(*judge_)(out.chunk)) return false;
    judged_up_to_ = out.chunk.offset + out.chunk.size;
    return true;
  }
  // What is not as it should be is Inflate's to its end, where a checksum is.
  std::uint64_t file_end() const { return is_gzip_ && file_ && file_->is_open() ? ByteRange{}.end : o_.wanted.end; }

  // From here on, to the end of the file.
  void judge() {
    std::optional<std::uint32_t> crc = crc_;
    if (reader_) decoded_ = reader_->decoded(), crc = reader_->crc();
    if (began_within_) crc.reset();
    way_ = Way::judged;
    judged_up_to_ = 0;
    reader_.reset(), index_.reset();
    judge_.emplace(Inflate{.path = o_.path,
                           .chunk_bytes = o_.span,
                           .read_bytes = o_.read_bytes,
                           .wake = o_.wake,
                           .input = o_.input,
                           .at_once = o_.at_once,
                           .decoder_memory = o_.decoder_memory,
                           .begin = decoded_ == 0 ? o_.wanted.begin : 0},
                   decoded_, crc);
  }

  void keep(std::shared_ptr<const PieceIndex> found) {
    index_ = std::move(found);
    if (o_.known && index_) o_.known->set(index_);
  }

  std::optional<bool> found(Piece& out) {
    if (reader_->decoded() >= file_->wanted.end) return false;
    const PieceReader::Next made = reader_->next(out.chunk);
    if (made == PieceReader::Next::refused) return judge(), std::nullopt;
    if (made == PieceReader::Next::end) keep(reader_->found());
    return made == PieceReader::Next::piece;
  }

  std::optional<bool> known(Piece& out) {
    if (file_->findings->refused) return judge(), std::nullopt;
    const bool at_end = next_ == index_->entries.size();
    if (over() && !at_end) return false;
    if (!as_it_was(at_end ? file_->size() : index_->entries[next_].begin / 8,
                   at_end ? index_->crc_behind : index_->entries[next_].crc_before))
      return judge(), std::nullopt;
    if (at_end) return false;
    const Entry& e = index_->entries[next_];
    base_ = (e.end + 7) / 8;
    decoded_ += e.size;
    crc_ = combined(crc_, e.crc, e.size);
    give(out);
    out.skipped = o_.known && !o_.known->needs(e.offset, e.size);
    return true;
  }
  bool over() const { return next_ == stop_; }
  void give(Piece& out) {
    const Entry& e = index_->entries[next_];
    out.number = next_++;
    out.last = over();
    take(out, e.size + PieceDecoder::room_beside);
    out.chunk.size = e.size, out.chunk.offset = e.offset;
  }
  void take(Piece& out, std::size_t bytes) {
    out.from = file_;
    out.skipped = false;
    out.target = memory_->chunks.take(out.chunk.owner).reserve(bytes);
    out.chunk.data = nullptr, out.chunk.size = 0;
  }

  bool guessed(Piece& out) {
    const std::uint64_t size = file_->size();
    if (next_ == size || file_->findings->refused || file_->findings->enough) return false;
    const std::uint64_t range = guessed_range(o_.span, file_->boundaries.ratio());
    out.begins_from = next_;
    next_ = size - next_ < range + range / 2 ? size : next_ + range;
    out.begins_before = next_;
    out.last = next_ == size;
    take(out, piece_bytes(o_.span));
    return true;
  }

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
  const std::shared_ptr<PieceMemory> memory_;
  Way way_ = Way::fresh;
  std::shared_ptr<PiecedFile> file_;
  std::shared_ptr<PieceFindings> before_;  // of the run before
  std::shared_ptr<const PieceIndex> index_;
  bool index_lies_ = false;  // the index file
  bool is_gzip_ = true;      // as far as is known
  std::unique_ptr<PieceReader> reader_;
  std::optional<Judge> judge_;
  std::uint64_t next_ = 0;          // of the index; or of the bytes that are guessed in
  std::uint64_t stop_ = 0;          // of the index: one past the last that is wanted
  bool began_within_ = false;       // and not with the first
  std::uint64_t judged_up_to_ = 0;  // decoded
  std::uint64_t base_ = 0;          // behind the piece before, in the file
  std::uint64_t decoded_ = 0;       // and handed on, of those that are known
  std::uint32_t crc_ = 0;           // of that
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
  return state_ ? state_->index() : std::nullopt;
}

std::size_t GzipPieces::kept_bytes() const {
  if (!learns) return 0;  // another states it
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

// The chunk; and what is needed to decode it, of which most is kept by threads and not by messages: compressed bytes,
// and what a guess takes.
std::size_t GzipPieces::payload_bytes() const {
  const std::size_t chunk = chunk_bytes();
  const std::size_t of_known =
      index_bytes > 0 || known || !index.empty() ? 2 * (chunk + chunk / 8 + PieceInput::extra()) : 0;
  return chunk + std::max(of_known, guess ? guess_bytes(span) : 0);
}

// Bytes that are read ahead, the chunk before, and what the decoder takes that judges.
std::size_t GzipPieces::state_bytes() const {
  return 3 * span + PieceInput::extra() + piece_bytes(span) + decoder_bytes(path, input, decoder_memory);
}

}  // namespace sluice::stages
