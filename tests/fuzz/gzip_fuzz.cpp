// gzip: the bytes are a file. All decoders (in pieces, too, at first and when they are known), and one of them whatever
// the sizes of its chunks and reads, have the same verdict on it and decode it to the same bytes, and memory follows
// the size of the file.
#include <string>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/inflate_whole.hpp>
#include "tests/fuzz/support.hpp"

namespace sluice::fuzz {
namespace {

using namespace stages;

struct Outcome {
  std::string bytes, error;
  bool stopped = false;  // before the end
};

// At most about `most` bytes, so that a bomb in chunks of one byte does not take minutes.
template <class Source>
Outcome outcome(Source& source, std::size_t most_capacity, std::size_t most = SIZE_MAX) {
  Outcome o;
  try {
    for (Chunk chunk; !o.stopped && source(chunk); o.stopped = o.bytes.size() >= most) {
      expect(chunk.size > 0 && chunk.offset == o.bytes.size(), "a chunk says where it is");
      expect(chunk.owner->capacity <= most_capacity, "memory follows the file");
      o.bytes.append(chunk.data, chunk.data + chunk.size);
    }
  } catch (const DataError& error) {
    o.error = error.what();
    expect(!o.error.empty() && o.error.find('\n') == std::string::npos, "an error is one line", o.error);
  }
  return o;
}

// The chunks of pieces.
struct Decoded {
  GzipPieces& pieces;
  VerifyPieces verify{.span = pieces.span, .index_bytes = pieces.index_bytes};
  Piece piece{};
  CheckedPiece checked{};
  bool operator()(Chunk& chunk) {
    while (!verify.pull(chunk)) {
      if (!pieces(piece)) return false;
      DecodePiece{}(piece, checked);
      verify.push(checked);
    }
    return true;
  }
};

// zlib sees that something is wrong a few bytes earlier or later, as the reads are.
std::string without_numbers(std::string text) {
  std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
  return text;
}

bool starts_alike(const std::string& a, const std::string& b) {
  const std::size_t n = std::min(a.size(), b.size());
  return a.compare(0, n, b, 0, n) == 0;
}

}  // namespace
}  // namespace sluice::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzz;
  static const Folder folder;
  Derived derived(data, size);
  const std::string path = folder.write(derived.up_to(3) == 0 ? "file" : "file.gz", text_of(data, size));

  Inflate in_order{.path = path};
  const Outcome usual = outcome(in_order, in_order.chunk_bytes);
  expect(usual.bytes.size() <= 1032 * size, "deflate makes at most 1032 bytes of one");

  for (int sizes = 0; sizes < 2; ++sizes) {
    Inflate other{.path = path, .chunk_bytes = derived.size_up_to(70'000), .read_bytes = derived.size_up_to(5000)};
    const Outcome o = outcome(other, other.chunk_bytes, 1 << 15);
    expect(starts_alike(o.bytes, usual.bytes), "the bytes do not depend on chunks and reads");
    if (o.stopped) continue;
    expect(without_numbers(o.error) == without_numbers(usual.error), "nor does the verdict",
           o.error + "\n" + usual.error);
    expect(!o.error.empty() || o.bytes == usual.bytes, "nor does the end");
  }

  // One after the other, and guessed; at first, and when they are known.
  const std::size_t span = 1 + derived.size_up_to(5000);
  for (const bool guess : {false, true}) {
    GzipPieces pieces{.path = path, .span = span, .index_bytes = 1 << 20, .guess = guess};
    for (int pass = 0; pass < 2; ++pass, pieces.reset()) {
      Decoded source{pieces};
      const Outcome o = outcome(source, pieces.payload_bytes());
      expect(without_numbers(o.error) == without_numbers(usual.error), "pieces have the verdict, too",
             o.error + "\n" + usual.error);
      expect(o.error.empty() ? o.bytes == usual.bytes : starts_alike(o.bytes, usual.bytes), "and the bytes");
    }
  }

  for (const ItemKind kind : {ItemKind::images, ItemKind::labels}) {
    InflateWhole whole{.path = path, .kind = kind};
    const auto promised = whole.payload_bytes();
    expect(!promised || *promised <= 1032 * size + 16, "a promise follows the size of the file");
    const Outcome o = outcome(whole, std::max(in_order.chunk_bytes, promised.value_or(0)));
    expect(o.error == usual.error, "both decoders have the same verdict", o.error + "\n" + usual.error);
    expect(o.bytes == usual.bytes, "both decoders give the same bytes");
    if (whole.state_.progress == InflateWhole::State::whole)
      expect(promised == o.bytes.size(), "what was decoded in one go is what was promised");
  }
  return 0;
}
