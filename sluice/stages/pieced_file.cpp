#include <sluice/stages/pieced_file.hpp>

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <utility>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/gzip_index.hpp>
#include <sluice/stages/gzip_pieces.hpp>

namespace sluice::stages {

std::uint32_t combined(std::uint32_t crc, std::uint32_t of_next, std::uint64_t size) {
  // zlib 1.2.13 combines a CRC with that of no bytes to something else.
  return size == 0 ? crc : static_cast<std::uint32_t>(crc32_combine(crc, of_next, static_cast<z_off_t>(size)));
}

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

PiecedFile::PiecedFile(const std::string& name, std::size_t decoded_of_piece)
    : RegularFile(name), path(name), span(decoded_of_piece), boundaries(decoded_of_piece) {}

std::shared_ptr<const PieceIndex> PiecedFile::pieces_of(const std::string& path_of_index) const {
  auto read_index = read_gzip_index(path_of_index, size());
  if (!read_index) return nullptr;
  auto known = std::make_shared<PieceIndex>();
  known->stamp = stamp;
  known->believed = false;
  std::vector<GzipPoint>& points = read_index->points;
  known->entries.reserve(points.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool ends = i + 1 == points.size();
    const std::uint64_t decoded = (ends ? read_index->decoded : points[i + 1].offset) - points[i].offset;
    // No encoder makes of a piece much more than it was; between two members lie a trailer and a header.
    const std::uint64_t most_bits = (decoded + decoded / 8 + 16 * 1024) * 8;
    std::uint64_t end = ends ? size() * 8 : points[i + 1].bit;
    if (decoded > most_of_read_piece || points[i].bit >= size() * 8 || (!ends && end - points[i].bit > most_bits))
      return nullptr;
    if (ends) end = std::min(end, (points[i].bit + most_bits) / 8 * 8);
    known->entries.push_back({.begin = points[i].bit,
                              .end = end,
                              .last = ends || points[i + 1].window.empty(),
                              .offset = points[i].offset,
                              .size = static_cast<std::size_t>(decoded),
                              .window = {},
                              .packed = std::move(points[i].window)});
  }
  return known;
}

// What an end is judged by.
constexpr std::size_t behind_end = 8;

PieceWork& PieceWork::of_this_thread() {
  thread_local PieceWork work;
  return work;
}

void PiecedFile::decode_doubted(const PieceIndex::Entry& e, std::uint8_t* target, GuessedPiece& piece) const {
  piece.clear();
  PieceWork& work = PieceWork::of_this_thread();
  PieceInput& in = work.input;
  std::uint8_t window[deflate_window];
  if (!e.packed.empty()) {
    const auto of_window = unpack_window(e.packed, window);
    if (!of_window) return;
    piece.window = *of_window;
  }
  const std::uint64_t first = e.begin / 8;
  const auto bytes = static_cast<std::size_t>((e.end + 7) / 8 - first);
  const std::size_t have = read(in.reserve(bytes + behind_end), bytes + behind_end, first).value_or(0);
  if (have < bytes) return;
  PieceBits bits{.begin = e.begin % 8, .end = {}};
  if (!e.last) bits.end = e.end - first * 8;
  const PieceDecoder::Result r =
      work.decoder.decode(in, 0, e.last ? bytes : have, bits, {window, piece.window}, target, e.size);
  if (r.size != e.size) return;
  if (r.outcome != (e.last ? PieceDecoder::Outcome::last_of_member : PieceDecoder::Outcome::decoded)) return;
  PiecePart part{.begin = e.begin, .end = e.end, .fresh = e.packed.empty(), .last = e.last, .size = e.size};
  std::size_t own = bytes;
  piece.end = {e.end, false};
  if (e.last) {
    own = r.bytes;
    part.end = (first + own) * 8;
    if (own + trailer_bytes > bytes) return;
    const std::uint8_t* const trailer = in.data() + own;
    part.member_crc = little_endian(trailer), part.member_size = little_endian(trailer + 4);
    piece.crc_behind = crc32_of({trailer, trailer_bytes}), piece.bytes_behind = trailer_bytes;
    piece.end = {part.end + 8 * trailer_bytes, true};
  }
  const std::size_t shared = e.begin % 8 ? 1 : 0;
  part.crc_of_file = crc32_of({in.data() + shared, own - shared});
  piece.begin = {e.begin, false};
  piece.first = target + piece.window;
  piece.size = e.size;
  part.crc = crc32_of({piece.first, e.size});
  piece.parts.push_back(part);
  piece.decoded = true;
}

bool PiecedFile::decode(const PieceIndex::Entry& e, std::uint8_t* target) const {
  PieceWork& work = PieceWork::of_this_thread();
  work.second = {};  // from now on nothing is decoded twice
  PieceInput& in = work.input;
  const std::uint64_t first = e.begin / 8;
  const auto bytes = static_cast<std::size_t>((e.end + 7) / 8 - first);
  const std::size_t have = read(in.reserve(bytes + behind_end), bytes + behind_end, first).value_or(0);
  if (have < bytes) return false;
  // libdeflate takes some changes for what they were (a run of code lengths that is too long) that zlib refuses.
  const std::size_t shared = e.begin % 8 ? 1 : 0;
  if (crc32_of({in.data() + shared, bytes - shared}) != e.crc_of_file) return false;
  PieceBits bits{.begin = e.begin % 8, .end = {}};
  if (!e.last) bits.end = e.end - first * 8;
  const PieceDecoder::Result r = work.decoder.decode(in, 0, e.last ? bytes : have, bits, e.window, target, e.size);
  const bool whole = e.last ? r.outcome == PieceDecoder::Outcome::last_of_member && r.bytes == bytes
                            : r.outcome == PieceDecoder::Outcome::decoded;
  return whole && r.size == e.size && crc32_of({target + e.window.size(), e.size}) == e.crc;
}

}  // namespace sluice::stages
