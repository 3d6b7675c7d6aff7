// A compressed file that is open to be decoded in parts, each of which is decoded for itself: the blocks of an xz file,
// as xz -T and pixz write them, and the frames of a zstd file, as pzstd writes them or `cat a.zst b.zst` puts them
// together. Of block_pieces.hpp, for those who decode.
//
// file -> where its parts lie, one after the other: of an xz file by the index at its end, of a zstd file by the
// headers of frames and blocks; small frames are put together. Nothing of either is believed: a part is decoded to just
// what was promised of it or is not, and what it lies behind was. Order and thread-safety: next() on one thread at a
// time, decode() and read() on any number. Errors: std::bad_alloc; what is unusual, or not as promised, is Inflate's to
// judge.
//
//   BlockFile file("a.xz", {});
//   if (file.has_blocks())
//     while (file.next(place) == BlockReader::Next::block) file.decode(place, target);
//
// Format: the .xz file format 1.2.1, 3 (block), 4 (index); RFC 8878, 3.1.1 (zstd frames).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sluice/stages/chunk.hpp>
#include <sluice/stages/codec.hpp>
#include <sluice/stages/regular_file.hpp>

namespace sluice::stages {

struct BlockLimits {
  std::size_t span = 256 * 1024;                      // decoded bytes up to which small frames are put together
  std::size_t most_decoded = std::size_t{32} << 20;   // bytes that one is decoded to, at most; larger ones are unusual
  std::size_t decoder_memory = usual_decoder_memory;  // as Inflate's
};

// Bytes of the file that decode to so many, at most: no encoder makes of them much more than they were.
constexpr std::size_t most_compressed(std::size_t decoded) {
  return decoded + decoded / 8 + 64 * 1024;
}

struct BlockPlace {
  std::uint64_t begin = 0;     // in the file
  std::size_t bytes = 0;       // there
  std::size_t decoded = 0;     // what they decode to, at most
  std::uint64_t unpadded = 0;  // of an xz block: bytes without the zeros behind it
  int check = 0;               // of an xz block: the type of its integrity check
  bool exact = false;          // they decode to just as many
};

// Finds the parts of a file.
class BlockReader {
 public:
  BlockReader() = default;
  BlockReader(const BlockReader&) = delete;
  BlockReader& operator=(const BlockReader&) = delete;
  virtual ~BlockReader() = default;
  // unusual: what comes next is none, too large, or not to be decoded.
  enum class Next { block, end, unusual };
  virtual Next next(BlockPlace& place) = 0;
};

// Decodes one after the other, for one thread.
class BlockDecoder {
 public:
  BlockDecoder() = default;
  BlockDecoder(const BlockDecoder&) = delete;
  BlockDecoder& operator=(const BlockDecoder&) = delete;
  virtual ~BlockDecoder() = default;
  // place.bytes of the file -> how many bytes were made at `out`; nothing: they are not what was promised.
  virtual std::optional<std::size_t> decode(const BlockPlace& place, std::span<const std::uint8_t> in,
                                            std::uint8_t* out) = 0;
};

// How a file begins.
Compression compression_of(const RegularFile& file);

// What an xz or a zstd file says that it decodes to, without a look at its contents. Nothing: it does not say.
std::optional<std::uint64_t> said_bytes(const RegularFile& file);

class BlockFile : public RegularFile {
 public:
  BlockFile(const std::string& name, const BlockLimits& limits);

  bool has_blocks() const { return has_blocks_; }  // two at least that are not unusual
  BlockReader::Next next(BlockPlace& place);
  std::optional<std::size_t> decode(const BlockPlace& place, std::uint8_t* target);
  // Nobody asks for the next one any more: what was needed to decode is given back, as soon as nobody uses it.
  void finish();

  const std::string path;
  std::atomic<bool> refused{false};  // one that was found, by who decoded it: no more are asked for
  std::atomic<bool> enough{false};   // nor are they wanted
  ByteRange wanted{};
  std::uint64_t passed_over = 0;  // decoded bytes of the blocks before the first that is decoded

 private:
  struct Work {
    Bytes input;
    std::unique_ptr<BlockDecoder> decoder;
  };
  std::unique_ptr<Work> take_work();
  void give_back(std::unique_ptr<Work> work);

  const BlockLimits limits_;
  Compression compression_ = Compression::none;
  std::unique_ptr<BlockReader> reader_;
  bool has_blocks_ = false;
  std::vector<BlockPlace> ahead_;  // found, and not handed on yet; the next is the last
  std::mutex mutex_;               // of what follows
  std::vector<std::unique_ptr<Work>> idle_;
  bool finished_ = false;
};

// What an index takes of memory, at most: 16 bytes for a block.
inline constexpr std::size_t most_of_block_index = std::size_t{4} << 20;

// What decoders take beside a window or a dictionary, and more than that.
inline constexpr std::size_t beside_window = std::size_t{1} << 20;

// Of each library that was built in. No reader: the file has no such parts. No bytes: its headers are too many, or
// cannot be read.
std::unique_ptr<BlockReader> xz_blocks(const RegularFile& file, const BlockLimits& limits);
std::unique_ptr<BlockDecoder> xz_block_decoder(const BlockLimits& limits);
std::optional<std::size_t> xz_decoder_bytes(const RegularFile& file);
std::optional<std::uint64_t> xz_said_bytes(const RegularFile& file);
std::unique_ptr<BlockReader> zstd_blocks(const RegularFile& file, const BlockLimits& limits);
std::unique_ptr<BlockDecoder> zstd_block_decoder();
std::optional<std::size_t> zstd_decoder_bytes(const RegularFile& file);
std::optional<std::uint64_t> zstd_said_bytes(const RegularFile& file);

}  // namespace sluice::stages
