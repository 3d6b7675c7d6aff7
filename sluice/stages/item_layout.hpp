// What the sizes of an array of images or of labels mean, whatever the format of its file.
//
// sizes of an array -> the shape of its items in memory, and how they lie in the file. N is the number of items:
//
//   images   N x P                   P values each, of which nobody says rows and columns: flat
//            N x R x C               grey
//            N x 1 x R x C           grey; so is N x R x C x 1
//            N x 3 x R x C           three planes, one behind the other, as PyTorch has them
//            N x R x C x 3           the three values of a pixel side by side, as Keras has them: in memory they are
//                                    planes, too
//            Where both ends may be planes the first are; that makes a difference where the last is 3 (N x 3 x 5 x 3,
//            N x 1 x 5 x 3), and there it is an error that asks for N x P.
//   labels   N, N x 1                the class; floating-point numbers have to be whole
//            N x M                   M numbers each, of which `label_column` (from 0, as QMNIST's are counted) is the
//                                    class; without it each row has to be one-hot: one 1, which is the class, else 0
//
// Order and thread-safety: plain values, pure functions. Errors: DataError naming `path`: other numbers of sizes, a
// size of 0, images beyond most_pixels, more than 2^64 bytes, a column that is not there.
//
//   const ItemLayout layout = item_layout(parse_array_header(header, path), ItemKind::images, path);
//   layout.shape.planes, layout.item_bytes
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <sluice/stages/array_header.hpp>
#include <sluice/stages/elements.hpp>

namespace sluice::stages {

struct ItemLayout {
  ItemShape shape{};                     // in memory
  std::size_t header_bytes = 0;          // of the file, before the first item
  std::endian order = std::endian::big;  // of the bytes of a value
  std::uint64_t values = 1;              // of an item in the file: pixels, or columns of labels
  std::uint64_t item_bytes = 0;          // in the file
  bool interleaved = false;              // the planes of a pixel side by side
  bool reordered = false;                // in Fortran order: not item by item
  std::optional<std::size_t> column{};   // of labels: where the class is; nothing: one-hot
  Pixel type = Pixel::uint8;             // of a value in memory
  bool stays = false;                    // an item is in memory what it is in the file
};

// Of how many sizes an array of them has, the fewest and the most.
constexpr std::pair<std::size_t, std::size_t> item_ranks(ItemKind kind) {
  return kind == ItemKind::images ? std::pair<std::size_t, std::size_t>(2, 4)
                                  : std::pair<std::size_t, std::size_t>(1, 2);
}

ItemLayout item_layout(const ArrayHeader& header, ItemKind kind, const std::string& path,
                       std::optional<std::size_t> label_column = {});

// The layout of a file that begins with `header` (empty at first) and goes on with `data`, from whose front the bytes
// of the header are moved to `header`; nothing as long as some of them are missing. A file that cannot be one of such
// items is refused as soon as its bytes tell it, one that is no array once they tell what it is instead
// (foreign_content.hpp).
std::optional<ItemLayout> take_layout(std::vector<std::uint8_t>& header, std::span<const std::uint8_t>& data,
                                      ItemKind kind, const std::string& path,
                                      std::optional<std::size_t> label_column = {});
// Where it has ended before.
[[noreturn]] void refuse_short_header(std::span<const std::uint8_t> header, ItemKind kind, const std::string& path);

// The same, of what `source` makes of a file (sluice/stages/inflate.hpp, say).
template <class Source>
ItemLayout layout_of(Source&& source, ItemKind kind, const std::string& path,
                     std::optional<std::size_t> label_column = {}) {
  std::vector<std::uint8_t> header;
  typename std::remove_cvref_t<Source>::Output chunk;
  while (source(chunk)) {
    std::span<const std::uint8_t> data(chunk.data, chunk.size);
    if (const auto layout = take_layout(header, data, kind, path, label_column)) return *layout;
  }
  refuse_short_header(header, kind, path);
}

// Throws DataError unless a file's items are of the size and type of those of the file before it.
void check_same_items(ItemKind kind, const ItemShape& shape, const std::string& path, const ItemShape& before,
                      const std::string& path_before);

}  // namespace sluice::stages
