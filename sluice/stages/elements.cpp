#include <sluice/stages/elements.hpp>

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
  }
  return "unknown";
}

std::size_t element_type_bytes(ElementType type) {
  switch (type) {
    case ElementType::uint8:
    case ElementType::int8:
      return 1;
    case ElementType::int16:
      return 2;
    case ElementType::int32:
    case ElementType::float32:
      return 4;
    case ElementType::float64:
      return 8;
  }
  return 0;
}

bool is_floating(ElementType type) {
  return type == ElementType::float32 || type == ElementType::float64;
}

}  // namespace sluice::stages
