// What files of images and of labels hold, whatever their format: a type, a shape, and runs of items in memory.
//
// An item is an image (planes x rows x columns values, in that order; one plane where it is grey) or a label. What a
// file's header says becomes an ItemShape (sluice/stages/item_layout.hpp); parsing (sluice/stages/parse.hpp) makes
// Elements. Order and thread-safety: plain values; Elements keep what they point to. Errors: none.
//
//   elements.data + k * elements.item_bytes()   // item k of a run
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <sluice/stages/batch.hpp>
#include <sluice/stages/chunk.hpp>

namespace sluice::stages {

// Of a value as a file stores it.
enum class ElementType : std::uint8_t {
  uint8,
  int8,
  int16,
  int32,
  float32,
  float64,
  boolean,
  uint16,
  uint32,
  uint64,
  int64,
  float16
};

const char* element_type_name(ElementType type);
std::size_t element_type_bytes(ElementType type);
bool is_floating(ElementType type);
// What a value of it becomes in memory: bytes and booleans stay bytes.
Pixel pixel_type(ElementType type);

enum class ItemKind { images, labels };

struct ItemShape {
  std::uint64_t count = 0;    // items: images or labels
  std::uint64_t rows = 1;     // of an image
  std::uint64_t columns = 1;  // of an image
  ElementType type = ElementType::uint8;
  bool flat = false;         // one row of values, and nobody has said of which rows and columns they are
  std::uint32_t planes = 1;  // of an image, one behind the other: 3 where it has colours

  std::uint64_t pixels() const { return planes * rows * columns; }
  friend bool operator==(const ItemShape&, const ItemShape&) = default;
};

// The size of an image, for people: "28 x 28", "3 x 32 x 32"; flat: "784 values". Behind "images of" it has a unit,
// too: "28 x 28 pixels".
std::string size_text(std::uint64_t planes, std::uint64_t rows, std::uint64_t columns, bool flat);
template <class Shape>
std::string size_text(const Shape& shape) {
  return size_text(shape.planes, shape.rows, shape.columns, shape.flat);
}
template <class Shape>
std::string pixels_text(const Shape& shape) {
  return size_text(shape) + (shape.flat ? "" : " pixels");
}

// How an image is drawn whose rows and columns nobody has said: as a square, where its values make one.
struct PictureShape {
  std::size_t planes = 1, rows = 1, columns = 0;
};
PictureShape picture_shape(std::uint64_t planes, std::uint64_t rows, std::uint64_t columns, bool flat);
template <class Shape>
PictureShape picture_shape(const Shape& shape) {
  return picture_shape(shape.planes, shape.rows, shape.columns, shape.flat);
}

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
