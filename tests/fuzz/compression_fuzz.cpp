// compression: the bytes are a file, compressed in any way. Inflate, whatever the sizes of its chunks and reads, and
// the decoder of blocks and frames have the same verdict on it and decode it to the same bytes, and memory follows what
// came.
#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <utility>

#include <sluice/stages/block_pieces.hpp>
#include <sluice/stages/decoder_bytes.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/inflate.hpp>
#include "tests/fuzz/support.hpp"

namespace sluice::fuzz {
namespace {

using namespace stages;

constexpr std::size_t decoder_memory = std::size_t{1} << 20;

struct Outcome {
  std::string bytes, error;
  bool stopped = false;  // before the end
};

// next() makes chunks. At most about `most` bytes, so that a bomb does not take minutes.
template <class Next>
Outcome outcome(const std::string& path, std::size_t most_capacity, std::size_t most, const Next& next) {
  Outcome o;
  try {
    for (std::optional<Chunk> chunk; !o.stopped && (chunk = next()); o.stopped = o.bytes.size() >= most) {
      expect(chunk->size > 0 && chunk->offset == o.bytes.size(), "a chunk says where it is");
      expect(chunk->owner->capacity <= most_capacity, "memory follows what it may take");
      o.bytes.append(chunk->data, chunk->data + chunk->size);
    }
  } catch (const DataError& error) {
    o.error = error.what();
    check_error(o.error, path);
  }
  return o;
}

Outcome by_inflate(Inflate inflate, std::size_t most) {
  return outcome(inflate.path, inflate.chunk_bytes, most, [&] {
    Chunk chunk;
    return inflate(chunk) ? std::optional(chunk) : std::nullopt;
  });
}

Outcome by_blocks(BlockPieces pieces, std::size_t most) {
  VerifyBlocks verify{.span = pieces.span, .most_decoded = pieces.most_decoded, .decoder_memory = decoder_memory};
  return outcome(pieces.path, pieces.payload_bytes(), most, [&] {
    std::optional<Chunk> chunk = verify.pull();
    for (BlockPiece piece; !chunk && pieces(piece); chunk = verify.pull()) verify.push(DecodeBlock{}(std::move(piece)));
    return chunk;
  });
}

// Where damage is seen depends on how much a decoder is given at a time.
std::string without_numbers(std::string text) {
  std::erase_if(text, [](char c) { return std::isdigit(static_cast<unsigned char>(c)); });
  return text;
}

// As far as both go.
void expect_same(const Outcome& o, const Outcome& usual, const std::string& what) {
  const std::size_t n = std::min(o.bytes.size(), usual.bytes.size());
  expect(o.bytes.compare(0, n, usual.bytes, 0, n) == 0, "the bytes do not depend on " + what);
  if (o.stopped || usual.stopped) return;
  expect(without_numbers(o.error) == without_numbers(usual.error), "nor does the verdict",
         o.error + "\n" + usual.error);
  expect(!o.error.empty() || o.bytes == usual.bytes, "nor does the end");
}

}  // namespace
}  // namespace sluice::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzz;
  static const Folder folder;
  Derived derived(data, size);
  const std::string path = folder.write("file", text_of(data, size));
  constexpr std::size_t most = std::size_t{1} << 20;

  const Outcome usual = by_inflate({.path = path, .decoder_memory = decoder_memory}, most);
  for (int sizes = 0; sizes < 2; ++sizes)
    expect_same(by_inflate({.path = path,
                            .chunk_bytes = derived.size_up_to(70'000),
                            .read_bytes = derived.size_up_to(5000),
                            .decoder_memory = decoder_memory},
                           1 << 15),
                usual, "chunks and reads");
  expect_same(by_blocks({.path = path,
                         .span = derived.size_up_to(2000),
                         .most_decoded = derived.size_up_to(200'000),
                         .decoder_memory = decoder_memory},
                        most),
              usual, "blocks");
  expect(decoder_bytes(path, -1, decoder_memory) <= std::size_t{4} << 20, "what a decoder takes has a limit");
  return 0;
}
