#include <sluice/stages/stored_items.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <span>
#include <type_traits>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/label.hpp>
#include <sluice/stages/model.hpp>
#include <sluice/stages/stored_number.hpp>

namespace sluice::stages {
namespace {

// Items of `planes` x `area` values, the planes of a pixel side by side (of one plane: all values of all items).
template <class T, std::endian order, std::size_t planes, class Value>
void read_values(const std::uint8_t* from, std::size_t area, Value* to) {
  for (std::size_t p = 0; p < planes; ++p)
    for (std::size_t i = 0; i < area; ++i)
      to[p * area + i] = static_cast<Value>(stored<T, order>(from + (i * planes + p) * sizeof(T)));
}

template <class T, std::endian order, class Value>
void read_values(const ItemLayout& layout, const std::uint8_t* from, std::size_t count, Value* to) {
  const auto pixels = static_cast<std::size_t>(layout.shape.pixels());
  if (!layout.interleaved) return read_values<T, order, 1>(from, count * pixels, to);
  constexpr std::size_t planes = 3;
  for (std::size_t i = 0; i < count; ++i)
    read_values<T, order, planes>(from + i * pixels * sizeof(T), pixels / planes, to + i * pixels);
}

// Without a way out of its loop, so that many are looked at at once.
bool all_finite(std::span<const float> values) {
  constexpr std::int32_t infinite = 0x7f800000;
  std::int32_t largest = 0;
  for (const float value : values) largest = std::max(largest, std::bit_cast<std::int32_t>(value) & 0x7fffffff);
  return largest < infinite;
}

// Which value of the file becomes the k-th in memory.
std::uint64_t value_in_file(const ItemLayout& layout, std::uint64_t k) {
  if (!layout.interleaved) return k;
  const std::uint64_t pixels = layout.shape.pixels(), planes = layout.shape.planes, area = pixels / planes;
  return k / pixels * pixels + k % area * planes + k % pixels / area;
}

// How numbers of a type are compared and shown.
template <class T>
auto wide(T value) {
  if constexpr (std::is_same_v<T, Float16>)
    return static_cast<double>(static_cast<float>(value));
  else if constexpr (std::is_floating_point_v<T>)
    return static_cast<double>(value);
  else if constexpr (std::is_signed_v<T>)
    return std::int64_t{value};
  else
    return std::uint64_t{value};
}

// The first of `values`, which are read from `from`, that is not finite.
template <class T, std::endian order>
[[noreturn]] void refuse_infinite(const ItemLayout& layout, const std::uint8_t* from, std::span<const float> values,
                                  const ItemPlace& place) {
  const auto found = std::find_if(values.begin(), values.end(), [](float value) { return !std::isfinite(value); });
  const auto k = static_cast<std::uint64_t>(found - values.begin());
  throw DataError(fmt::format("{}: pixel {} of image {} is {}, expected a finite number within float32", place.path,
                              k % layout.shape.pixels(), place.first + k / layout.shape.pixels(),
                              wide(stored<T, order>(from + value_in_file(layout, k) * sizeof(T)))));
}

template <class Wide>
std::uint16_t class_of(Wide value, std::uint64_t image, std::size_t classes, const std::string& path) {
  const std::size_t end = classes ? classes : most_classes;
  if constexpr (std::is_floating_point_v<Wide>)
    if (value != std::floor(value))  // not a number, too
      throw DataError(fmt::format("{}: label {} of image {}, expected a whole number", path, value, image));
  if (value < 0 || value >= static_cast<Wide>(end)) refuse_label(path, fmt::format("{}", value), image, classes);
  return static_cast<std::uint16_t>(value);
}

// Of booleans there are two.
std::size_t classes_of(const ItemLayout& layout, std::size_t classes) {
  if (layout.shape.type != ElementType::boolean) return classes;
  return classes ? std::min<std::size_t>(classes, 2) : 2;
}

// Where the only 1 of a row is that is 0 elsewhere.
template <class T, std::endian order>
std::optional<std::uint64_t> place_of_one(const std::uint8_t* row, std::uint64_t values) {
  std::optional<std::uint64_t> found;
  for (std::uint64_t k = 0; k < values; ++k) {
    const auto value = wide(stored<T, order>(row + k * sizeof(T)));
    if (value == 0) continue;
    if (value != 1 || found) return std::nullopt;
    found = k;
  }
  return found;
}

[[noreturn]] void refuse_row(const ItemLayout& layout, std::uint64_t image, const std::string& path) {
  throw DataError(fmt::format(
      "{}: labels of {} numbers, and those of image {} are not one-hot, expected one 1 and else 0: which of "
      "them is the class (--label-column 1 to {}), or are images and labels swapped?",
      path, layout.values, image, layout.values));
}

}  // namespace

void read_images(const ItemLayout& layout, const std::uint8_t* from, std::size_t count, const ItemPlace& place,
                 std::uint8_t* to) {
  if (pixel_type(layout.shape.type) == Pixel::uint8) {
    read_values<std::uint8_t, std::endian::native>(layout, from, count, to);
    if (layout.shape.type == ElementType::boolean) check_booleans(layout, to, count, place);
    return;
  }
  auto* const values = reinterpret_cast<float*>(to);
  with_stored(layout.shape.type, layout.order, [&]<class T, std::endian order>() {
    read_values<T, order>(layout, from, count, values);
    const std::span<const float> all(values, count * layout.shape.pixels());
    if (is_floating(layout.shape.type) && !all_finite(all)) refuse_infinite<T, order>(layout, from, all, place);
  });
}

void check_booleans(const ItemLayout& layout, const std::uint8_t* at, std::size_t count, const ItemPlace& place) {
  const std::uint64_t pixels = layout.shape.pixels();
  const std::uint8_t* const end = at + count * pixels;
  const std::uint8_t* const found = std::find_if(at, end, [](std::uint8_t value) { return value > 1; });
  if (found == end) return;
  const auto i = static_cast<std::uint64_t>(found - at);
  throw DataError(fmt::format("{}: pixel {} of image {} is {}, expected 0 or 1, as booleans are", place.path,
                              i % pixels, place.first + i / pixels, *found));
}

void read_labels(const ItemLayout& layout, const std::uint8_t* from, std::size_t count, const ItemPlace& place,
                 std::size_t classes, float* to) {
  if (layout.column) classes = classes_of(layout, classes);
  with_stored(layout.shape.type, layout.order, [&]<class T, std::endian order>() {
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint8_t* const row = from + i * layout.item_bytes;
      const std::uint64_t image = place.first + i;
      if (layout.column) {
        to[i] = class_of(wide(stored<T, order>(row + *layout.column * sizeof(T))), image, classes, place.path);
      } else {
        const auto one = place_of_one<T, order>(row, layout.values);
        if (!one) refuse_row(layout, image, place.path);
        to[i] = class_of(*one, image, classes, place.path);
      }
    }
  });
}

void check_labels(const ItemLayout& layout, const std::uint8_t* at, std::size_t count, const ItemPlace& place,
                  std::size_t classes) {
  classes = classes_of(layout, classes);
  if (!classes) return;
  for (std::size_t i = 0; i < count; ++i) class_of(std::uint64_t{at[i]}, place.first + i, classes, place.path);
}

}  // namespace sluice::stages
