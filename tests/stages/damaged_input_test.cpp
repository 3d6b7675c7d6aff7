// A small pair of files with everything that gzip and deflate have, damaged in every place: whatever is done to a byte,
// and wherever a file is cut, it is refused by name or decodes to the same bytes, and then the format itself says that
// what was changed means nothing. And whole files in whatever pieces they come, and files that decode to far more than
// they declare.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/inflate_whole.hpp>
#include <sluice/stages/parse.hpp>
#include "tests/stages/idx_example.hpp"
#include "tests/support/gzip_reading.hpp"
#include "tests/support/watchdog.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::BitRange;
using sluice::test::DeflateBlock;
using sluice::test::GzipMember;
using sluice::test::GzipReading;
using sluice::test::read_gzip;
using sluice::test::UnderWay;

// What of a gzip file may be changed without being noticed. Everything else is held by a checksum, by the format, or by
// both. In a member with FHCRC nothing of the header may be.
enum Meaningless {
  mtime,
  xfl,
  os,
  ftext,
  extra,
  name,
  comment,
  fields,
  before_stored,
  after_last,
  codes,
  data,
  empty_members
};
constexpr std::array<const char*, 13> meaningless = {
    "MTIME: when the file was changed (RFC 1952, 2.3.1)",
    "XFL: how hard the compressor tried (RFC 1952, 2.3.1)",
    "OS: the file system that the file was compressed on (RFC 1952, 2.3.1)",
    "FTEXT: whether the file is probably text (RFC 1952, 2.3.1)",
    "FEXTRA: what its length says is there, for other programs (RFC 1952, 2.3.1.1)",
    "FNAME: the name, but for the zero at its end (RFC 1952, 2.3.1)",
    "FCOMMENT: the comment, but for the zero at its end (RFC 1952, 2.3.1)",
    "FLG, XLEN and zeros: the same bytes as other fields, a name as a comment (RFC 1952, 2.3)",
    "the bits before the length of a stored block (RFC 1951, 3.2.4)",
    "the bits after the last block (RFC 1952, 2.3: the trailer begins with a byte)",
    "code lengths: other codes, with which the data mean the same (RFC 1951, 3.2.7)",
    "data: another literal, length or distance for the same bytes (RFC 1951, 3.2.3)",
    "members of no bytes at the end, which a cut takes away (RFC 1952, 2.2)",
};

// --- The files

struct Header {
  unsigned flags = 0;  // with FHCRC: the checksum is added
  std::string fields{};
};

std::string little_endian(std::size_t n, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(n >> 8 * i & 0xff);
  return text;
}

unsigned long crc(const std::string& bytes) {
  return crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<unsigned>(bytes.size()));
}

// Blocks of one kind.
std::string deflated(const std::string& bytes, DeflateBlock::Kind kind, bool last) {
  return sluice::test::deflate_blocks(bytes, last, kind == DeflateBlock::stored ? 0 : 9,
                                      kind == DeflateBlock::fixed ? Z_FIXED : Z_DEFAULT_STRATEGY);
}

std::string member(const Header& header, const std::string& blocks, const std::string& bytes) {
  std::string file = "\x1f\x8b\x08" + std::string(1, static_cast<char>(header.flags)) + "\x11\x22\x33\x44\x02\x03";
  file += header.fields;
  if (header.flags & sluice::test::fhcrc) file += little_endian(crc(file) & 0xffff, 2);
  return file + blocks + little_endian(crc(bytes), 4) + little_endian(bytes.size(), 4);
}

struct Subject {
  std::string name;
  ItemKind kind;
  std::string file, bytes;
};

// Four members: every field and every kind of block; short; with a name; empty.
Subject subject(const std::string& name, ItemKind kind, const std::string& bytes, unsigned more_flags) {
  using sluice::test::fcomment, sluice::test::fextra, sluice::test::fname;
  const std::size_t a = bytes.size() / 10, b = 2 * a, c = 5 * a, d = 6 * a;
  const auto part = [&](std::size_t begin, std::size_t end) { return bytes.substr(begin, end - begin); };
  const std::string file =
      member({sluice::test::ftext | fextra | fname | fcomment | more_flags,
              std::string("\x07\0AB\x03\0xyz", 9) + std::string("train\0of 1952\0", 14)},
             deflated(part(0, a), DeflateBlock::stored, false) + deflated(part(a, b), DeflateBlock::fixed, false) +
                 deflated(part(b, c), DeflateBlock::dynamic, true),
             part(0, c)) +
      member({}, deflated(part(c, d), DeflateBlock::fixed, true), part(c, d)) +
      member({fname | more_flags, std::string("2\0", 2)}, deflated(part(d, bytes.size()), DeflateBlock::dynamic, true),
             part(d, bytes.size())) +
      member({}, deflated("", DeflateBlock::fixed, true), "");
  return {name, kind, file, bytes};
}

// A pair: 200 images of 2 x 2 pixels of few values, with runs, and their labels.
std::vector<Subject> pair(unsigned more_flags) {
  std::string pixels(800, '\0'), labels(200, '\0');
  std::uint32_t state = 1;
  const auto next = [&] { return (state = state * 1664525 + 1013904223) >> 24; };
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<char>(i % 100 < 30 ? 0 : (next() & next() & 7) * 30);
  for (char& label : labels) label = static_cast<char>(next() & next() & 3);
  return {subject("images.gz", ItemKind::images, header({0x803, 200, 2, 2}) + pixels, more_flags),
          subject("labels.gz", ItemKind::labels, header({0x801, 200}) + labels, more_flags)};
}

// --- Reading them

struct Outcome {
  std::string bytes, error;
  bool whole = false;  // by libdeflate
};

template <ItemKind kind, class Source>
Outcome read(Source& source) {
  Outcome o;
  ParseArray<kind> parse{.paths = {source.path}};
  try {
    Elements elements;
    for (Chunk chunk; source(chunk);) {
      o.bytes.append(chunk.data, chunk.data + chunk.size);
      parse.push(chunk);
      while (parse.pull(elements)) {
      }
    }
    parse.finish();
  } catch (const DataError& error) {
    o.error = error.what();
  }
  if constexpr (std::is_same_v<Source, InflateWhole>) o.whole = source.state_.progress == InflateWhole::State::whole;
  return o;
}

template <class Source>
Outcome read(Source source, ItemKind kind) {
  return kind == ItemKind::images ? read<ItemKind::images>(source) : read<ItemKind::labels>(source);
}

Outcome by_zlib(const std::string& path, ItemKind kind, std::size_t chunk_bytes = 4096, std::size_t read_bytes = 4096) {
  return read(Inflate{.path = path, .chunk_bytes = chunk_bytes, .read_bytes = read_bytes}, kind);
}
Outcome by_libdeflate(const std::string& path, ItemKind kind) {
  return read(InflateWhole{.path = path, .kind = kind}, kind);
}

// A file whose bytes are changed where they lie.
class Damaged {
 public:
  Damaged(const Folder& folder, const Subject& s)
      : subject_(s), path_(folder.write(s.name, s.file)), file_(::open(path_.c_str(), O_RDWR | O_CLOEXEC)) {}
  Damaged(const Damaged&) = delete;
  Damaged& operator=(const Damaged&) = delete;
  ~Damaged() { ::close(file_); }

  void put(std::size_t at, char byte) const { ASSERT_EQ(::pwrite(file_, &byte, 1, static_cast<off_t>(at)), 1); }
  void cut(std::size_t size) const { ASSERT_EQ(::ftruncate(file_, static_cast<off_t>(size)), 0); }

  // Whether it is accepted, by both decoders or by none, with the same bytes as ever; if not, by name.
  bool accepted() const {
    const Outcome o = by_zlib(path_, subject_.kind), other = by_libdeflate(path_, subject_.kind);
    EXPECT_EQ(o.error, other.error);
    if (o.error.empty()) {
      EXPECT_TRUE(o.bytes == subject_.bytes) << "accepted with other bytes";
      EXPECT_TRUE(other.bytes == subject_.bytes) << "accepted with other bytes by libdeflate";
    } else {
      EXPECT_TRUE(o.error.starts_with(path_ + ": ")) << o.error;
      EXPECT_EQ(o.error.find('\n'), std::string::npos) << o.error;
    }
    return o.error.empty();
  }

 private:
  const Subject& subject_;
  std::string path_;
  int file_;
};

// --- What may be accepted

// What each bit of the file is, if a change of it means nothing or may mean nothing.
class Map {
 public:
  explicit Map(const std::string& file) : of_(8 * file.size()), ends_with_zero_(file.size()) {
    const std::map<std::string, Meaningless> rows{
        {"MTIME", mtime},       {"XFL", xfl},          {"OS", os},
        {"XLEN", fields},       {"FEXTRA", extra},     {"FNAME", name},
        {"FNAME zero", fields}, {"FCOMMENT", comment}, {"FCOMMENT zero", fields}};
    for (const GzipMember& m : read_gzip(file).members) {
      for (const auto& field : m.header) {
        if (m.flags & sluice::test::fhcrc) break;
        if (field.name == "FLG") {
          mark({8 * field.begin, 8 * field.end}, fields);
          of_[8 * field.begin] = ftext;
        }
        if (const auto found = rows.find(field.name); found != rows.end()) {
          mark({8 * field.begin, 8 * field.end}, found->second);
          if (found->second == name || found->second == comment)
            for (std::size_t i = field.begin; i < field.end; ++i) ends_with_zero_[i] = true;
        }
      }
      for (const DeflateBlock& block : m.blocks) {
        mark(block.unused, before_stored);
        mark(block.codes, codes);
        mark(block.data, data);
      }
      mark(m.unused, after_last);
    }
  }

  // Whether the list says of such a change that it means nothing; unknown where it depends on what follows.
  enum Verdict { nothing, something, unknown };
  Verdict verdict(std::size_t at, unsigned mask, unsigned byte) const {
    Verdict v = nothing;
    for (std::size_t bit = 0; bit < 8; ++bit) {
      if (!(mask >> bit & 1)) continue;
      const auto what = of_[8 * at + bit];
      if (!what) return something;
      if (what == codes || what == data || what == fields) v = unknown;
    }
    return ends_with_zero_[at] && byte == mask ? unknown : v;  // it ends there, then
  }
  // The row of the list. Where bits of several rows are changed, the last.
  std::optional<Meaningless> row(std::size_t at, unsigned mask) const {
    std::optional<Meaningless> found;
    for (std::size_t bit = 0; bit < 8; ++bit)
      if (mask >> bit & 1) found = std::max(found, of_[8 * at + bit]);
    return found;
  }

 private:
  void mark(BitRange bits, Meaningless what) {
    for (std::size_t i = bits.begin; i < bits.end; ++i) of_[i] = what;
  }
  std::vector<std::optional<Meaningless>> of_;
  std::vector<bool> ends_with_zero_;
};

// Whether the file decodes to these bytes by the words of the RFCs, checksums and all.
bool means(const std::string& file, const std::string& bytes) {
  try {
    const GzipReading reading = read_gzip(file);
    if (reading.bytes != bytes) return false;
    for (const GzipMember& m : reading.members) {
      const std::string part = bytes.substr(m.bytes_begin, m.bytes_end - m.bytes_begin);
      if (file.substr(m.trailer, 8) != little_endian(crc(part), 4) + little_endian(part.size(), 4)) return false;
      const auto& last = m.header.back();
      const std::size_t begin = m.header.front().begin;
      if (last.name == "CRC16" &&
          file.substr(last.begin, 2) != little_endian(crc(file.substr(begin, last.begin - begin)) & 0xffff, 2))
        return false;
    }
    return true;
  } catch (const std::runtime_error&) {
    return false;
  }
}

using Counts = std::map<Meaningless, std::size_t>;

// Changes every byte of the file with each of these masks, and holds what becomes of it against the list. Whether
// `every` one is held against the slow reader as well, or only those that are accepted.
void change_every_byte(const Subject& s, const std::vector<unsigned>& masks, bool every, Counts& accepted,
                       std::size_t& tried) {
  const Folder folder;
  const Damaged damaged(folder, s);
  ASSERT_TRUE(damaged.accepted());
  const Map map(s.file);
  std::string copy = s.file;
  for (std::size_t at = 0; at < s.file.size(); ++at) {
    const UnderWay under_way([&] { return s.name + ", byte " + std::to_string(at); });
    const auto byte = static_cast<unsigned char>(s.file[at]);
    for (const unsigned mask : masks) {
      copy[at] = static_cast<char>(byte ^ mask);
      damaged.put(at, copy[at]);
      const bool taken = damaged.accepted();
      const Map::Verdict verdict = map.verdict(at, mask, byte);
      ++tried;
      if (verdict == Map::nothing) {
        EXPECT_TRUE(taken) << "it means nothing";
      }
      if (verdict == Map::something) {
        EXPECT_FALSE(taken) << "it is not in the list";
      }
      if (every || taken) {
        EXPECT_EQ(means(copy, s.bytes), taken) << "by the slow reader";
      }
      if (const auto row = map.row(at, mask); taken && row) ++accepted[*row];
      if (::testing::Test::HasFailure()) FAIL() << s.name << ", byte " << at << ", mask " << mask;
    }
    damaged.put(at, s.file[at]), copy[at] = s.file[at];
  }
}

void record(const Counts& accepted, std::size_t tried) {
  ::testing::Test::RecordProperty("tried", std::to_string(tried));
  for (const auto& [row, count] : accepted) ::testing::Test::RecordProperty(meaningless.at(row), std::to_string(count));
}

std::vector<unsigned> bits_and_all() {
  return {1, 2, 4, 8, 16, 32, 64, 128, 255};
}
// Debug builds are too slow for it, sanitizers more so.
std::vector<unsigned> every_mask() {
#ifdef NDEBUG
  std::vector<unsigned> masks(255);
  for (unsigned i = 0; i < masks.size(); ++i) masks[i] = i + 1;
  return masks;
#else
  return bits_and_all();
#endif
}

TEST(DamagedInput, TheFilesHaveEveryFieldAndKindOfBlock) {
  for (const unsigned flags : {0u, unsigned{sluice::test::fhcrc}})
    for (const Subject& s : pair(flags)) {
      SCOPED_TRACE(s.name);
      const GzipReading reading = read_gzip(s.file);
      EXPECT_TRUE(means(s.file, s.bytes));
      ASSERT_EQ(reading.members.size(), 4u);
      EXPECT_EQ(reading.members[0].flags, 0x1d | flags);
      std::map<DeflateBlock::Kind, std::size_t> kinds;
      for (const GzipMember& m : reading.members)
        for (const DeflateBlock& block : m.blocks) ++kinds[block.kind];
      EXPECT_GE(kinds[DeflateBlock::stored], 2u);
      EXPECT_GE(kinds[DeflateBlock::fixed], 3u);
      EXPECT_EQ(kinds[DeflateBlock::dynamic], 2u);
    }
}

TEST(DamagedInput, EveryChangeOfAByteIsRefusedOrMeansNothing) {
  Counts accepted;
  std::size_t tried = 0;
  for (const Subject& s : pair(0)) change_every_byte(s, every_mask(), false, accepted, tried);
  for (const Meaningless row : {mtime, xfl, os, ftext, extra, name, comment, before_stored, after_last})
    EXPECT_GT(accepted[row], 0u) << meaningless.at(row);
  record(accepted, tried);
}

TEST(DamagedInput, WhatIsRefusedIsNoGzipFileOfTheseBytes) {
  Counts accepted;
  std::size_t tried = 0;
  for (const Subject& s : pair(0)) change_every_byte(s, bits_and_all(), true, accepted, tried);
  record(accepted, tried);
}

TEST(DamagedInput, AHeaderWithAChecksumIsHeldByIt) {
  Counts accepted;
  std::size_t tried = 0;
  for (Subject s : pair(sluice::test::fhcrc)) change_every_byte(s, bits_and_all(), true, accepted, tried);
  for (const Meaningless row : {extra, comment}) EXPECT_EQ(accepted[row], 0u) << meaningless.at(row);
  record(accepted, tried);
}

TEST(DamagedInput, EveryTruncationIsRefusedOrTakesEmptyMembersAway) {
  for (const unsigned flags : {0u, unsigned{sluice::test::fhcrc}})
    for (const Subject& s : pair(flags)) {
      const Folder folder;
      const Damaged damaged(folder, s);
      const std::size_t without_the_empty_one = read_gzip(s.file).members[2].end;
      for (std::size_t size = s.file.size(); size-- > 0;) {
        damaged.cut(size);
        ASSERT_EQ(damaged.accepted(), size == without_the_empty_one) << s.name << " cut to " << size << " bytes";
      }
    }
}

// What no damage leads to: a block made by hand, whose one distance code is 0 (RFC 1951, 3.2.7) and whose data say 1,
// under a checksum that is right. libdeflate takes the one for the other; zlib, gzip and the slow reader do not.
TEST(DamagedInput, ACodeThatStandsForNothingIsTakenForTheOnlyOneByLibdeflateAlone) {
  const Folder folder;
  const std::string start = header({0x803, 4, 1, 1}) + "a", bytes = start + "aaa";
  for (const bool sound : {true, false}) {
    // 3 bytes from 1 byte before, and the end.
    const std::string block("\x0d\xc0\x81\0\0\0\0\0\x90\xff\x6b", 11);
    const std::string stored =
        std::string(1, '\0') + little_endian(start.size(), 2) + little_endian(start.size() ^ 0xffff, 2) + start;
    const std::string file = member({}, stored + block + (sound ? "\x04" : "\x0c"), bytes);
    const std::string path = folder.write("images.gz", file);
    EXPECT_EQ(means(file, bytes), sound);
    const Outcome o = by_zlib(path, ItemKind::images), other = by_libdeflate(path, ItemKind::images);
    if (sound) {
      EXPECT_EQ(o.error, "");
    } else {
      EXPECT_TRUE(o.error.starts_with(path + ": is damaged at byte ")) << o.error;
    }
    if (libdeflate_version().empty()) continue;
    EXPECT_EQ(other.error, "");
    EXPECT_EQ(other.bytes, bytes);
    EXPECT_TRUE(other.whole);
  }
}

// --- In pieces

// A pipe whose reads are of the sizes that were written: packets.
class Packets {
 public:
  explicit Packets(const std::vector<std::string>& packets) {
    if (::pipe2(ends_, O_DIRECT | O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    for (const std::string& packet : packets)
      if (!packet.empty() && ::write(ends_[1], packet.data(), packet.size()) != static_cast<ssize_t>(packet.size()))
        throw std::runtime_error("cannot write into a pipe");
    ::close(ends_[1]);
  }
  Packets(const Packets&) = delete;
  Packets& operator=(const Packets&) = delete;
  ~Packets() { ::close(ends_[0]); }
  std::string path() const { return "/dev/fd/" + std::to_string(ends_[0]); }

 private:
  int ends_[2]{};
};

void expect_whole(const Outcome& o, const Subject& s) {
  EXPECT_EQ(o.error, "");
  EXPECT_TRUE(o.bytes == s.bytes) << s.name << ": other bytes";
}

TEST(InputInPieces, EverySplitInTwoGivesTheSame) {
  for (const unsigned flags : {0u, unsigned{sluice::test::fhcrc}})
    for (const Subject& s : pair(flags))
      for (std::size_t at = 0; at <= s.file.size(); ++at) {
        SCOPED_TRACE(at);
        const std::vector<std::string> packets{s.file.substr(0, at), s.file.substr(at)};
        expect_whole(by_zlib(Packets(packets).path(), s.kind), s);
        expect_whole(by_libdeflate(Packets(packets).path(), s.kind), s);
        ASSERT_FALSE(HasFailure());
      }
}

TEST(InputInPieces, ByteByByteGivesTheSame) {
  for (const Subject& s : pair(sluice::test::fhcrc)) {
    const Folder folder;
    const std::string path = folder.path("pipe"), file = folder.write(s.name, s.file);
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    for (const std::size_t chunk_bytes : Sizes{1, 3, 4096}) {
      expect_whole(by_zlib(file, s.kind, chunk_bytes, 1), s);
      for (const bool whole : {false, true}) {
        std::thread writer([&] {
          std::ofstream pipe(path, std::ios::binary);
          for (const char byte : s.file) pipe.put(byte).flush();
        });
        expect_whole(whole ? by_libdeflate(path, s.kind) : by_zlib(path, s.kind, chunk_bytes, 1), s);
        writer.join();
      }
    }
  }
}

TEST(InputInPieces, AThousandMembersAreOneFile) {
  const Folder folder;
  // The header, so that the file may be decoded in one go; then two images a member, none in every third.
  Subject s{"images.gz", ItemKind::images, gzip(header({0x803, 1332, 1, 1})), header({0x803, 1332, 1, 1})};
  const std::string all = pixels(2000);
  for (std::size_t i = 1; i < 1000; ++i) {
    const std::string part = i % 3 == 0 ? "" : all.substr(2 * i, 2);
    s.bytes += part, s.file += gzip(part);
  }
  const std::string path = folder.write(s.name, s.file);
  for (const std::size_t read_bytes : Sizes{1, 7, 4096}) expect_whole(by_zlib(path, s.kind, 4096, read_bytes), s);
  const Outcome o = by_libdeflate(path, s.kind);
  expect_whole(o, s);
  EXPECT_EQ(o.whole, !libdeflate_version().empty());
}

// --- Memory

// The memory of this process at its peak so far.
std::size_t peak_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6)) * 1024;
  return 0;
}

struct Child {
  Outcome outcome;          // without its bytes
  std::size_t decoded = 0;  // bytes
  std::size_t growth = 0;   // of the peak of its memory
};

// What comes of a file in a process of its own; through a pipe, if its contents are given.
Child in_a_child(const std::string& path, ItemKind kind, bool whole, const std::string& piped = {}) {
  int ends[2];
  if (::pipe(ends) != 0) throw std::runtime_error("no pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGPIPE, SIG_IGN);
    std::ofstream("/proc/self/clear_refs") << 5;  // the peak begins anew
    const std::size_t before = peak_bytes();
    if (!piped.empty()) std::thread([&] { std::ofstream(path, std::ios::binary) << piped; }).detach();
    const Outcome o = whole ? by_libdeflate(path, kind) : by_zlib(path, kind);
    const std::size_t after = peak_bytes();
    const std::string text =
        std::to_string(o.bytes.size()) + " " + std::to_string(after - std::min(before, after)) + " " + o.error;
    ::_exit(::write(ends[1], text.data(), text.size()) != static_cast<ssize_t>(text.size()));
  }
  ::close(ends[1]);
  std::string text(4096, '\0');
  const ssize_t size = ::read(ends[0], text.data(), text.size());
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  Child result;
  std::istringstream stream(text.substr(0, static_cast<std::size_t>(std::max<ssize_t>(size, 0))));
  stream >> result.decoded >> result.growth;
  std::getline(stream >> std::ws, result.outcome.error);
  return result;
}

constexpr std::size_t little = 32 << 20;  // of memory, under a sanitizer, too

TEST(InputMemory, AGibibyteBehindASmallHeaderIsNeverDecoded) {
  const Folder folder;
  const std::string images = header({0x803, 20, 5, 7}) + pixels(700);
  const std::string file = sluice::test::gzip_zeros(1 << 30, images), path = folder.write("images.gz", file),
                    pipe = folder.path("pipe");
  ASSERT_LT(file.size(), std::size_t{2} << 20);
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const bool whole : {false, true})
    for (const bool piped : {false, true}) {
      SCOPED_TRACE(std::string(whole ? "libdeflate" : "zlib") + (piped ? ", pipe" : ", file"));
      const Child child =
          piped ? in_a_child(pipe, ItemKind::images, whole, file) : in_a_child(path, ItemKind::images, whole);
      EXPECT_TRUE(child.outcome.error.starts_with((piped ? pipe : path) + ": goes on after 20 images"))
          << child.outcome.error;
      EXPECT_LE(child.decoded, images.size() + (256 << 10)) << "a chunk more";
      EXPECT_LT(child.growth, little);
    }
}

// A GiB that takes no room on the disk: behind a small file, and behind one whose header promises as much.
TEST(InputMemory, AHoleIsNotReadIntoMemory) {
  const Folder folder;
  for (const std::uint32_t count : {20u, 1u << 30}) {
    const std::string file = gzip(header({0x803, count, 1, 1}) + pixels(20)), path = folder.write("images.gz", file);
    ASSERT_EQ(::truncate(path.c_str(), 1 << 28), 0);
    for (const bool whole : {false, true}) {
      const Child child = in_a_child(path, ItemKind::images, whole);
      // Zeros behind the last member are no error.
      EXPECT_EQ(child.outcome.error, count == 20 ? ""
                                                 : path +
                                                       ": the header promises 1073741824 images, the file ends after "
                                                       "20: was it cut short?");
      EXPECT_LT(child.growth, little) << count;
    }
  }
}

}  // namespace
}  // namespace sluice::stages::testing
