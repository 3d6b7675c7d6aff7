#include <sluice/stages/elements.hpp>

#include <cmath>

#include <fmt/core.h>

namespace sluice::stages {

const char* element_type_name(ElementType type) {
  switch (type) {
    case ElementType::uint8:
      return "uint8";
    case ElementType::int8:
      return "int8";
    case ElementType::int16:
      return "int16";
    case ElementType::int32:
      return "int32";
    case ElementType::float32:
      return "float32";
    case ElementType::float64:
      return "float64";
    case ElementType::boolean:
      return "bool";
    case ElementType::uint16:
      return "uint16";
    case ElementType::uint32:
      return "uint32";
    case ElementType::uint64:
      return "uint64";
    case ElementType::int64:
      return "int64";
    case ElementType::float16:
      return "float16";
  }
  return "unknown";
}

std::size_t element_type_bytes(ElementType type) {
  switch (type) {
    case ElementType::uint8:
    case ElementType::int8:
    case ElementType::boolean:
      return 1;
    case ElementType::int16:
    case ElementType::uint16:
    case ElementType::float16:
      return 2;
    case ElementType::int32:
    case ElementType::uint32:
    case ElementType::float32:
      return 4;
    case ElementType::int64:
    case ElementType::uint64:
    case ElementType::float64:
      return 8;
  }
  return 0;
}

bool is_floating(ElementType type) {
  return type == ElementType::float16 || type == ElementType::float32 || type == ElementType::float64;
}

Pixel pixel_type(ElementType type) {
  return type == ElementType::uint8 || type == ElementType::boolean ? Pixel::uint8 : Pixel::float32;
}

std::string size_text(std::uint64_t planes, std::uint64_t rows, std::uint64_t columns, bool flat) {
  if (flat) return fmt::format("{} values", columns);
  return planes == 1 ? fmt::format("{} x {}", rows, columns) : fmt::format("{} x {} x {}", planes, rows, columns);
}

PictureShape picture_shape(std::uint64_t planes, std::uint64_t rows, std::uint64_t columns, bool flat) {
  const auto side = static_cast<std::uint64_t>(std::lround(std::sqrt(static_cast<double>(columns))));
  if (flat && side * side == columns) rows = columns = side;
  return {static_cast<std::size_t>(planes), static_cast<std::size_t>(rows), static_cast<std::size_t>(columns)};
}

}  // namespace sluice::stages
