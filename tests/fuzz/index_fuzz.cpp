// index: the bytes are an index file of one and the same gzip file. Whatever it says, the bytes of the gzip file are
// what they are, at first and again, and an index that is written again is what was read. (The corpus has what
// GzipPieces finds of it with spans of 300, 700 and 5000.)
#include <string>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/gzip_index.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include "tests/fuzz/support.hpp"
#include "tests/support/gzip.hpp"

namespace sluice::fuzz {
namespace {

using namespace stages;

// Small, so that the windows of its index are; of some members, with blocks that reach back.
struct Sound {
  std::string bytes, file;
  Sound() {
    for (std::uint64_t member = 0; member < 3; ++member) {
      std::string part = test::noise(1500, member + 1);
      for (char& byte : part) byte = static_cast<char>(static_cast<unsigned char>(byte) % 5);
      for (std::size_t at = 400; at + 60 < part.size(); at += 200) part.replace(at, 60, part, at / 2, 60);
      bytes += part;
      file += test::gzip_in_blocks(part, 300);
    }
  }
};

}  // namespace
}  // namespace sluice::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzz;
  static const Folder folder;
  static const Sound sound;
  static const std::string path = folder.write("file.gz", sound.file);
  Derived derived(data, size);
  const std::string index = folder.write("file.gzi", text_of(data, size));

  if (const auto read = read_gzip_index(index, sound.file.size())) {
    const std::string written = gzip_index_bytes(*read);
    const auto again = parse_gzip_index(written, sound.file.size());
    expect(again && gzip_index_bytes(*again) == written, "an index that is written is read back");
  }

  const std::size_t span = 1 + derived.size_up_to(2000);
  GzipPieces pieces{.path = path, .span = span, .index_bytes = derived.up_to(1) << 20, .index = index};
  VerifyPieces verify{.span = span, .index_bytes = pieces.index_bytes};
  for (int pass = 0; pass < 3; ++pass, pieces.reset(), verify.reset()) {
    std::string made;
    Piece piece;
    CheckedPiece checked;
    try {
      for (Chunk chunk; pieces(piece);) {
        DecodePiece{}(piece, checked);
        verify.push(checked);
        while (verify.pull(chunk)) {
          expect(chunk.offset == made.size(), "a chunk says where it is");
          made.append(chunk.data, chunk.data + chunk.size);
        }
      }
    } catch (const DataError& error) {
      expect(false, "no index makes a sound file a damaged one", error.what());
    }
    expect(made == sound.bytes, "nor changes a byte of it");
  }
  return 0;
}
