#include <sluice/stages/guessed_piece.hpp>

#include <algorithm>
#include <cstring>

#include <sluice/stages/chunk.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/pieced_file.hpp>
#include <sluice/stages/unknown_window.hpp>

namespace sluice::stages {
namespace {

using Outcome = PieceDecoder::Outcome;

// Where a sync flush ended, the next block begins with a byte; and with pigz -i it reaches back to nothing.
constexpr std::uint8_t marker[] = {0, 0, 0xff, 0xff};
constexpr int most_without_fresh = 4;  // then this is no file of what reaches back to nothing

bool may_be_member(const std::uint8_t* at, std::size_t bytes) {
  constexpr unsigned reserved = 0xe0, most_system = 13, unknown_system = 255;
  if (bytes < 10 || at[0] != 0x1f || at[1] != 0x8b || at[2] != 8 || (at[3] & reserved)) return false;
  return (at[8] == 0 || at[8] == 2 || at[8] == 4) && (at[9] <= most_system || at[9] == unknown_system);
}

// The first at or behind `from`; `bytes`: there is none.
std::size_t first_member(const std::uint8_t* data, std::size_t from, std::size_t bytes) {
  while (from < bytes && !may_be_member(data + from, bytes - from)) {
    const void* const next = std::memchr(data + from + 1, 0x1f, bytes - from - 1);
    from = next ? static_cast<std::size_t>(static_cast<const std::uint8_t*>(next) - data) : bytes;
  }
  return from;
}

// A block behind the first marker that has one; `bytes`: there is none.
std::size_t behind_marker(const std::uint8_t* data, std::size_t from, std::size_t bytes) {
  for (;;) {
    const void* const at = ::memmem(data + from, bytes - from, marker, sizeof marker);
    if (!at) return bytes;
    from = static_cast<std::size_t>(static_cast<const std::uint8_t*>(at) - data) + sizeof marker;
    const std::uint64_t bit = std::uint64_t{from} * 8;
    if (find_dynamic_block(data, bytes, bit, bit + 1) == bit) return from;
  }
}

// Below that even a piece from one of the smallest ranges would be too large.
constexpr double least_ratio = 1. / 64;

// Parts that a piece has at most; one of more is left to its reader.
std::size_t most_parts(std::size_t span) {
  return 16 + span / 2048;
}

// Of a range, half of the next, where it is the last, and what is looked at behind it.
std::size_t most_input(std::size_t span) {
  return 5 * boundary_search(span) / 2;
}

}  // namespace

std::size_t boundary_search(std::size_t span) {
  return std::max<std::size_t>(span, 4096);
}

std::size_t guessed_range(std::size_t span, double ratio) {
  return std::max<std::size_t>(64, static_cast<std::size_t>(static_cast<double>(span) * std::min(1.0, ratio)));
}

// Blocks of bgzip have up to 64 KiB, those of pigz -i 128 KiB decoded.
Boundaries::Boundaries(std::size_t span) : search_(boundary_search(span)), fresh_within_(search_ / 16 * 5) {}

// Relaxed, here and below: guesses (guessed_piece.hpp).
void Boundaries::note_too_large() {
  ratio_.store(std::max(least_ratio, ratio() / 2), std::memory_order_relaxed);
}

void Boundaries::note_decoded(std::uint64_t bytes, std::size_t decoded) {
  in_vain_.store(0, std::memory_order_relaxed);
  if (decoded < 4096) return;
  ratio_.store(std::max(least_ratio, static_cast<double>(bytes) / static_cast<double>(decoded)),
               std::memory_order_relaxed);
}

bool Boundaries::worth_a_try() {
  constexpr unsigned patience = 32, every = 16;
  const unsigned before = in_vain_.fetch_add(1, std::memory_order_relaxed);
  return before < patience || before % every == 0;
}

std::optional<Boundary> Boundaries::first(std::uint64_t from, const std::uint8_t* data, std::uint64_t base,
                                          std::uint64_t end) {
  Found& found = found_[from * 0x9e3779b97f4a7c15 >> 58];
  end = std::min(end, from + search_);
  // Held while it is looked for: who needs the same would only look for it as well.
  const std::lock_guard lock(found.mutex);
  if (found.from != from || (!found.boundary && found.end < end)) {
    found.from = ~std::uint64_t{0};
    found.boundary = look(from, data, base, end);
    found.from = from, found.end = end;
  }
  // Another may have had more of the file.
  return found.boundary && found.boundary->bit < end * 8 ? found.boundary : std::nullopt;
}

std::optional<Boundary> Boundaries::look(std::uint64_t from, const std::uint8_t* data, std::uint64_t base,
                                         std::uint64_t end) {
  if (from >= end) return std::nullopt;
  const auto bytes = static_cast<std::size_t>(end - base), begin = static_cast<std::size_t>(from - base);
  // What reaches back to nothing is preferred, in a file that has such.
  if (const int without = without_fresh_.load(std::memory_order_relaxed); without < most_without_fresh) {
    const std::size_t near = std::min(bytes, begin + fresh_within_);
    const std::size_t member = first_member(data, begin, near), behind = behind_marker(data, begin, member);
    const bool found = member < near || behind < member;
    without_fresh_.store(found ? 0 : without + 1, std::memory_order_relaxed);
    if (behind < member) return Boundary{(base + behind) * 8, false};
    if (member < near) return Boundary{(base + member) * 8, true};
  }
  const std::size_t member = first_member(data, begin, bytes);
  // Where others have looked for a block in vain, it is not done again; but for one whose header they did not have
  // whole.
  constexpr std::uint64_t longest_header = 400;
  std::uint64_t block_from = from;
  {
    const std::lock_guard lock(none_.mutex);
    if (from >= none_.from && from < none_.end)
      block_from = std::max(from, none_.end - std::min(none_.end, longest_header));
  }
  if (const auto block = find_dynamic_block(data, bytes, (block_from - base) * 8, std::uint64_t{member} * 8))
    return Boundary{base * 8 + *block, false};
  {
    const std::lock_guard lock(none_.mutex);
    const std::uint64_t until = base + member;
    if (from < none_.from || from > none_.end) none_.from = from, none_.end = until;
    none_.end = std::max(none_.end, until);
  }
  if (member < bytes) return Boundary{(base + member) * 8, true};
  return std::nullopt;
}

std::size_t guess_bytes(std::size_t span) {
  const std::size_t most = most_of_piece(span);
  return most_input(span) + PieceInput::extra() + piece_bytes(span) + most + most / 8 + 16 +
         2 * most_parts(span) * sizeof(PiecePart);
}

void decode_guess(const PiecedFile& file, std::uint8_t* target, GuessedPiece& piece) {
  piece.clear();
  if (!file.boundaries.worth_a_try()) return;
  const std::size_t span = file.span;
  PieceWork& work = PieceWork::of_this_thread();
  PieceInput& in = work.input;
  const std::uint64_t base = piece.from;
  const std::size_t search = piece.last ? 0 : boundary_search(span);
  const auto range = static_cast<std::size_t>(piece.to - base);
  // As much as any piece needs, so that it stays where it is.
  std::uint8_t* const data = in.reserve(std::max(range + search, most_input(span)));
  const std::size_t have = file.read(data, range + search, base).value_or(0);
  const auto boundary = [&](std::uint64_t from) { return file.boundaries.first(from, data, base, base + have); };
  const std::optional<Boundary> begin = base == 0 ? Boundary{0, true} : boundary(base);
  const std::optional<Boundary> end = piece.last ? Boundary{piece.to * 8, true} : boundary(piece.to);
  if (!begin || !end || begin->bit >= end->bit || end->bit > (base + have) * 8) return;
  piece.begin = *begin, piece.end = *end;

  const std::size_t most = most_of_piece(span);
  auto at = static_cast<std::size_t>(begin->bit / 8 - base), between = at;
  unsigned bit = begin->bit % 8;
  bool fresh = begin->member;
  std::uint8_t* to = target;
  for (bool over = false; !over;) {
    if (fresh) {
      const std::size_t header = gzip_header_bytes({data + at, have - at});
      if (header == 0) return;
      at += header;
    }
    const std::uint64_t here = (base + at) * 8;
    PiecePart part{.begin = here + bit,
                   .end = end->bit,
                   .fresh = fresh,
                   .crc_before = crc32_of({data + between, at - between}),
                   .bytes_before = at - between};
    PieceBits bits{.begin = bit, .end = {}};
    if (!end->member) {
      if (end->bit <= part.begin) return;
      bits.end = end->bit - here;
    }
    const auto decode = [&](std::span<const std::uint8_t> window, std::uint8_t* where) {
      return work.decoder.decode(in, at, have - at, bits, window, where, most - piece.size);
    };
    PieceDecoder::Result r = decode({}, to);
    if (r.outcome == Outcome::refused && !fresh) {
      std::uint8_t* const again = work.second.reserve(piece_bytes(span));
      const PieceDecoder::Result other = decode(invented_window(1), again);
      r = decode(invented_window(0), target);
      if (r.outcome != other.outcome || r.size != other.size || r.bytes != other.bytes) return;
      piece.twice = true;
      to = target + deflate_window;
      piece.unknown.second.reserve(most + 8);
      piece.unknown.find(to, again + deflate_window, r.size);
    }
    if (r.outcome == Outcome::too_large) file.boundaries.note_too_large();
    if (r.outcome != Outcome::decoded && r.outcome != Outcome::last_of_member) return;
    part.size = r.size;
    part.last = r.outcome == Outcome::last_of_member;
    const std::size_t bytes = part.last ? r.bytes : static_cast<std::size_t>((part.end + 7) / 8 - (base + at));
    const std::size_t shared = bit ? 1 : 0;
    part.crc_of_file = crc32_of({data + at + shared, bytes - shared});
    if (!piece.twice || !piece.parts.empty()) part.crc = crc32_of({to, part.size});
    to += part.size;
    piece.size += part.size;
    over = !part.last;
    if (part.last) {
      between = at + bytes;
      if (have - between < trailer_bytes) return;
      part.end = (base + between) * 8;
      part.member_crc = little_endian(data + between), part.member_size = little_endian(data + between + 4);
      at = between + trailer_bytes;
      bit = 0, fresh = true;
      const auto behind = static_cast<std::size_t>(end->bit / 8 - base);
      if (end->member) over = at == behind || (piece.last && at < have && all_zero({data + at, have - at}));
      if (at > behind) return;
      if (over) {
        if (behind > have) return;
        piece.crc_behind = crc32_of({data + between, behind - between}), piece.bytes_behind = behind - between;
      }
    }
    if (piece.parts.size() == most_parts(span)) return;
    piece.parts.push_back(part);
  }
  piece.first = piece.twice ? target + deflate_window : target;
  piece.decoded = true;
  file.boundaries.note_decoded((end->bit - begin->bit) / 8 + 1, piece.size);
}

bool decodes_by_itself(const PiecedFile& file) {
  if (!decodes_pieces() || file.size() < 8 * file.span) return false;
  const std::size_t range = guessed_range(file.span, file.boundaries.ratio());
  Bytes target;
  GuessedPiece piece;
  for (const std::uint64_t from : {std::uint64_t{range}, file.size() / 2}) {
    piece.from = from, piece.to = from + range;
    decode_guess(file, target.reserve(piece_bytes(file.span)), piece);
    if (!piece.decoded || piece.twice) return false;
  }
  return true;
}

}  // namespace sluice::stages
