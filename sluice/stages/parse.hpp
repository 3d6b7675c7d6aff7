// Decoded bytes of IDX and .npy files, told by their first bytes -> their images or labels, as views of the bytes where
// they lie.
//
// chunks, in order, of one file or of several -> Elements, in order: runs of whole items, images of planes x rows x
// columns or labels (sluice/stages/item_layout.hpp). uint8 and booleans stay where they are, but for an item that
// straddles two chunks, colours side by side, and labels out of several columns; any other type becomes float32
// (sluice/stages/stored_items.hpp). Memory follows the bytes that came, never the header.
// Order and thread-safety: an expand; one thread at a time.
// Errors: DataError naming the file: see array_header.hpp, item_layout.hpp and stored_items.hpp; a file that ends
// within its header, or before the last item that its header promises; bytes after the last item (noticed as soon as
// they come); a file whose images are not of the size or type of the one before; an array in Fortran order, which
// sluice/stages/fortran_order.hpp puts into C's.
//
//   auto images = g.expand("parse", ParseImages{.paths = {path}}, chunks);
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/batch.hpp>
#include <sluice/stages/chunk.hpp>
#include <sluice/stages/elements.hpp>
#include <sluice/stages/item_layout.hpp>

namespace sluice::stages {

template <ItemKind kind>
struct ParseArray {
  std::vector<std::string> paths;             // of the files, for error messages
  std::size_t chunk_bytes = 256 * 1024;       // of the chunks that come, at most: what one output keeps
  std::size_t item_bytes = 0;                 // of an item in memory, where it is known; 0: nothing is stated of memory
  std::size_t classes = 0;                    // of labels, where they are known; 0: up to most_classes
  std::optional<std::size_t> label_column{};  // of labels of several numbers, from 0; nothing: they are one-hot
  std::size_t stored_bytes = 0;  // of an item in its file, at most, where it is known; 0: up to twice item_bytes
  // Of the files, where they are known beforehand. Then bytes may be left out, before, between and behind chunks, whose
  // offsets tell: items that are not whole are left out, too.
  std::vector<ItemLayout> layouts{};

  using Output = Elements;
  void push(const Chunk& chunk);
  bool pull(Elements& out);
  void finish();
  void reset() { state_ = {}; }
  // An item that straddles chunks, or does not stay as it is, is a copy of its own.
  std::optional<std::size_t> payload_bytes() const {
    return item_bytes ? std::optional(std::max(chunk_bytes, item_bytes)) : std::nullopt;
  }

  // The part of an item, in a vector that grows.
  std::size_t state_bytes() const { return 2 * (stored_bytes ? stored_bytes : 2 * item_bytes); }

  // State of its own, no options.
  struct State {
    std::size_t file = 0;
    std::vector<std::uint8_t> partial;  // of the header, or of an item that began in an earlier chunk
    std::optional<ItemLayout> layout;
    std::optional<ItemShape> before;  // of the first file
    std::uint64_t next = 0;           // item of the file
    std::uint64_t first = 0;          // items of the files before
    Shared<Bytes> owner;
    std::span<const std::uint8_t> data;  // what is left of the chunk
  };
  const std::string& path() const { return paths[state_.file]; }
  void read_header();
  void go_on_at(std::uint64_t offset);
  bool take_partial(Elements& out);
  void take_whole(Elements& out);
  void copy(const std::uint8_t* from, std::size_t count, Elements& out);
  void check(const Elements& elements) const;
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
