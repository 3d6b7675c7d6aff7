#include <sluice/stages/block_pieces.hpp>

#include <algorithm>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <utility>

#include <sluice/stages/inflate.hpp>
#include <sluice/stages/judge.hpp>

namespace sluice::stages {
namespace {

BlockLimits limits_of(const BlockPieces& o) {
  return {.span = o.span, .most_decoded = o.most_decoded, .decoder_memory = o.decoder_memory};
}

}  // namespace

class BlockPieces::State {
 public:
  explicit State(const BlockPieces& o)
      : inflate_{.path = o.path,
                 .chunk_bytes = o.span,
                 .read_bytes = o.read_bytes,
                 .wake = o.wake,
                 .input = o.input,
                 .at_once = o.at_once,
                 .decoder_memory = o.decoder_memory} {
    if (o.input >= 0) return;
    file_ = std::make_shared<BlockFile>(o.path, limits_of(o));
    file_->wanted = o.wanted;
    if (!file_->has_blocks()) file_.reset();
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (file_) file_->finish();
  }

  bool next(BlockPiece& out) {
    out.from.reset();
    if (!file_) return inflate_(out.chunk);
    do {
      if (over_ || file_->refused || file_->enough) return end();
      const BlockReader::Next found = file_->next(out.place);
      over_ = found != BlockReader::Next::block;
      if (found == BlockReader::Next::end) return end();
    } while (!over_ && passes_over(out.place));
    out.from = file_;
    out.unusual = over_;
    out.target = over_ ? nullptr : pool_.take(out.chunk.owner).reserve(std::max<std::size_t>(1, out.place.decoded));
    out.chunk.data = nullptr, out.chunk.size = 0;
    return true;
  }

 private:
  // Before the first that is handed on.
  bool passes_over(const BlockPlace& place) {
    begun_ = begun_ || !place.exact || file_->passed_over + place.decoded > file_->wanted.begin;
    if (!begun_) file_->passed_over += place.decoded;
    return !begun_;
  }

  bool end() {
    file_->finish();
    return false;
  }

  Inflate inflate_;  // of a file without blocks
  std::shared_ptr<BlockFile> file_;
  Pool<Bytes> pool_;
  bool over_ = false, begun_ = false;
};

void BlockPieces::Closer::operator()(State* state) const {
  delete state;
}

bool BlockPieces::operator()(BlockPiece& out) {
  if (span == 0 || read_bytes == 0) throw std::invalid_argument("span and read_bytes must be at least 1");
  if (!state_) state_.reset(new State(*this));
  return state_->next(out);
}

std::size_t BlockPieces::payload_bytes() const {
  return std::max(span, most_decoded);
}

// Where blocks lie; or of a file without them.
std::size_t BlockPieces::state_bytes() const {
  if (input < 0 && has_blocks(path, limits_of(*this))) return most_of_block_index;
  return Inflate{.path = path, .read_bytes = read_bytes, .input = input, .decoder_memory = decoder_memory}
      .state_bytes();
}

DecodedBlock DecodeBlock::operator()(BlockPiece&& piece) const {
  DecodedBlock out{.chunk = std::move(piece.chunk), .from = std::move(piece.from)};
  if (!out.from || piece.unusual) return out;
  if (const std::optional<std::size_t> made = out.from->decode(piece.place, piece.target)) {
    out.chunk.data = piece.target;
    out.chunk.size = *made;
    out.decoded = true;
  } else {
    out.from->refused = true;
  }
  return out;
}

// Compressed bytes, and a dictionary.
std::size_t DecodeBlock::state_bytes() const {
  return threads * (most_compressed(most_decoded) + most_decoded + beside_window);
}

namespace {

// Where frames do not say how large they are, there may be much more memory than bytes.
void keep(Chunk& chunk) {
  if (chunk.owner->capacity / 2 <= chunk.size) return;
  Shared<Bytes> own;
  std::uint8_t* const data = own.renew().reserve(std::max<std::size_t>(1, chunk.size));
  std::memcpy(data, chunk.data, chunk.size);
  chunk.owner = std::move(own), chunk.data = data;
}

}  // namespace

void VerifyBlocks::push(DecodedBlock&& block) {
  if (block.chunk.file != state_.file) state_ = {.file = block.chunk.file};
  state_.block = std::move(block);
}

std::optional<Chunk> VerifyBlocks::pull() {
  State& s = state_;
  std::optional<DecodedBlock> block = std::exchange(s.block, std::nullopt);
  if (s.judge) return judged();
  if (!block) return std::nullopt;
  Chunk& chunk = block->chunk;
  if (block->from && !std::exchange(s.begun, true)) s.decoded = block->from->passed_over;
  if (block->from && !block->decoded) {
    if (block->from->has_changed()) refuse_changed(block->from->path, s.decoded);
    s.judge = std::make_shared<Judge>(
        Inflate{.path = block->from->path, .chunk_bytes = span, .decoder_memory = decoder_memory}, s.decoded,
        std::nullopt);
    return judged();
  }
  if (block->from) {
    chunk.offset = s.decoded;
    s.decoded += chunk.size;
    block->from->enough = s.decoded >= block->from->wanted.end;
    if (kept) keep(chunk);
  }
  return chunk.size > 0 ? std::optional(std::move(chunk)) : std::nullopt;
}

// The rest of the file; blocks of it that are still to come are passed over.
std::optional<Chunk> VerifyBlocks::judged() {
  State& s = state_;
  Chunk chunk;
  s.over = s.over || !(*s.judge)(chunk);
  if (s.over) return std::nullopt;
  chunk.file = s.file;
  return chunk;
}

std::size_t VerifyBlocks::payload_bytes() const {
  return std::max(span, most_decoded);
}

// Of the judge: its chunk, what it has read, and what it decodes with.
std::size_t VerifyBlocks::state_bytes() const {
  return span + Inflate{}.read_bytes + judge_bytes;
}

bool has_blocks(const std::string& path, const BlockLimits& limits) {
  return BlockFile(path, limits).has_blocks();
}

}  // namespace sluice::stages
