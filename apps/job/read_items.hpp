// Files as a stream of a graph: decompressed, and the elements within them.
//
//   pieces.WHAT -> inflate.WHAT -> parse.WHAT                   (gzip_pieces.hpp)
//   pieces.WHAT -> inflate.WHAT -> verify.WHAT -> parse.WHAT    (where pieces are guessed, or of an index file; and
//                                                                blocks of xz, frames of zstd: block_pieces.hpp)
//   inflate.WHAT -> parse.WHAT                                  (whole, or in chunks)
//
// files -> chunks, and the elements within them, in the order of the files. Errors: those of the stages, when the
// graph runs.
//
//   const ItemStreams labels = read_items<stages::ItemKind::labels>(g, "train-labels", files, {.kept = true});
//   g.sink("collect.train-labels", std::ref(collector), labels.elements);
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/pipeline/graph.hpp>
#include <sluice/stages/chunk.hpp>
#include <sluice/stages/idx.hpp>
#include <sluice/stages/input_files.hpp>
#include <sluice/stages/item_layout.hpp>
#include <sluice/stages/parse.hpp>
#include "apps/job/job_data.hpp"

namespace sluice::apps {

// Of a lane: what it reads of its files, whose layouts are known.
struct WantedItems {
  std::uint64_t begin = 0, end = ~std::uint64_t{0};  // of all of the files
  std::vector<stages::ItemLayout> layouts{};         // of each; none: all of the files is read
  std::size_t set_files = 1;                         // of which those are some
  std::size_t lanes = 1;                             // that this process reads side by side
  bool last = true;                                  // of these, it is the last

  // Of a file, the decoded bytes; behind the last item all there is, so that a checksum at its end is verified.
  stages::ByteRange bytes(std::size_t file) const;
  // Whether no other lane of this process reads more of it.
  bool ends(std::size_t file) const { return last || bytes(file).end == ~std::uint64_t{0}; }
};

struct ReadItems {
  Decoder decoder = Decoder::libdeflate;
  std::size_t decoder_memory = stages::usual_decoder_memory;  // as Inflate's
  IndexUse index{};
  int wake = -1;        // a descriptor that ends the wait for a pipe when it becomes readable
  bool kept = false;    // whether the elements stay in memory, and so what they are decoded to
  bool again = false;   // whether they are read in several runs: then where pieces lie is kept
  KnownPieces known{};  // then
  DecodedCount decoded{};
  bool at_once = false;         // a chunk ends where a pipe would have to be waited for
  std::size_t image_bytes = 0;  // of an image in memory, where they are known: then the graph can state its bound
  std::size_t classes = 0;      // of labels, which are checked; 0: up to stages::most_classes
  std::optional<std::size_t> label_column{};  // of labels of several numbers
  WantedItems wanted{};
  // How a table is read, where what comes through a pipe may be one; nullptr: it is none.
  const ReadTable* table = nullptr;
};

struct ItemStreams {
  Stream<stages::Chunk> chunks;
  Stream<stages::Elements> elements;
  std::size_t chunk_bytes;  // that an element keeps, at most
};

// Of an image or a label in memory, where that is known; otherwise 0.
template <stages::ItemKind kind>
std::size_t item_bytes(const ReadItems& how) {
  return kind == stages::ItemKind::labels && how.image_bytes ? sizeof(float) : how.image_bytes;
}

template <stages::ItemKind kind>
ItemStreams read_items(Graph& graph, const std::string& what, const stages::InputFiles& files, const ReadItems& how);

// What is kept of where the pieces of an images file lie, at most, in bytes.
inline constexpr std::size_t images_index_bytes = std::size_t{6} << 20;

// Decompressed alone, whatever they are.
struct ChunkStream {
  Stream<stages::Chunk> chunks;
  std::size_t chunk_bytes;  // at most
};
ChunkStream read_chunks(Graph& graph, const std::string& what, const stages::InputFiles& files,
                        const ReadItems& how = {});

}  // namespace sluice::apps
