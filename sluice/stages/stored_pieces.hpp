// Where the pieces of a file lie, as bytes, for another process: what an index file has (gzip_index.hpp), and the CRCs.
//
// PieceIndex <-> bytes. What is read is as sound as who keeps it: a piece whose bytes are not those of its CRC is
// refused by who decodes it, and no number in it leads out of bounds. Order and thread-safety: pure functions. Errors:
// none; bytes that are none of it, or damaged, are nothing.
//
//   std::string bytes = stored_pieces(*known.index());
//   known.set(pieces_stored(bytes, path, 6 << 20));
//
// Format: numbers big-endian. "sluice pieces 1\n"; the number of pieces (8); of each the bits at which it begins (8)
// and ends (8), its decoded offset (8) and size (8), the CRC-32s of its decoded bytes, its bytes and those before it (4
// each), 1 for the last of a member (1), the size of its window (4), and the window; the CRC-32 of what is
// behind the last piece (4); the CRC-32 of all before (4).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::stages {

struct PieceIndex;

std::string stored_pieces(const PieceIndex& index);
// Of the file at `path` as it is now; nothing, too, where it would take more than `most_windows` bytes.
std::shared_ptr<const PieceIndex> pieces_stored(std::string_view bytes, const std::string& path,
                                                std::size_t most_windows);

}  // namespace sluice::stages
