#include <sluice/stages/deflate_piece.hpp>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <random>
#include <tuple>

#ifdef SLUICE_LIBDEFLATE
#include <libdeflate.h>
#endif

namespace sluice::stages {

namespace {

// From that bit on, 57 bits at least.
std::uint64_t load(const std::uint8_t* data, std::uint64_t bit) {
  std::uint64_t word;
  std::memcpy(&word, data + bit / 8, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word >> bit % 8;
}

}  // namespace

#ifdef SLUICE_LIBDEFLATE
namespace {

// Bits in the order in which a stream has them.
class BitWriter {
 public:
  void put(std::uint64_t value, unsigned bits) {
    for (unsigned i = 0; i < bits; ++i, ++at_)
      bytes_[at_ / 8] = static_cast<std::uint8_t>(bytes_[at_ / 8] | (value >> i & 1) << at_ % 8);
  }
  // An empty block with fixed codes: 10 bits.
  void fixed_block() { put(0b0000000'01'0, 10); }
  // An empty block with dynamic codes: 91 bits. Of literals and lengths the codes of 0 and of the end of a block have a
  // bit each, and of distances one has.
  void dynamic_block() {
    put(0b10'0, 3);
    put(0, 5), put(0, 5), put(18 - 4, 4);
    // Lengths of the code for code lengths, in the order 16, 17, 18, 0, 8, 7, ... 14, 1: 18 and 1 have a bit each.
    for (int i = 0; i < 18; ++i) put(i == 2 || i == 17 ? 1 : 0, 3);
    const auto one = [this] { put(0, 1); };
    const auto zeros = [this](unsigned count) { put(1, 1), put(count - 11, 7); };
    one(), zeros(138), zeros(117), one();  // symbols 0 and 256
    one();                                 // a distance
    put(1, 1);                             // the end of the block
  }
  std::size_t bits() const { return at_; }
  const std::uint8_t* data() const { return bytes_.data(); }

 private:
  std::array<std::uint8_t, 32> bytes_{};
  std::size_t at_ = 0;
};

// Empty blocks that end at bit `offset` of a byte, for each of the eight.
const std::array<BitWriter, 8>& fillers() {
  static const std::array<BitWriter, 8> all = [] {
    std::array<BitWriter, 8> made{};
    for (std::size_t offset = 0; offset < 8; ++offset) {
      if (offset % 2) made[offset].dynamic_block();
      while (made[offset].bits() % 8 != offset) made[offset].fixed_block();
    }
    return made;
  }();
  return all;
}

void put_stored_header(std::uint8_t* to, std::size_t size) {
  const auto length = static_cast<std::uint16_t>(size);
  for (const unsigned n : {unsigned{length}, ~unsigned{length}}) {
    *to++ = static_cast<std::uint8_t>(n & 0xff);
    *to++ = static_cast<std::uint8_t>(n >> 8 & 0xff);
  }
}

// By which it is told that an end was decoded as one. Nobody who makes a file knows it: codes could be chosen that make
// it of whatever is written over the end.
using Mark = std::array<std::uint8_t, 16>;
const Mark& mark() {
  static const Mark made = [] {
    Mark bytes;
    std::random_device random;
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    return bytes;
  }();
  return made;
}
constexpr std::size_t mark_bytes = std::tuple_size_v<Mark>;
static_assert(deflate_window + mark_bytes == PieceDecoder::room_beside);
// Its block: three bits, those to the next byte, and the rest.
constexpr std::size_t end_bytes(unsigned bit) {
  return (bit + 3 + 7) / 8 + 4 + mark_bytes;
}

// Whether a final stored block begins before the end that ends as ours does: its length is where ours is, and the bits
// between are nobody's.
bool ends_earlier(const std::uint8_t* data, std::size_t bytes, std::uint64_t end) {
  const auto bit = static_cast<int>(end % 8), byte = (bit + 3 + 7) / 8 * 8;
  constexpr unsigned final_stored = 1;
  for (int begin = byte - 8 - 2; begin + 3 <= bit; ++begin) {
    const auto at = static_cast<std::int64_t>(end) - bit + begin;
    if (at < 0 || (load(data, static_cast<std::uint64_t>(at)) & 7) != final_stored) continue;
    const auto lengths = static_cast<std::size_t>(end / 8) + static_cast<std::size_t>(byte / 8);
    if (lengths + 4 > bytes) return true;
    const std::uint8_t* const its = data + lengths;  // and its complement
    return (its[0] ^ its[2]) == 0xff && (its[1] ^ its[3]) == 0xff;
  }
  return false;
}

}  // namespace
#endif

bool decodes_pieces() {
#ifdef SLUICE_LIBDEFLATE
  return true;
#else
  return false;
#endif
}

std::uint8_t* PieceInput::reserve(std::size_t bytes) {
  if (capacity_ < bytes) {
    bytes_.reset();
    capacity_ = 0;
    bytes_.reset(new std::uint8_t[front + bytes + behind]);
    capacity_ = bytes;
  }
  return data();
}

#ifdef SLUICE_LIBDEFLATE
void PieceDecoder::Free::operator()(void* decompressor) const {
  libdeflate_free_decompressor(static_cast<libdeflate_decompressor*>(decompressor));
}

PieceDecoder::Result PieceDecoder::decode(PieceInput& in, std::size_t at, std::size_t bytes, const PieceBits& bits,
                                          std::span<const std::uint8_t> window, std::uint8_t* target,
                                          std::size_t most) {
  if (bits.end && ends_earlier(in.data() + at, bytes, *bits.end)) return {};
  if (!decompressor_) decompressor_.reset(libdeflate_alloc_decompressor());
  if (!decompressor_) throw std::bad_alloc();
  std::uint8_t* const data = in.data() + at;
  const auto offset = static_cast<std::size_t>(bits.begin);
  const std::uint8_t first_byte = data[0];

  // Backwards: what the first byte shares with the blocks in front of it, those, the window.
  const BitWriter& filler = fillers()[offset];
  std::uint8_t* begin = data - filler.bits() / 8;
  std::memcpy(begin, filler.data(), filler.bits() / 8);
  if (offset) {
    const auto low = static_cast<std::uint8_t>((1u << offset) - 1);
    data[0] = static_cast<std::uint8_t>((first_byte & ~low) | (filler.data()[filler.bits() / 8] & low));
  }
  if (!window.empty()) {
    begin -= window.size();
    std::memcpy(begin, window.data(), window.size());
    begin -= 4;
    put_stored_header(begin, window.size());
    *--begin = 0;
  }

  // Over the next block's header.
  std::array<std::uint8_t, end_bytes(7)> kept{};
  std::size_t size = bytes;
  std::uint8_t* const end = data + (bits.end ? *bits.end / 8 : bytes);
  if (bits.end) {
    const auto bit = static_cast<unsigned>(*bits.end % 8);
    const std::size_t length = end_bytes(bit);
    std::memcpy(kept.data(), end, kept.size());
    const auto low = static_cast<std::uint8_t>((1u << bit) - 1);
    std::memset(end + 1, 0, length - 1);
    const unsigned header = 1u << bit;  // final, stored
    end[0] = static_cast<std::uint8_t>((end[0] & low) | (header & 0xff));
    std::uint8_t* const stored = end + length - mark_bytes;
    put_stored_header(stored - 4, mark_bytes);
    std::memcpy(stored, mark().data(), mark_bytes);
    size = static_cast<std::size_t>(end - data) + length;
  }

  std::size_t used = 0, made = 0;
  const std::size_t whole = static_cast<std::size_t>(data - begin) + size, room = window.size() + most + mark_bytes;
  const libdeflate_result result = libdeflate_deflate_decompress_ex(
      static_cast<libdeflate_decompressor*>(decompressor_.get()), begin, whole, target, room, &used, &made);
  data[0] = first_byte;
  if (bits.end) {
    std::memcpy(end, kept.data(), kept.size());
    // The end lay in the first byte, or in what was written over it.
    if (end == data) data[0] = first_byte;
  }

  if (result == LIBDEFLATE_INSUFFICIENT_SPACE) return {Outcome::too_large, 0, 0};
  if (result != LIBDEFLATE_SUCCESS || made < window.size()) return {};
  const std::size_t decoded = made - window.size();
  if (used < whole || !bits.end) {
    if (decoded > most) return {Outcome::too_large, 0, 0};
    const auto front = static_cast<std::size_t>(data - begin);
    // What reaches into the end's bytes has decoded something else than the file's.
    if (used < front || (bits.end && used - front > *bits.end / 8)) return {};
    return {Outcome::last_of_member, decoded, used - front};
  }
  if (decoded < mark_bytes || std::memcmp(target + made - mark_bytes, mark().data(), mark_bytes) != 0) return {};
  // Nor may it be the data of a stored block that began before: then what was written in front of it is data, too.
  const std::size_t piece = decoded - mark_bytes;
  std::uint8_t lengths[4];
  put_stored_header(lengths, mark_bytes);
  if (piece >= sizeof lengths &&
      std::memcmp(target + window.size() + piece - sizeof lengths, lengths, sizeof lengths) == 0)
    return {};
  return {Outcome::decoded, piece, 0};
}
#else
void PieceDecoder::Free::operator()(void*) const {}

PieceDecoder::Result PieceDecoder::decode(PieceInput&, std::size_t, std::size_t, const PieceBits&,
                                          std::span<const std::uint8_t>, std::uint8_t*, std::size_t) {
  return {};
}
#endif

std::uint32_t crc32_of(std::span<const std::uint8_t> bytes, std::uint32_t before) {
#ifdef SLUICE_LIBDEFLATE
  return libdeflate_crc32(before, bytes.data(), bytes.size());
#else
  return static_cast<std::uint32_t>(crc32_z(before, bytes.data(), bytes.size()));
#endif
}

namespace {

// Of four lengths of three bits each, the share of the code that they take, in 128ths.
const std::array<std::uint16_t, 4096>& shares() {
  static const std::array<std::uint16_t, 4096> all = [] {
    std::array<std::uint16_t, 4096> made{};
    for (std::size_t four = 0; four < made.size(); ++four)
      for (unsigned i = 0; i < 4; ++i)
        if (const std::size_t length = four >> 3 * i & 7)
          made[four] = static_cast<std::uint16_t>(made[four] + (128u >> length));
    return made;
  }();
  return all;
}

// Lengths of codes -> whether they are a code that an encoder makes.
bool complete(const std::uint8_t* lengths, std::size_t count) {
  std::uint32_t share = 0;
  for (std::size_t i = 0; i < count; ++i)
    if (lengths[i]) share += 1u << (15 - lengths[i]);
  return share == 1u << 15;
}
// Of distances: none may be needed, or one, which has a bit.
bool complete_or_one(const std::uint8_t* lengths, std::size_t count) {
  std::size_t used = 0, longest = 0;
  for (std::size_t i = 0; i < count; ++i) used += lengths[i] > 0, longest = std::max<std::size_t>(longest, lengths[i]);
  return used == 0 || (used == 1 && longest == 1) || complete(lengths, count);
}

// The header behind the three bits of its type: whether all of it is there and its codes are sound.
bool sound_header(const std::uint8_t* data, std::uint64_t bit, std::uint64_t end) {
  const std::uint64_t counts = load(data, bit);
  const std::size_t literals = 257 + (counts & 31), distances = 1 + (counts >> 5 & 31), all = literals + distances;
  const std::size_t given = 4 + (counts >> 10 & 15);
  bit += 14;
  constexpr std::array<std::uint8_t, 19> order{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  std::array<std::uint8_t, 19> lengths{};
  const std::uint64_t triples = load(data, bit);
  for (std::size_t i = 0; i < given; ++i) lengths[order[i]] = triples >> 3 * i & 7;
  bit += 3 * given;
  // The symbol of each seven bits, the first of which comes first, and the length of its code.
  std::array<std::uint8_t, 128> symbols{}, bits{};
  unsigned code = 0;
  for (unsigned length = 1; length <= 7; ++length, code <<= 1)
    for (std::uint8_t symbol = 0; symbol < 19; ++symbol) {
      if (lengths[symbol] != length) continue;
      unsigned reversed = 0;
      for (unsigned i = 0; i < length; ++i) reversed |= (code >> i & 1) << (length - 1 - i);
      for (unsigned i = reversed; i < 128; i += 1u << length)
        symbols[i] = symbol, bits[i] = static_cast<std::uint8_t>(length);
      ++code;
    }
  std::array<std::uint8_t, 286 + 30 + 138> code_lengths{};
  for (std::size_t i = 0; i < all;) {
    if (bit >= end) return false;
    const std::uint64_t next = load(data, bit);
    const std::uint8_t symbol = symbols[next & 127];
    const unsigned taken = bits[next & 127];
    bit += taken;
    if (symbol < 16) {
      code_lengths[i++] = symbol;
      continue;
    }
    const std::uint64_t more = next >> taken;
    if (symbol == 16) {
      if (i == 0) return false;
      const std::size_t count = 3 + (more & 3);
      std::memset(&code_lengths[i], code_lengths[i - 1], count);
      i += count, bit += 2;
    } else if (symbol == 17) {
      i += 3 + (more & 7), bit += 3;
    } else {
      i += 11 + (more & 127), bit += 7;
    }
    if (i > all) return false;
  }
  return bit <= end && code_lengths[256] > 0 && complete(code_lengths.data(), literals) &&
         complete_or_one(code_lengths.data() + literals, distances);
}

}  // namespace

std::optional<std::uint64_t> find_dynamic_block(const std::uint8_t* data, std::size_t bytes, std::uint64_t from,
                                                std::uint64_t to, bool last) {
  const std::array<std::uint16_t, 4096>& share = shares();
  const std::uint64_t end = std::uint64_t{bytes} * 8;
  to = std::min(to, end);
  constexpr unsigned step = 48;  // positions that one word tells of, with the 16 bits behind each
  for (std::uint64_t at = from; at < to; at += step - at % 8) {
    const std::uint64_t w = load(data, at);
    // Final or not, type 10; neither 30 nor 31 of the counts of literals and lengths, and of distances.
    std::uint64_t may = (last ? w : ~w) & ~(w >> 1) & w >> 2 & ~(w >> 4 & w >> 5 & w >> 6 & w >> 7) &
                        ~(w >> 9 & w >> 10 & w >> 11 & w >> 12);
    const std::uint64_t count = std::min<std::uint64_t>(step - at % 8, to - at);
    may &= (std::uint64_t{1} << count) - 1;
    for (; may; may &= may - 1) {
      const std::uint64_t bit = at + static_cast<unsigned>(std::countr_zero(may));
      const unsigned given = 4 + static_cast<unsigned>(load(data, bit + 13) & 15);
      const std::uint64_t lengths = load(data, bit + 17) & ((std::uint64_t{1} << 3 * given) - 1);
      unsigned sum = share[lengths >> 48 & 511];
      for (unsigned shift = 0; shift < 48; shift += 12) sum += share[lengths >> shift & 4095];
      if (sum != 128 || bit + 17 + 3 * given > end || !sound_header(data, bit + 3, end)) continue;
      return bit;
    }
  }
  return std::nullopt;
}

}  // namespace sluice::stages
