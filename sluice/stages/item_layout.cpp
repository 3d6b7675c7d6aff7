#include <sluice/stages/item_layout.hpp>

#include <fmt/core.h>

#include <algorithm>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/foreign_content.hpp>
#include <sluice/stages/idx.hpp>
#include <sluice/stages/npy.hpp>

namespace sluice::stages {
namespace {

constexpr const char* items(ItemKind kind) {
  return kind == ItemKind::images ? "images" : "labels";
}

using Sizes = std::span<const std::uint64_t>;

// Of one item; 1 for a single number.
Sizes item_sizes(const ArrayHeader& header) {
  return Sizes(header.sizes).subspan(1);
}

void check_rank(const ArrayHeader& header, ItemKind kind, const std::string& path) {
  const auto [fewest, most] = item_ranks(kind);
  const std::size_t rank = header.sizes.size();
  if (rank >= fewest && rank <= most) return;
  const bool swapped = kind == ItemKind::images ? rank == 1 : rank > most;
  throw DataError(fmt::format(
      "{}: holds {}, expected {}{}", path, array_text(header),
      kind == ItemKind::images ? "images, N x P, N x R x C or that with 1 or 3 planes" : "labels, N or N x M",
      swapped ? ": are images and labels swapped?" : ""));
}

// Every field before anything is derived from it.
void check_sizes(const ArrayHeader& header, ItemKind kind, const std::string& path) {
  const Sizes of_item = item_sizes(header);
  const auto refuse = [&](const std::string& promises, const std::string& expected) {
    throw DataError(fmt::format("{}: the header promises {}, expected {}: is it damaged?", path, promises, expected));
  };
  if (header.sizes[0] == 0) refuse(fmt::format("0 {}", items(kind)), "at least 1");
  std::uint64_t values = 1;
  bool too_many = false;
  for (const std::uint64_t size : of_item) {
    too_many = too_many || (values > 0 && size > most_pixels / values);
    values *= size;
  }
  const std::string of_each = kind == ItemKind::images ? fmt::format("images of {} pixels", sizes_text(of_item))
                                                       : fmt::format("labels of {} numbers", sizes_text(of_item));
  if (std::find(of_item.begin(), of_item.end(), 0u) != of_item.end())
    refuse(of_each, kind == ItemKind::images ? "at least 1 x 1" : "at least 1");
  if (too_many)
    refuse(of_each, fmt::format("at most {} {}", most_pixels, kind == ItemKind::images ? "pixels" : "numbers"));
  if (!header.element_bytes()) refuse(array_text(header), "less than 2^64 bytes");
}

bool may_be_planes(std::uint64_t size) {
  return size == 1 || size == 3;
}

[[noreturn]] void refuse_planes(const ArrayHeader& header, const std::string& path, const char* why) {
  throw DataError(fmt::format("{}: holds {}, {}", path, array_text(header), why));
}

void lay_out_image(const ArrayHeader& header, const std::string& path, ItemLayout& layout) {
  const Sizes sizes = item_sizes(header);
  ItemShape& shape = layout.shape;
  shape.flat = sizes.size() == 1;
  if (sizes.size() < 3) {
    shape.rows = shape.flat ? 1 : sizes[0];
    shape.columns = sizes.back();
  } else if (may_be_planes(sizes[0])) {
    if (sizes[2] == 3)
      refuse_planes(
          header, path,
          "whose images may have their planes first or last: save x.reshape(len(x), -1) where they are first, "
          "x.transpose(0, 3, 1, 2).reshape(len(x), -1) where they are last");
    shape.planes = static_cast<std::uint32_t>(sizes[0]), shape.rows = sizes[1], shape.columns = sizes[2];
  } else if (may_be_planes(sizes[2])) {
    shape.rows = sizes[0], shape.columns = sizes[1], shape.planes = static_cast<std::uint32_t>(sizes[2]);
    layout.interleaved = shape.planes > 1;
  } else {
    refuse_planes(
        header, path,
        "expected images of 1 or 3 planes, first or last: x.reshape(len(x), -1) makes rows of values of them");
  }
  layout.values = shape.pixels();
}

void lay_out_label(const ArrayHeader& header, const std::string& path, std::optional<std::size_t> column,
                   ItemLayout& layout) {
  layout.values = header.sizes.size() == 1 ? 1 : header.sizes[1];
  layout.column = layout.values == 1 && !column ? 0 : column;
  if (column && *column >= layout.values)
    throw DataError(fmt::format("{}: labels of {} number{}, and column {} was asked for, expected 1 to {}", path,
                                layout.values, layout.values == 1 ? "" : "s", *column + 1, layout.values));
}

// Text with something between cells.
bool may_be_table(std::span<const std::uint8_t> start) {
  const auto is_text = [](std::uint8_t c) { return c >= ' ' || c == '\t' || c == '\r' || c == '\n'; };
  const auto is_separator = [](std::uint8_t c) { return c == ',' || c == ';' || c == '\t' || c == '|'; };
  return std::all_of(start.begin(), start.end(), is_text) && std::any_of(start.begin(), start.end(), is_separator);
}

// A file that begins with so much, 4 bytes or more, and is no array.
[[noreturn]] void refuse_what_is_no_array(std::span<const std::uint8_t> start, ItemKind kind, const std::string& path) {
  if (const auto foreign = foreign_content(start.data(), start.size())) throw DataError(foreign->text(path));
  if (may_be_table(start))
    throw DataError(
        fmt::format("{}: is a table, expected {} alone (IDX, .npy): train and eval take a table, with images "
                    "and labels together, by --train and --test, predict by --images",
                    path, items(kind)));
  refuse_idx_magic(start.data(), kind, path);
}

}  // namespace

ItemLayout item_layout(const ArrayHeader& header, ItemKind kind, const std::string& path,
                       std::optional<std::size_t> label_column) {
  check_rank(header, kind, path);
  check_sizes(header, kind, path);
  ItemLayout layout;
  layout.shape.count = header.sizes[0];
  layout.shape.type = header.type;
  layout.header_bytes = header.bytes;
  layout.order = header.order;
  layout.reordered = header.is_reordered();
  if (kind == ItemKind::images)
    lay_out_image(header, path, layout);
  else
    lay_out_label(header, path, label_column, layout);
  layout.item_bytes = layout.values * element_type_bytes(header.type);
  // A class out of several columns is a float.
  layout.type = layout.values == layout.shape.pixels() ? pixel_type(header.type) : Pixel::float32;
  layout.stays = layout.type == Pixel::uint8 && !layout.interleaved;
  return layout;
}

std::optional<ItemLayout> take_layout(std::vector<std::uint8_t>& header, std::span<const std::uint8_t>& data,
                                      ItemKind kind, const std::string& path, std::optional<std::size_t> label_column) {
  const bool complete = take_array_header(header, data, path);
  if (header.size() >= array_start_bytes && !is_array(header)) {
    // What else it is takes more bytes to tell, whatever chunks they come in.
    const auto taken = data.first(std::min(data.size(), foreign_content_bytes - header.size()));
    header.insert(header.end(), taken.begin(), taken.end());
    data = data.subspan(taken.size());
    if (header.size() == foreign_content_bytes) refuse_what_is_no_array(header, kind, path);
    return std::nullopt;
  }
  // Items of another kind are told by the first bytes, also where the file is too short for a header.
  if (header.size() >= array_start_bytes && !is_npy(header)) check_idx_magic(header.data(), kind, path);
  if (!complete) return std::nullopt;
  return item_layout(parse_array_header(header, path), kind, path, label_column);
}

void refuse_short_header(std::span<const std::uint8_t> header, ItemKind kind, const std::string& path) {
  if (is_npy(header))
    throw DataError(fmt::format("{}: ends after {} bytes, expected a NumPy header of {} bytes: was it cut short?", path,
                                header.size(), array_header_bytes(header, path)));
  if (header.size() >= array_start_bytes && !is_array(header)) refuse_what_is_no_array(header, kind, path);
  const std::size_t wanted = is_array(header) ? array_header_bytes(header, path) : idx_header(kind, {}).size();
  throw DataError(fmt::format("{}: ends after {} bytes, expected an IDX header of {} bytes: is it an IDX file of {}?",
                              path, header.size(), wanted, items(kind)));
}

void check_same_items(ItemKind kind, const ItemShape& shape, const std::string& path, const ItemShape& before,
                      const std::string& path_before) {
  const auto text = [&](const ItemShape& s) {
    return kind == ItemKind::images ? pixels_text(s) + ", " + element_type_name(s.type) : element_type_name(s.type);
  };
  if (size_text(shape) == size_text(before) && shape.type == before.type) return;
  throw DataError(fmt::format("{}: {} of {}, expected {} as in {}: do they belong together?", path, items(kind),
                              text(shape), text(before), path_before));
}

}  // namespace sluice::stages
