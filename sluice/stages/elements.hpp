// What files of images and of labels hold, whatever their format: a type, a shape, and runs of items in memory.
//
// An item is an image (planes x rows x columns values, in that order; one plane where it is grey) or a label. A format
// (sluice/stages/idx.hpp) says what its files hold as an ItemShape; parsing (sluice/stages/parse.hpp) makes Elements.
// Order and thread-safety: plain values; Elements keep what they point to. Errors: none.
//
//   elements.data + k * elements.item_bytes()   // item k of a run
#pragma once

#include <cstddef>
#include <cstdint>

#include <sluice/stages/batch.hpp>
#include <sluice/stages/chunk.hpp>

namespace sluice::stages {

// Of a value as a file stores it.
enum class ElementType : std::uint8_t { uint8, int8, int16, int32, float32, float64 };

const char* element_type_name(ElementType type);
std::size_t element_type_bytes(ElementType type);
bool is_floating(ElementType type);

enum class ItemKind { images, labels };

struct ItemShape {
  std::uint64_t count = 0;    // items: images or labels
  std::uint64_t rows = 1;     // of an image
  std::uint64_t columns = 1;  // of an image
  ElementType type = ElementType::uint8;

  std::uint64_t pixels() const { return rows * columns; }
  std::uint64_t item_bytes() const { return pixels() * element_type_bytes(type); }  // in the file
  friend bool operator==(const ItemShape&, const ItemShape&) = default;
};

// Pixels of an image at most: what follows from a header alone (a model, a row) stays within reason.
inline constexpr std::uint64_t most_pixels = std::uint64_t{1} << 26;

struct Elements {
  ItemShape shape;                     // of the file
  std::uint64_t first = 0;             // index of the first item, of all files
  std::uint64_t in_file = 0;           // its index in its file
  std::size_t count = 0;               // items
  const std::uint8_t* data = nullptr;  // (count x shape.pixels()) of `type`
  Pixel type = Pixel::uint8;
  Shared<Bytes> owner;  // keeps them

  std::size_t item_bytes() const {  // in memory
    return static_cast<std::size_t>(shape.pixels()) * (type == Pixel::uint8 ? 1 : sizeof(float));
  }
};

}  // namespace sluice::stages
