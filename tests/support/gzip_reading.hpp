// Reads a gzip file bit by bit and says where everything in it lies: slow, and made from the words of RFC 1952 (gzip)
// and RFC 1951 (deflate) alone, so that it can say which bits mean nothing. Checksums are not verified.
//
//   GzipReading reading = read_gzip(file);                // throws std::runtime_error for what is no gzip
//   for (const GzipMember& member : reading.members) ...  // fields of the header, blocks of deflate, trailer
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::test {

struct BitRange {
  std::size_t begin = 0, end = 0;  // in bits, counted from the lowest bit of a file's first byte
  bool has(std::size_t bit) const { return bit >= begin && bit < end; }
};

struct GzipField {
  std::string name;
  std::size_t begin = 0, end = 0;  // in bytes of the file
};

// A literal (distance 0) or a match.
struct DeflateToken {
  unsigned literal_or_length = 0, distance = 0;
  friend bool operator==(const DeflateToken&, const DeflateToken&) = default;
};

struct DeflateBlock {
  enum Kind { stored, fixed, dynamic } kind = stored;
  BitRange unused;                   // of a stored block: between its 3 bits and its length
  BitRange codes;                    // of a dynamic block: the description of its codes
  BitRange data;                     // of the other two: what is coded
  std::vector<DeflateToken> tokens;  // of a stored block: literals
};

struct GzipMember {
  std::vector<GzipField> header;
  unsigned flags = 0;
  std::size_t deflate = 0, trailer = 0, end = 0;  // in bytes of the file
  std::vector<DeflateBlock> blocks;
  BitRange unused;                             // after the last block
  std::size_t bytes_begin = 0, bytes_end = 0;  // in what the file decodes to
};

struct GzipReading {
  std::vector<GzipMember> members;
  std::string bytes;
};

enum GzipFlag : unsigned { ftext = 1, fhcrc = 2, fextra = 4, fname = 8, fcomment = 16 };

namespace detail {

class Bits {
 public:
  Bits(std::string_view file, std::size_t at) : file_(file), at_(at) {}
  std::size_t at() const { return at_; }
  unsigned one() {
    if (at_ / 8 >= file_.size()) throw std::runtime_error("ends too early");
    const unsigned bit = static_cast<unsigned char>(file_[at_ / 8]) >> at_ % 8 & 1u;
    ++at_;
    return bit;
  }
  // RFC 1951, 3.1.1: numbers begin with their lowest bit.
  unsigned number(unsigned bits) {
    unsigned n = 0;
    for (unsigned i = 0; i < bits; ++i) n |= one() << i;
    return n;
  }
  BitRange to_next_byte() {
    const BitRange skipped{at_, (at_ + 7) / 8 * 8};
    at_ = skipped.end;
    return skipped;
  }

 private:
  std::string_view file_;
  std::size_t at_;
};

// RFC 1951, 3.2.2: the codes follow from their lengths.
class Codes {
 public:
  explicit Codes(const std::vector<unsigned>& lengths) : symbols_(std::size_t{2} << most_bits, none) {
    unsigned code = 0;
    for (unsigned length = 1; length <= most_bits; ++length, code <<= 1)
      for (unsigned symbol = 0; symbol < lengths.size(); ++symbol) {
        if (lengths[symbol] != length) continue;
        if (code >> length) throw std::runtime_error("more codes than there can be");
        symbols_[std::size_t{1} << length | code++] = static_cast<std::uint16_t>(symbol);
        ++used_;
      }
    complete_ = code == 2u << most_bits;
  }
  // Where they are no complete prefix code, decoders refuse them: 3.2.7 allows a distance code of one bit, and none.
  void expect_complete(bool one_may_do, bool none_may_do) const {
    const bool one = used_ == 1 && symbols_[2] != none;
    if (!complete_ && !(one && one_may_do) && !(used_ == 0 && none_may_do)) throw std::runtime_error("codes left over");
  }
  unsigned read(Bits& bits) const {
    std::size_t code = 1;
    for (unsigned length = 1; length <= most_bits; ++length) {
      code = code << 1 | bits.one();
      if (symbols_[code] != none) return symbols_[code];
    }
    throw std::runtime_error("no such code");
  }

 private:
  static constexpr unsigned most_bits = 15;
  static constexpr std::uint16_t none = 0xffff;
  std::vector<std::uint16_t> symbols_;  // of a code with a 1 before it
  unsigned used_ = 0;
  bool complete_ = false;
};

// RFC 1951, 3.2.6
inline std::pair<Codes, Codes> fixed_codes() {
  std::vector<unsigned> lengths(288, 8);
  for (std::size_t i = 144; i < 256; ++i) lengths[i] = 9;
  for (std::size_t i = 256; i < 280; ++i) lengths[i] = 7;
  return {Codes(lengths), Codes(std::vector<unsigned>(32, 5))};
}

// RFC 1951, 3.2.7
inline std::pair<Codes, Codes> described_codes(Bits& bits) {
  const unsigned literals = 257 + bits.number(5), distances = 1 + bits.number(5), described = 4 + bits.number(4);
  if (literals > 286 || distances > 30) throw std::runtime_error("codes of symbols that do not exist");
  constexpr unsigned order[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  std::vector<unsigned> of_lengths(19), lengths;
  for (unsigned i = 0; i < described; ++i) of_lengths[order[i]] = bits.number(3);
  const Codes codes(of_lengths);
  codes.expect_complete(false, false);
  while (lengths.size() < literals + distances) {
    const unsigned symbol = codes.read(bits);
    if (symbol < 16) {
      lengths.push_back(symbol);
    } else {
      if (symbol == 16 && lengths.empty()) throw std::runtime_error("nothing to repeat");
      const unsigned value = symbol == 16 ? lengths.back() : 0;
      lengths.insert(lengths.end(),
                     symbol == 16   ? 3 + bits.number(2)
                     : symbol == 17 ? 3 + bits.number(3)
                                    : 11 + bits.number(7),
                     value);
    }
  }
  if (lengths.size() > literals + distances) throw std::runtime_error("too many lengths");
  const auto middle = lengths.begin() + static_cast<std::ptrdiff_t>(literals);
  std::pair<Codes, Codes> both{Codes({lengths.begin(), middle}), Codes({middle, lengths.end()})};
  both.first.expect_complete(true, false);
  both.second.expect_complete(true, true);
  return both;
}

// RFC 1951, 3.2.5. `start`: of the member in `bytes`, before which no match reaches.
inline void read_tokens(Bits& bits, const std::pair<Codes, Codes>& codes, DeflateBlock& block, std::string& bytes,
                        std::size_t start) {
  constexpr unsigned lengths[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                  31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
  for (;;) {
    const unsigned symbol = codes.first.read(bits);
    if (symbol == 256) return;
    if (symbol < 256) {
      block.tokens.push_back({symbol, 0});
      bytes += static_cast<char>(symbol);
      continue;
    }
    if (symbol > 285) throw std::runtime_error("no such length");
    const unsigned which = symbol - 257;
    const unsigned length = lengths[which] + bits.number(which < 8 || which == 28 ? 0 : which / 4 - 1);
    const unsigned far = codes.second.read(bits);
    if (far > 29) throw std::runtime_error("no such distance");
    const unsigned distance = far < 4 ? far + 1 : ((2 + far % 2) << (far / 2 - 1)) + 1 + bits.number(far / 2 - 1);
    if (distance > bytes.size() - start) throw std::runtime_error("a match from before the beginning");
    block.tokens.push_back({length, distance});
    for (unsigned i = 0; i < length; ++i) bytes += bytes[bytes.size() - distance];
  }
}

// RFC 1951, 3.2.3
inline void read_deflate(std::string_view file, GzipMember& member, std::string& bytes) {
  Bits bits(file, 8 * member.deflate);
  const std::size_t start = bytes.size();
  for (bool last = false; !last;) {
    DeflateBlock block;
    last = bits.one();
    const unsigned kind = bits.number(2);
    if (kind == 3) throw std::runtime_error("a block of no kind");
    block.kind = static_cast<DeflateBlock::Kind>(kind);
    if (kind == DeflateBlock::stored) {  // 3.2.4
      block.unused = bits.to_next_byte();
      const unsigned length = bits.number(16);
      if (bits.number(16) != (length ^ 0xffff)) throw std::runtime_error("lengths that do not match");
      for (unsigned i = 0; i < length; ++i) {
        block.tokens.push_back({bits.number(8), 0});
        bytes += static_cast<char>(block.tokens.back().literal_or_length);
      }
    } else {
      block.codes.begin = bits.at();
      const auto codes = kind == DeflateBlock::fixed ? fixed_codes() : described_codes(bits);
      block.codes.end = block.data.begin = bits.at();
      read_tokens(bits, codes, block, bytes, start);
      block.data.end = bits.at();
    }
    member.blocks.push_back(std::move(block));
  }
  member.unused = bits.to_next_byte();
  member.trailer = bits.at() / 8;
}

}  // namespace detail

// The header of the member that begins at byte `at`: RFC 1952, 2.3 and 2.3.1.
inline GzipMember read_gzip_header(std::string_view file, std::size_t at) {
  GzipMember member;
  const auto byte = [&](std::size_t i) {
    if (i >= file.size()) throw std::runtime_error("ends too early");
    return static_cast<unsigned>(static_cast<unsigned char>(file[i]));
  };
  const auto field = [&](const char* name, std::size_t size) {
    if (size > 0) byte(at + size - 1);
    member.header.push_back({name, at, at + size});
    at += size;
  };
  const auto text = [&](const char* name) {
    std::size_t end = at;
    while (byte(end) != 0) ++end;
    field(name, end - at);
    field((std::string(name) + " zero").c_str(), 1);
  };
  if (byte(at) != 0x1f || byte(at + 1) != 0x8b) throw std::runtime_error("no gzip");
  field("ID1 ID2", 2);
  if (byte(at) != 8) throw std::runtime_error("another method");
  field("CM", 1);
  member.flags = byte(at);
  if (member.flags & 0xe0) throw std::runtime_error("reserved flags");
  field("FLG", 1);
  field("MTIME", 4);
  field("XFL", 1);
  field("OS", 1);
  if (member.flags & fextra) {
    const std::size_t size = byte(at) | byte(at + 1) << 8;
    field("XLEN", 2);
    field("FEXTRA", size);
  }
  if (member.flags & fname) text("FNAME");
  if (member.flags & fcomment) text("FCOMMENT");
  if (member.flags & fhcrc) field("CRC16", 2);
  member.deflate = at;
  return member;
}

inline GzipReading read_gzip(std::string_view file) {
  GzipReading reading;
  for (std::size_t at = 0; at < file.size();) {
    GzipMember member = read_gzip_header(file, at);
    member.bytes_begin = reading.bytes.size();
    detail::read_deflate(file, member, reading.bytes);
    member.bytes_end = reading.bytes.size();
    at = member.end = member.trailer + 8;
    if (at > file.size()) throw std::runtime_error("ends too early");
    reading.members.push_back(std::move(member));
  }
  return reading;
}

}  // namespace sluice::test
