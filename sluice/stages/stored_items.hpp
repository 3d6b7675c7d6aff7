// Images and labels as a file stores them -> as they are in memory.
//
// whole items (sluice/stages/item_layout.hpp says how they lie) -> float32 or bytes, planes one behind the other; of a
// label the class alone. Numbers of any type become the nearest float32; whole ones beyond 2^24 may be rounded.
// Order and thread-safety: pure functions. Errors: DataError naming the file, the item and what was found: a value that
// is not finite within float32, a boolean that is neither 0 nor 1, a label that is none of the classes or no whole
// number, a row that is not one-hot.
//
//   read_images(layout, from, count, {path, first}, memory);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <sluice/stages/item_layout.hpp>

namespace sluice::stages {

// Where items come from, for errors.
struct ItemPlace {
  const std::string& path;
  std::uint64_t first = 0;  // index of the first item in its file
};

// to: count x pixels of layout.type.
void read_images(const ItemLayout& layout, const std::uint8_t* from, std::size_t count, const ItemPlace& place,
                 std::uint8_t* to);
// to: count floats. classes: how many there are, 0: up to most_classes.
void read_labels(const ItemLayout& layout, const std::uint8_t* from, std::size_t count, const ItemPlace& place,
                 std::size_t classes, float* to);

// Of items that are in memory as they are in the file: images of booleans, and labels.
void check_booleans(const ItemLayout& layout, const std::uint8_t* at, std::size_t count, const ItemPlace& place);
void check_labels(const ItemLayout& layout, const std::uint8_t* at, std::size_t count, const ItemPlace& place,
                  std::size_t classes);

}  // namespace sluice::stages
