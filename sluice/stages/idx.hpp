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

#include <sluice/stages/array_header.hpp>
#include <sluice/stages/elements.hpp>

namespace sluice::stages {

// The byte of the header that stands for a type, and back; nothing, or 0: IDX does not have it.
std::uint8_t idx_code(ElementType type);
std::optional<ElementType> idx_type(std::uint32_t code);

// How long the header is that begins with these 4 bytes; nothing if they are not those of an IDX file.
std::optional<std::size_t> any_idx_header_bytes(const std::uint8_t* start);
// As many bytes as that: any type and any sizes, 0 among them.
ArrayHeader parse_any_idx_header(const std::uint8_t* header);

// What is said of decoded bytes that begin so (4 of them) and are compressed themselves; empty: they are not.
std::string still_compressed(const std::uint8_t* start);

// The first 4 bytes: throws DataError that names `path`, what was found and the likely reason, unless they are those of
// images or labels (sluice/stages/item_layout.hpp).
void check_idx_magic(const std::uint8_t* header, ItemKind kind, const std::string& path);
[[noreturn]] void refuse_idx_magic(const std::uint8_t* header, ItemKind kind, const std::string& path);

// The items of which decoded bytes [begin, end) of a file have something: [first, last). Bytes of the header are of
// none.
struct ItemRange {
  std::uint64_t first = 0, last = 0;
};
ItemRange items_in(std::uint64_t header, std::uint64_t item, std::uint64_t begin, std::uint64_t end);

// The header of a file of images (count x rows x columns, of one plane) or labels (count), as bytes. Sizes below 2^32,
// a type of IDX.
std::vector<std::uint8_t> idx_header(ItemKind kind, const ItemShape& shape);

}  // namespace sluice::stages
