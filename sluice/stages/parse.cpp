#include <sluice/stages/parse.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/stored_items.hpp>

namespace sluice::stages {
namespace {

constexpr const char* items(ItemKind kind) {
  return kind == ItemKind::images ? "images" : "labels";
}

}  // namespace

template <ItemKind kind>
void ParseArray<kind>::push(const Chunk& chunk) {
  State& s = state_;
  while (s.file != chunk.file) next_file();
  s.owner = chunk.owner;
  s.data = {chunk.data, chunk.size};
  if (!layouts.empty())
    go_on_at(chunk.offset);
  else if (!s.layout)
    read_header();
}

// With the data that begin there in the file: a header, the rest of an item that has no beginning, are passed over.
template <ItemKind kind>
void ParseArray<kind>::go_on_at(std::uint64_t offset) {
  State& s = state_;
  if (!s.layout) s.layout = layouts[s.file];
  const std::uint64_t header = s.layout->header_bytes, item = s.layout->item_bytes;
  const auto place = [&] { return header + s.next * item + s.partial.size(); };
  if (offset > place()) {
    s.partial.clear();
    s.next = (offset - header + item - 1) / item;
  }
  s.data = s.data.subspan(static_cast<std::size_t>(std::min<std::uint64_t>(s.data.size(), place() - offset)));
}

template <ItemKind kind>
void ParseArray<kind>::read_header() {
  State& s = state_;
  const auto layout = take_layout(s.partial, s.data, kind, path(), label_column);
  if (!layout) return;
  if (layout->reordered)
    throw DataError(path() +
                    ": its array is in Fortran order, expected C order: save numpy.ascontiguousarray(x) in its place");
  if (s.before) check_same_items(kind, layout->shape, path(), *s.before, paths.front());
  s.layout = layout;
  s.partial.clear();
}

template <ItemKind kind>
bool ParseArray<kind>::pull(Elements& out) {
  State& s = state_;
  if (!s.layout || s.data.empty()) {
    s.owner = {};  // the chunk is used up: nothing here keeps its memory
    return false;
  }
  const ItemLayout& layout = *s.layout;
  if (s.next >= layout.shape.count)
    throw DataError(fmt::format(
        "{}: goes on after {} {}, expected its end there as the header promises: is the header damaged, or was "
        "something appended?",
        path(), layout.shape.count, items(kind)));
  out.shape = layout.shape;
  out.type = layout.type;
  out.first = s.first + s.next;
  out.in_file = s.next;
  if (s.partial.empty() && s.data.size() >= layout.item_bytes)
    take_whole(out);
  else if (!take_partial(out))
    return false;
  s.next += out.count;
  return true;
}

// What the chunk has of an item that began in an earlier one, or goes on in a later one; whether it is complete.
template <ItemKind kind>
bool ParseArray<kind>::take_partial(Elements& out) {
  State& s = state_;
  const std::uint64_t item = s.layout->item_bytes;
  const auto taken =
      s.data.first(static_cast<std::size_t>(std::min<std::uint64_t>(s.data.size(), item - s.partial.size())));
  s.partial.insert(s.partial.end(), taken.begin(), taken.end());
  s.data = s.data.subspan(taken.size());
  if (s.partial.size() < item) {
    s.owner = {};
    return false;
  }
  copy(s.partial.data(), 1, out);
  s.partial.clear();
  return true;
}

template <ItemKind kind>
void ParseArray<kind>::take_whole(Elements& out) {
  State& s = state_;
  const ItemLayout& layout = *s.layout;
  const std::uint64_t item = layout.item_bytes;
  std::uint64_t count = std::min<std::uint64_t>(s.data.size() / item, layout.shape.count - s.next);
  if (layout.stays) {
    out.count = static_cast<std::size_t>(count);
    out.data = s.data.data();
    out.owner = s.owner;
    check(out);
  } else {
    count = std::min<std::uint64_t>(count, std::max<std::size_t>(1, chunk_bytes / out.item_bytes()));
    copy(s.data.data(), static_cast<std::size_t>(count), out);
  }
  s.data = s.data.subspan(out.count * static_cast<std::size_t>(item));
}

// The `count` items at `from`, as they are in the file, in memory of their own.
template <ItemKind kind>
void ParseArray<kind>::copy(const std::uint8_t* from, std::size_t count, Elements& out) {
  const State& s = state_;
  const ItemLayout& layout = *s.layout;
  std::uint8_t* const to = copies_.take(out.owner).reserve(count * out.item_bytes());
  out.data = to;
  out.count = count;
  if (layout.stays) {
    std::memcpy(to, from, count * out.item_bytes());
    return check(out);
  }
  const ItemPlace place{path(), s.next};
  if (kind == ItemKind::images)
    read_images(layout, from, count, place, to);
  else
    read_labels(layout, from, count, place, classes, reinterpret_cast<float*>(to));
}

// Items that are in memory as they are in the file.
template <ItemKind kind>
void ParseArray<kind>::check(const Elements& elements) const {
  const State& s = state_;
  if (kind == ItemKind::labels)
    check_labels(*s.layout, elements.data, elements.count, {path(), elements.in_file}, classes);
  else if (s.layout->shape.type == ElementType::boolean)
    check_booleans(*s.layout, elements.data, elements.count, {path(), elements.in_file});
}

template <ItemKind kind>
void ParseArray<kind>::end_of_file() const {
  const State& s = state_;
  if (!layouts.empty()) return;
  if (!s.layout) refuse_short_header(s.partial, kind, path());
  if (s.next < s.layout->shape.count)
    throw DataError(fmt::format("{}: the header promises {} {}, the file ends after {}: was it cut short?", path(),
                                s.layout->shape.count, items(kind), s.next));
}

template <ItemKind kind>
void ParseArray<kind>::next_file() {
  State& s = state_;
  end_of_file();
  if (!layouts.empty()) s.next = layouts[s.file].shape.count;
  if (!s.before && s.layout) s.before = s.layout->shape;
  s.first += s.next, s.next = 0;
  s.layout.reset();
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
