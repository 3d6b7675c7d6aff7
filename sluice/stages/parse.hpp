// Decoded bytes of IDX files -> their images or labels, as views of the bytes where they lie.
//
// chunks, in order, of one file or of several -> Elements, in order: runs of whole items (an image of rows x columns, a
// label). uint8 stays where it is, only an item that straddles two chunks is copied; any other type becomes float32.
// Memory follows the bytes that came, never the header. Order and thread-safety: an expand; one thread at a time.
// Errors: DataError naming the file: see parse_idx_header; a file that ends within its header, or before the last item
// that its header promises; bytes after the last item (noticed as soon as they come); a value that is not finite in
// float32; a file whose images are not of the size or type of the one before; a label that is none of the classes.
//
//   auto images = g.expand("parse", ParseImages{.paths = {path}}, chunks);
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/batch.hpp>
#include <sluice/stages/chunk.hpp>
#include <sluice/stages/elements.hpp>
#include <sluice/stages/idx.hpp>

namespace sluice::stages {

template <ItemKind kind>
struct ParseArray {
  std::vector<std::string> paths;        // of the files, for error messages
  std::size_t chunk_bytes = 256 * 1024;  // of the chunks that come, at most: what one output keeps
  std::size_t item_bytes = 0;            // of an item in memory, where it is known; 0: nothing is stated of memory
  std::size_t classes = 0;               // of labels, where they are known; 0: up to most_classes

  using Output = Elements;
  void push(const Chunk& chunk);
  bool pull(Elements& out);
  void finish();
  void reset() { state_ = {}; }
  // An item that straddles chunks, or is no uint8, is a copy of its own.
  std::optional<std::size_t> payload_bytes() const {
    return item_bytes ? std::optional(std::max(chunk_bytes, item_bytes)) : std::nullopt;
  }

  // The part of an item, which in the file may be twice as long, in a vector that grows.
  std::size_t state_bytes() const { return 2 * 2 * item_bytes; }

  // State of its own, no options.
  struct State {
    std::size_t file = 0;
    std::vector<std::uint8_t> partial;  // of the header, or of an item that began in an earlier chunk
    std::optional<ItemShape> shape;
    std::optional<ItemShape> before;  // of the first file
    std::uint64_t next = 0;           // item of the file
    std::uint64_t first = 0;          // items of the files before
    Shared<Bytes> owner;
    const std::uint8_t* data = nullptr;  // what is left of the chunk
    std::size_t size = 0;
  };
  const std::string& path() const { return paths[state_.file]; }
  void read_header();
  void convert(const std::uint8_t* items, std::size_t count, Elements& out);
  void check_labels(const std::uint8_t* items, std::size_t count) const;
  void end_of_file() const;
  void next_file();
  State state_{};
  Pool<Bytes> copies_{};
};

using ParseImages = ParseArray<ItemKind::images>;
using ParseLabels = ParseArray<ItemKind::labels>;
extern template struct ParseArray<ItemKind::images>;
extern template struct ParseArray<ItemKind::labels>;

static_assert(verbs::Expand<ParseImages, Chunk, Elements> && verbs::Expand<ParseLabels, Chunk, Elements>);

}  // namespace sluice::stages
