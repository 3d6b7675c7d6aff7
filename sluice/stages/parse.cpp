#include <sluice/stages/parse.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include <sluice/stages/big_endian.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/label.hpp>
#include <sluice/stages/model.hpp>

namespace sluice::stages {
namespace {

constexpr const char* items(ItemKind kind) {
  return kind == ItemKind::images ? "images" : "labels";
}

template <class T>
void to_float32(const std::uint8_t* from, std::size_t count, float* to) {
  for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<float>(big_endian<T>(from + i * sizeof(T)));
}

void to_float32(ElementType type, const std::uint8_t* from, std::size_t count, float* to) {
  switch (type) {
    case ElementType::uint8:
      return to_float32<std::uint8_t>(from, count, to);
    case ElementType::int8:
      return to_float32<std::int8_t>(from, count, to);
    case ElementType::int16:
      return to_float32<std::int16_t>(from, count, to);
    case ElementType::int32:
      return to_float32<std::int32_t>(from, count, to);
    case ElementType::float32:
      return to_float32<float>(from, count, to);
    case ElementType::float64:
      return to_float32<double>(from, count, to);
  }
}

std::int64_t whole_number(ElementType type, const std::uint8_t* from) {
  if (type == ElementType::int8) return big_endian<std::int8_t>(from);
  if (type == ElementType::int16) return big_endian<std::int16_t>(from);
  if (type == ElementType::int32) return big_endian<std::int32_t>(from);
  return *from;
}

}  // namespace

template <ItemKind kind>
void ParseArray<kind>::push(const Chunk& chunk) {
  State& s = state_;
  while (s.file != chunk.file) next_file();
  s.owner = chunk.owner;
  s.data = chunk.data;
  s.size = chunk.size;
  if (!s.shape) read_header();
}

template <ItemKind kind>
void ParseArray<kind>::read_header() {
  State& s = state_;
  const std::size_t taken = std::min(s.size, idx_header_bytes(kind) - s.partial.size());
  s.partial.insert(s.partial.end(), s.data, s.data + taken);
  s.data += taken, s.size -= taken;
  // A wrong file is told by its first bytes, also where it is too short for a header.
  if (s.partial.size() >= 4) check_idx_magic(s.partial.data(), kind, path());
  if (s.partial.size() < idx_header_bytes(kind)) return;
  const ItemShape shape = parse_idx_header(s.partial.data(), kind, path());
  if (s.before) check_same_items(kind, shape, path(), *s.before, paths.front());
  s.shape = shape;
  s.partial.clear();
}

template <ItemKind kind>
bool ParseArray<kind>::pull(Elements& out) {
  State& s = state_;
  if (!s.shape || s.size == 0) {
    s.owner = {};  // the chunk is used up: nothing here keeps its memory
    return false;
  }
  if (s.next == s.shape->count)
    throw DataError(fmt::format(
        "{}: goes on after {} {}, expected its end there as the header promises: is the header damaged, or was "
        "something appended?",
        path(), s.shape->count, items(kind)));
  const std::uint64_t item = s.shape->item_bytes();
  const bool bytes = s.shape->type == ElementType::uint8;
  out.shape = *s.shape;
  out.type = bytes ? Pixel::uint8 : Pixel::float32;
  out.first = s.first + s.next;
  out.in_file = s.next;
  if (!s.partial.empty() || s.size < item) {
    const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(s.size, item - s.partial.size()));
    s.partial.insert(s.partial.end(), s.data, s.data + taken);
    s.data += taken, s.size -= taken;
    if (s.partial.size() < item) {
      s.owner = {};
      return false;
    }
    if (bytes) {
      Bytes& own = copies_.take(out.owner);
      std::memcpy(own.reserve(s.partial.size()), s.partial.data(), s.partial.size());
      out.data = own.data.get();
      out.count = 1;
    } else {
      convert(s.partial.data(), 1, out);
    }
    s.partial.clear();
  } else {
    std::uint64_t count = std::min<std::uint64_t>(s.size / item, s.shape->count - s.next);
    if (bytes) {
      out.count = static_cast<std::size_t>(count);
      out.data = s.data;
      out.owner = s.owner;
    } else {
      count = std::min(count, std::max<std::uint64_t>(1, chunk_bytes / (s.shape->pixels() * sizeof(float))));
      convert(s.data, static_cast<std::size_t>(count), out);
    }
    const std::size_t taken = out.count * static_cast<std::size_t>(item);
    s.data += taken, s.size -= taken;
  }
  if (kind == ItemKind::labels && bytes) check_labels(out.data, out.count);
  s.next += out.count;
  return true;
}

// The `count` items at `from`, in the file's type.
template <ItemKind kind>
void ParseArray<kind>::convert(const std::uint8_t* from, std::size_t count, Elements& out) {
  const State& s = state_;
  if (kind == ItemKind::labels) check_labels(from, count);
  const std::size_t pixels = static_cast<std::size_t>(s.shape->pixels()), all = count * pixels;
  Bytes& own = copies_.take(out.owner);
  auto* const values = reinterpret_cast<float*>(own.reserve(all * sizeof(float)));
  to_float32(s.shape->type, from, all, values);
  if (s.shape->type == ElementType::float32 || s.shape->type == ElementType::float64)
    for (std::size_t i = 0; i < all; ++i)
      if (!std::isfinite(values[i]))
        throw DataError(fmt::format("{}: pixel {} of image {} is {}, expected a finite number within float32", path(),
                                    i % pixels, s.next + i / pixels,
                                    s.shape->type == ElementType::float32
                                        ? static_cast<double>(values[i])
                                        : big_endian<double>(from + i * sizeof(double))));
  out.data = own.data.get();
  out.count = count;
}

// As they are in the file: a large one is no longer exact as a float32.
template <ItemKind kind>
void ParseArray<kind>::check_labels(const std::uint8_t* from, std::size_t count) const {
  const State& s = state_;
  const auto end = static_cast<std::int64_t>(classes ? classes : most_classes);
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t label = whole_number(s.shape->type, from + i * element_type_bytes(s.shape->type));
    if (label < 0 || label >= end) refuse_label(path(), label, s.next + i, classes);
  }
}

template <ItemKind kind>
void ParseArray<kind>::end_of_file() const {
  const State& s = state_;
  if (!s.shape)
    throw DataError(fmt::format("{}: ends after {} bytes, expected an IDX header of {} bytes: is it an IDX file of {}?",
                                path(), s.partial.size(), idx_header_bytes(kind), items(kind)));
  if (s.next < s.shape->count)
    throw DataError(fmt::format("{}: the header promises {} {}, the file ends after {}: was it cut short?", path(),
                                s.shape->count, items(kind), s.next));
}

template <ItemKind kind>
void ParseArray<kind>::next_file() {
  State& s = state_;
  end_of_file();
  if (!s.before) s.before = s.shape;
  s.first += s.next, s.next = 0;
  s.shape.reset();
  s.partial.clear();
  ++s.file;
}

// One of which nothing came has no chunk.
template <ItemKind kind>
void ParseArray<kind>::finish() {
  while (state_.file + 1 < paths.size()) next_file();
  end_of_file();
}

template struct ParseArray<ItemKind::images>;
template struct ParseArray<ItemKind::labels>;

}  // namespace sluice::stages
