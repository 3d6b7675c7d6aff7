// A file of several blocks or frames (blocks.hpp), decoded on any thread; and whatever else there is, by Inflate.
//
//   pieces -> inflate (DecodeBlock) -> verify (VerifyBlocks) -> ...
//
// BlockPieces says where the next block of an xz file lies, or the next frames of a zstd file; DecodeBlock reads and
// decodes them; VerifyBlocks hands on, in order, what was decoded to just what was promised. Where something was not,
// where a block is larger than most_decoded, or its window than decoder_memory, and where what follows is no block, it
// decodes the file anew from its beginning by Inflate, whose verdict and words hold: one decoder judges. By induction
// what was handed on before is what Inflate has before it: each block lies where the one before ended, was decoded by
// the same library, and its integrity check was right. A file without several blocks, a single large frame, say, as
// zstd -T writes it, and what is no file (a pipe) are Inflate's from the beginning, in BlockPieces.
//
// path -> BlockPieces, in order; BlockPiece -> DecodedBlock -> Chunks, in order, of at most most_decoded bytes. The
// bytes are those of Inflate. (libzstd looks whether a match of a frame lies within the bytes before it, not whether it
// lies within the window: of a frame without checksum that was made for it, Inflate may make other bytes.)
// Order and thread-safety: BlockPieces is a source and VerifyBlocks an expand, one thread at a time; DecodeBlock is a
// map, on any number of pieces at once. Errors: Inflate's; a DataError also where the file has changed meanwhile.
//
//   auto pieces = g.source("pieces", BlockPieces{.path = "train-images-idx3-ubyte.xz"}, capacity(4));
//   auto blocks = g.map("inflate", DecodeBlock{}, pieces, unlimited);
//   auto chunks = g.expand("verify", VerifyBlocks{}, blocks, capacity(2));
//
// Format: see blocks.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/blocks.hpp>
#include <sluice/stages/chunk.hpp>
#include <sluice/stages/codec.hpp>

namespace sluice::stages {

struct BlockPiece {
  Chunk chunk;  // as it will be; with its data, where they are decoded already
  // Of one that is not:
  std::shared_ptr<BlockFile> from;
  BlockPlace place{};
  std::uint8_t* target = nullptr;  // the chunk's memory
  bool unusual = false;            // what follows is left to Inflate
};

struct BlockPieces {
  std::string path;
  std::size_t span = 256 * 1024;                      // decoded bytes of small frames, about, or of a chunk; >= 1
  std::size_t most_decoded = std::size_t{32} << 20;   // of a block or a frame
  std::size_t read_bytes = 128 * 1024;                // of the file at a time, where Inflate reads it; >= 1
  int wake = -1, input = -1;                          // as Inflate's
  bool at_once = false;                               // as Inflate's
  std::size_t decoder_memory = usual_decoder_memory;  // as Inflate's
  // What comes before is left out where blocks say how large they are, as those of xz do.
  ByteRange wanted{};

  using Output = BlockPiece;
  bool operator()(BlockPiece& out);
  void reset() { state_.reset(); }
  std::size_t payload_bytes() const;
  std::size_t state_bytes() const;

  // State of its own, no options.
  class State;
  struct Closer {
    void operator()(State* state) const;
  };
  std::unique_ptr<State, Closer> state_{};
};

struct DecodedBlock {
  Chunk chunk;
  std::shared_ptr<BlockFile> from;  // where it was to be decoded
  bool decoded = false;             // then
};

struct DecodeBlock {
  std::size_t most_decoded = std::size_t{32} << 20;  // as BlockPieces'
  std::size_t threads = 1;                           // that decode at once, for state_bytes()

  // It takes the piece, and VerifyBlocks the block: what no longer travels keeps no memory.
  DecodedBlock operator()(BlockPiece&& piece) const;
  std::size_t payload_bytes() const { return 0; }  // the piece has it
  std::size_t state_bytes() const;
};

class Judge;

struct VerifyBlocks {
  std::size_t span = 256 * 1024;                      // as BlockPieces'
  std::size_t most_decoded = std::size_t{32} << 20;   // as BlockPieces'
  std::size_t decoder_memory = usual_decoder_memory;  // as Inflate's
  std::size_t judge_bytes = 0;                        // what Inflate decodes these files with, at most
  bool kept = false;                                  // chunks are to stay: none takes more than twice its bytes

  void push(DecodedBlock&& block);
  std::optional<Chunk> pull();
  void finish() {}
  void reset() { state_ = {}; }
  std::size_t payload_bytes() const;
  std::size_t state_bytes() const;

  // State of its own, no options.
  struct State {
    std::size_t file = 0;
    std::optional<DecodedBlock> block{};  // until it is looked at
    std::uint64_t decoded = 0;            // and handed on, of the file, with what was left out before
    bool begun = false;                   // of the file a block has come
    std::shared_ptr<Judge> judge{};       // of a class that only its source knows
    bool over = false;                    // all of the file has been handed on
  };
  std::optional<Chunk> judged();
  State state_{};
};

// Whether a file is worth it: it has several blocks or frames, the first two no larger than that.
bool has_blocks(const std::string& path, const BlockLimits& limits);

static_assert(verbs::Source<BlockPieces, BlockPiece> && verbs::Map<DecodeBlock, BlockPiece, DecodedBlock> &&
              verbs::Expand<VerifyBlocks, DecodedBlock, Chunk>);

}  // namespace sluice::stages
