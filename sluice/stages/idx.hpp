// The header of an IDX file: what its elements are and how many.
//
// bytes 0 0 type rank, then rank sizes as big-endian uint32, then the elements, row-major.
// Source: the IDX file format, as described on the page of the MNIST database.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/stages/elements.hpp>

namespace sluice::stages {

// The byte of the header that stands for a type, and back; nothing: no type has it.
std::uint8_t idx_code(ElementType type);
std::optional<ElementType> idx_type(std::uint32_t code);

// The header of any IDX file.
struct IdxHeader {
  ElementType type = ElementType::uint8;
  std::vector<std::uint64_t> sizes;  // 1 to 255 of them, each below 2^32
  std::size_t bytes() const { return 4 + 4 * sizes.size(); }
  // What all elements take; nothing if it is 2^64 or more.
  std::optional<std::uint64_t> element_bytes() const;
};

// How long the header is that begins with these 4 bytes; nothing if they are not those of an IDX file.
std::optional<std::size_t> any_idx_header_bytes(const std::uint8_t* start);
// As many bytes as that: any type and any sizes, 0 among them.
IdxHeader parse_any_idx_header(const std::uint8_t* header);

// What is said of a file that begins so and is compressed in another way than by gzip; empty: it is not.
std::string compression(const std::uint8_t* start);

// A file of images (rank 3: count x rows x columns) of any type, or of labels (rank 1: count) of whole numbers.
constexpr std::size_t idx_header_bytes(ItemKind kind) {
  return kind == ItemKind::images ? 16 : 8;
}

// The first 4 bytes: throws DataError that names `path`, what was found and the likely reason, unless they are those of
// images or labels.
void check_idx_magic(const std::uint8_t* header, ItemKind kind, const std::string& path);

// The items of which decoded bytes [begin, end) of a file have something: [first, last). Bytes of the header are of
// none.
struct ItemRange {
  std::uint64_t first = 0, last = 0;
};
ItemRange items_in(std::uint64_t header, std::uint64_t item, std::uint64_t begin, std::uint64_t end);

// Checks every field before anything is derived from it. `header` has idx_header_bytes(kind) bytes. Throws DataError
// that names `path`: wrong magic, no items, no rows or columns, images beyond most_pixels.
ItemShape parse_idx_header(const std::uint8_t* header, ItemKind kind, const std::string& path);

// Throws DataError unless a file's items are of the size and type of those of the file before it.
void check_same_items(ItemKind kind, const ItemShape& shape, const std::string& path, const ItemShape& before,
                      const std::string& path_before);

// The header of such a file, as bytes. count, rows and columns below 2^32.
std::vector<std::uint8_t> idx_header(ItemKind kind, const ItemShape& shape);

}  // namespace sluice::stages
