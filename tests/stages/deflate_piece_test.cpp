#include <sluice/stages/deflate_piece.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/gzip.hpp"
#include "tests/support/gzip_reading.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::DeflateBlock;

// Few values, in runs and repetitions: blocks of them have codes of their own, and reach back far.
std::string repetitive(std::size_t size) {
  std::string bytes = sluice::test::noise(size, 3);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(static_cast<unsigned char>(bytes[i]) % 23 * 7);
  for (std::size_t i = 2000; i < size; i += 900)
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(i / 3), std::min<std::size_t>(200, size - i),
                bytes.begin() + static_cast<std::ptrdiff_t>(i));
  return bytes;
}

// A member whose blocks are known.
struct Member {
  explicit Member(const std::string& all, std::size_t block)
      : bytes(all), file(sluice::test::gzip_in_blocks(all, block)) {
    const auto reading = sluice::test::read_gzip(file);
    std::uint64_t at = reading.members[0].deflate * 8;
    for (const DeflateBlock& b : reading.members[0].blocks) {
      begins.push_back(at);
      dynamic.push_back(b.kind == DeflateBlock::dynamic);
      at = b.data.end;
    }
    end = at;
  }
  // The bytes of a file behind `first`, in a decoder's input; and its bits counted from there.
  std::uint64_t put(PieceInput& in, std::uint64_t begin, std::size_t& count) const {
    const std::size_t first = static_cast<std::size_t>(begin / 8);
    count = file.size() - first;
    std::memcpy(in.reserve(count + 16), file.data() + first, count);
    return begin % 8;
  }
  std::string bytes, file;
  std::vector<std::uint64_t> begins;  // of the blocks, in bits of the file
  std::vector<bool> dynamic;
  std::uint64_t end = 0;  // of the last
};

class DeflatePieceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!decodes_pieces()) GTEST_SKIP() << "built without libdeflate";
  }
  // What the bits of a member decode to behind these bytes of it.
  PieceDecoder::Outcome decode(const Member& m, std::uint64_t begin, std::optional<std::uint64_t> end,
                               std::size_t offset, std::string& made, std::size_t most = 100'000) {
    std::size_t count = 0;
    PieceBits bits{.begin = m.put(in, begin, count), .end = {}};
    if (end) bits.end = *end - begin / 8 * 8;
    const std::size_t window = std::min(offset, deflate_window);
    const std::vector<std::uint8_t> before(m.bytes.begin() + static_cast<std::ptrdiff_t>(offset - window),
                                           m.bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    std::vector<std::uint8_t> target(most + PieceDecoder::room_beside);
    const std::string kept(in.data(), in.data() + count);
    const PieceDecoder::Result r = decoder.decode(in, 0, count, bits, before, target.data(), most);
    EXPECT_TRUE(std::equal(kept.begin(), kept.end(), in.data(), [](char a, std::uint8_t b) {
      return static_cast<std::uint8_t>(a) == b;
    })) << "the input is as it was";
    made.assign(target.begin() + static_cast<std::ptrdiff_t>(window),
                target.begin() + static_cast<std::ptrdiff_t>(window + r.size));
    used = r.bytes;
    return r.outcome;
  }
  PieceInput in;
  PieceDecoder decoder;
  std::size_t used = 0;
};

TEST_F(DeflatePieceTest, BlocksBetweenAnyTwoBoundariesDecodeToTheirBytes) {
  constexpr std::size_t block = 3000;
  const Member m(repetitive(90'000), block);
  ASSERT_GE(m.begins.size(), 30u);
  std::set<std::uint64_t> offsets;
  for (std::size_t a = 0; a < m.begins.size(); ++a) {
    offsets.insert(m.begins[a] % 8);
    for (const std::size_t blocks : {1u, 2u, 5u}) {
      if (a + blocks >= m.begins.size()) continue;
      std::string made;
      ASSERT_EQ(decode(m, m.begins[a], m.begins[a + blocks], a * block, made), PieceDecoder::Outcome::decoded) << a;
      EXPECT_TRUE(made == m.bytes.substr(a * block, blocks * block)) << a << ", " << blocks << " blocks";
    }
    std::string made;
    ASSERT_EQ(decode(m, m.begins[a], {}, a * block, made), PieceDecoder::Outcome::last_of_member) << a;
    EXPECT_TRUE(made == m.bytes.substr(a * block)) << a << " to the end";
    EXPECT_EQ(m.begins[a] / 8 + used, (m.end + 7) / 8);
  }
  EXPECT_EQ(offsets.size(), 8u) << "bits of a byte at which blocks begin";
}

TEST_F(DeflatePieceTest, AnEndThatIsNoBoundaryIsRefused) {
  constexpr std::size_t block = 700;
  const Member m(repetitive(4200), block);
  const std::set<std::uint64_t> boundaries(m.begins.begin(), m.begins.end());
  for (std::size_t a = 0; a + 1 < m.begins.size(); ++a)
    for (std::uint64_t end = m.begins[a] + 1; end < m.end; ++end) {
      std::string made;
      const auto outcome = decode(m, m.begins[a], end, a * block, made);
      if (boundaries.count(end)) {
        EXPECT_EQ(outcome, PieceDecoder::Outcome::decoded) << a << " to " << end;
      } else {
        EXPECT_EQ(outcome, PieceDecoder::Outcome::refused) << a << " to " << end;
      }
    }
}

TEST_F(DeflatePieceTest, AWrongBeginningIsRefusedOrGivesOtherBytes) {
  constexpr std::size_t block = 700;
  const Member m(repetitive(4200), block);
  const std::set<std::uint64_t> boundaries(m.begins.begin(), m.begins.end());
  std::size_t refused = 0, tried = 0;
  for (std::uint64_t begin = m.begins[1] + 1; begin < m.begins[2]; ++begin, ++tried) {
    std::string made;
    if (decode(m, begin, m.begins[4], block, made) == PieceDecoder::Outcome::refused)
      ++refused;
    else
      EXPECT_NE(made, m.bytes.substr(block, 3 * block)) << begin;
  }
  EXPECT_GT(refused, tried / 2);
}

// Its header is three bits, and those up to the length, where a byte begins, are anybody's. What ends within them has
// decoded to the same bytes, and the next block does not begin there.
TEST_F(DeflatePieceTest, AnEndBehindTheHeaderOfAFinalStoredBlockIsRefused) {
  constexpr std::size_t block = 700;
  const Member whole(repetitive(40'000), block);
  std::set<std::uint64_t> offsets;
  for (std::size_t k = 2; k + 1 < whole.begins.size(); ++k) {
    Member m = whole;
    const std::uint64_t header = m.begins[k], length = (header + 3 + 7) / 8;
    for (std::uint64_t bit = header; bit < length * 8; ++bit) {
      const char mask = static_cast<char>(1 << bit % 8);
      m.file[bit / 8] = static_cast<char>(bit == header ? m.file[bit / 8] | mask : m.file[bit / 8] & ~mask);
    }
    m.file.replace(length, 4, std::string("\x05\x00\xfa\xff", 4));
    std::string made;
    for (std::uint64_t end = header + 1; end < header + 11; ++end)
      EXPECT_NE(decode(m, m.begins[k - 1], end, (k - 1) * block, made), PieceDecoder::Outcome::decoded)
          << header % 8 << ", " << end - header << " bits on";
    EXPECT_EQ(decode(m, m.begins[k - 1], header, (k - 1) * block, made), PieceDecoder::Outcome::decoded);
    EXPECT_TRUE(made == m.bytes.substr((k - 1) * block, block));
    offsets.insert(header % 8);
  }
  EXPECT_EQ(offsets.size(), 8u);
}

// As zlib has it: a member's first bytes have nothing before them.
TEST_F(DeflatePieceTest, ADistanceBeyondTheBytesThatThereAreIsRefused) {
  constexpr std::size_t block = 3000;
  const Member m(repetitive(30'000), block);
  std::string made;
  ASSERT_EQ(decode(m, m.begins[3], m.begins[4], 3 * block, made), PieceDecoder::Outcome::decoded);
  EXPECT_EQ(decode(m, m.begins[3], m.begins[4], 0, made), PieceDecoder::Outcome::refused);
}

TEST_F(DeflatePieceTest, WhatIsLargerThanTheRoomSaysSo) {
  constexpr std::size_t block = 3000;
  const Member m(repetitive(9000), block);
  std::string made;
  EXPECT_EQ(decode(m, m.begins[0], m.begins[1], 0, made, block - 1), PieceDecoder::Outcome::too_large);
  EXPECT_EQ(decode(m, m.begins[0], m.begins[1], 0, made, block), PieceDecoder::Outcome::decoded);
  EXPECT_EQ(decode(m, m.begins[0], {}, 0, made, m.bytes.size() - 1), PieceDecoder::Outcome::too_large);
  EXPECT_EQ(decode(m, m.begins[0], {}, 0, made, m.bytes.size()), PieceDecoder::Outcome::last_of_member);
}

TEST_F(DeflatePieceTest, ACutIsRefused) {
  const Member m(repetitive(3000), 1000);
  for (std::uint64_t end = m.begins[2] / 8 + 1; end < m.end / 8; ++end) {
    std::size_t count = 0;
    const std::uint64_t bit = m.put(in, m.begins[2], count);
    count = static_cast<std::size_t>(end - m.begins[2] / 8);
    std::memset(in.data() + count, 0, 16);
    std::vector<std::uint8_t> target(5000 + PieceDecoder::room_beside);
    const std::vector<std::uint8_t> before(m.bytes.begin(), m.bytes.begin() + 2000);
    EXPECT_EQ(decoder.decode(in, 0, count, {.begin = bit, .end = {}}, before, target.data(), 5000).outcome,
              PieceDecoder::Outcome::refused)
        << end;
  }
}

std::vector<std::uint64_t> found(const std::string& bytes, std::uint64_t from, std::uint64_t to) {
  std::vector<std::uint8_t> data(bytes.begin(), bytes.end());
  data.resize(data.size() + 16);
  std::vector<std::uint64_t> all;
  while (const auto bit = find_dynamic_block(data.data(), bytes.size(), from, to)) {
    all.push_back(*bit);
    from = *bit + 1;
  }
  return all;
}

TEST(FindDynamicBlock, FindsEachThatIsNotTheLast) {
  for (const std::size_t block : {700u, 1500u, 4000u}) {
    const Member m(repetitive(40'000), block);
    const auto all = found(m.file, 0, m.file.size() * 8);
    std::size_t expected = 0;
    for (std::size_t b = 0; b + 1 < m.begins.size(); ++b) {
      if (!m.dynamic[b]) continue;
      const std::uint64_t at = m.begins[b];
      ++expected;
      EXPECT_TRUE(std::binary_search(all.begin(), all.end(), at)) << block << ", block " << b;
    }
    EXPECT_GE(expected, m.begins.size() / 2);
    EXPECT_LE(all.size(), expected + 1) << "what looks like one and is none is rare";
  }
}

TEST(FindDynamicBlock, LooksNowhereElse) {
  const Member m(repetitive(8000), 1000);
  const auto all = found(m.file, 0, m.file.size() * 8);
  ASSERT_GE(all.size(), 3u);
  EXPECT_EQ(found(m.file, all[1] + 1, all[2]), std::vector<std::uint64_t>{});
  std::vector<std::uint8_t> data(m.file.begin(), m.file.end());
  data.resize(data.size() + 16);
  EXPECT_EQ(find_dynamic_block(data.data(), m.file.size(), 0, 1 << 30, true), m.begins.back());
  EXPECT_EQ(found(m.file, all[1], all[1] + 1), std::vector<std::uint64_t>{all[1]});
  EXPECT_EQ(found(m.file, all[1], all[2] + 1), (std::vector<std::uint64_t>{all[1], all[2]}));
  // A header that is not all there is none.
  const auto whole = static_cast<std::size_t>(all[1] / 8);
  for (std::size_t more = 0; more < 20; ++more)
    EXPECT_EQ(found(m.file.substr(0, whole + more), all[0] + 1, 1 << 30), std::vector<std::uint64_t>{}) << more;
}

}  // namespace
}  // namespace sluice::stages::testing
