// A label as parse (sluice/stages/parse.hpp) gives it, and the error of one that is none of the classes.
//
// Pure functions. Errors: DataError naming the file, the label, its image and what was expected.
//
//   const std::uint16_t label = label_of(rows.type, rows.at[i]);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <sluice/stages/batch.hpp>

namespace sluice::stages {

// The label at `place`: a whole number from 0 to most_classes - 1, which a float32 holds exactly, too.
inline std::uint16_t label_of(Pixel type, const std::uint8_t* place) {
  return type == Pixel::uint8 ? *place : static_cast<std::uint16_t>(*reinterpret_cast<const float*>(place));
}

// image: its index in the file. classes: how many there are, 0: nobody knows yet. hint: behind the text.
[[noreturn]] void refuse_label(const std::string& path, const std::string& label, std::uint64_t image,
                               std::size_t classes, const std::string& hint = "");

}  // namespace sluice::stages
