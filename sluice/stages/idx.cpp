#include <sluice/stages/idx.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include <sluice/stages/big_endian.hpp>
#include <sluice/stages/errors.hpp>

namespace sluice::stages {
namespace {

constexpr std::pair<std::uint8_t, ElementType> types[] = {{0x08, ElementType::uint8},   {0x09, ElementType::int8},
                                                          {0x0b, ElementType::int16},   {0x0c, ElementType::int32},
                                                          {0x0d, ElementType::float32}, {0x0e, ElementType::float64}};

constexpr std::uint32_t rank_of(ItemKind kind) {
  return kind == ItemKind::images ? 3 : 1;
}
std::uint32_t magic_of(ItemKind kind, ElementType type = ElementType::uint8) {
  return std::uint32_t{idx_code(type)} << 8 | rank_of(kind);
}
// Classes are counted: a label of 2.5 is none.
bool is_type_of(std::uint32_t code, ItemKind kind) {
  const auto type = idx_type(code);
  return type && (kind == ItemKind::images || !is_floating(*type));
}

constexpr std::uint32_t zstd = 0x28b52ffd, xz = 0xfd377a58, zip = 0x504b0304, bzip2 = 0x425a68;  // and a digit

std::string compression(std::uint32_t start) {
  const char* const name = start == zstd         ? "zstd"
                           : start == xz         ? "xz"
                           : start == zip        ? "zip"
                           : start >> 8 == bzip2 ? "bzip2"
                                                 : nullptr;
  return name ? fmt::format("is compressed by {}, expected gzip or plain IDX", name) : "";
}

std::string likely_cause(std::uint32_t magic, ItemKind kind) {
  const std::uint32_t type = magic >> 8, rank = magic & 0xff;  // the first dimension counts the items
  const ItemKind other = kind == ItemKind::images ? ItemKind::labels : ItemKind::images;
  if (is_type_of(type, other) && rank == rank_of(other)) return "are images and labels swapped?";
  if (const std::string named = compression(magic); !named.empty()) return "it " + named;
  if (magic >> 16 == 0x1f8b) return "was it compressed twice?";
  if (magic >> 24 == '<') return "an HTML page? The download was redirected: download it again";
  if (magic == 0x01080000 || magic == 0x03080000) return "are its bytes in the wrong order?";
  if (idx_type(type) && rank == rank_of(kind))
    return fmt::format("its labels are {}, expected whole numbers", element_type_name(*idx_type(type)));
  if (idx_type(type) && rank > 0)
    return fmt::format("its items have {} dimension{}, expected {}", rank - 1, rank == 2 ? "" : "s", rank_of(kind) - 1);
  return "is it an IDX file?";
}

}  // namespace

std::string compression(const std::uint8_t* start) {
  return compression(big_endian<std::uint32_t>(start));
}

std::uint8_t idx_code(ElementType type) {
  for (std::size_t i = 0; i < std::size(types); ++i)
    if (types[i].second == type) return types[i].first;
  return 0;
}

std::optional<ElementType> idx_type(std::uint32_t code) {
  for (const auto& [its_code, type] : types)
    if (its_code == code) return type;
  return std::nullopt;
}

std::optional<std::uint64_t> IdxHeader::element_bytes() const {
  if (std::find(sizes.begin(), sizes.end(), 0u) != sizes.end()) return 0;
  std::uint64_t bytes = element_type_bytes(type);
  for (const std::uint64_t size : sizes)
    if (__builtin_mul_overflow(bytes, size, &bytes)) return std::nullopt;
  return bytes;
}

ItemRange items_in(std::uint64_t header, std::uint64_t item, std::uint64_t begin, std::uint64_t end) {
  if (end <= std::max(begin, header)) return {};
  return {begin <= header ? 0 : (begin - header) / item, (end - header + item - 1) / item};
}

std::optional<std::size_t> any_idx_header_bytes(const std::uint8_t* start) {
  if (start[0] != 0 || start[1] != 0 || start[3] == 0 || !idx_type(start[2])) return std::nullopt;
  return 4 + 4 * std::size_t{start[3]};
}

IdxHeader parse_any_idx_header(const std::uint8_t* header) {
  IdxHeader parsed{.type = *idx_type(header[2]), .sizes = {}};
  for (std::size_t i = 0; i < header[3]; ++i) parsed.sizes.push_back(big_endian<std::uint32_t>(header + 4 + 4 * i));
  return parsed;
}

void check_idx_magic(const std::uint8_t* header, ItemKind kind, const std::string& path) {
  const std::uint32_t magic = big_endian<std::uint32_t>(header);
  if (!is_type_of(magic >> 8, kind) || (magic & 0xff) != rank_of(kind))
    throw DataError(fmt::format("{}: IDX magic {:#010x}, expected {:#010x}: {}", path, magic, magic_of(kind),
                                likely_cause(magic, kind)));
}

ItemShape parse_idx_header(const std::uint8_t* header, ItemKind kind, const std::string& path) {
  check_idx_magic(header, kind, path);
  ItemShape shape;
  shape.type = *idx_type(header[2]);
  shape.count = big_endian<std::uint32_t>(header + 4);
  if (kind == ItemKind::images) {
    shape.rows = big_endian<std::uint32_t>(header + 8);
    shape.columns = big_endian<std::uint32_t>(header + 12);
  }
  if (shape.count == 0)
    throw DataError(fmt::format("{}: the header promises 0 {}, expected at least 1: is it damaged?", path,
                                kind == ItemKind::images ? "images" : "labels"));
  if (shape.rows == 0 || shape.columns == 0)
    throw DataError(
        fmt::format("{}: the header promises images of {} x {} pixels, expected at least 1 x 1: is it damaged?", path,
                    shape.rows, shape.columns));
  // With a count below 2^32 no size derived from these overflows 64 bits.
  if (shape.rows > most_pixels / shape.columns)
    throw DataError(
        fmt::format("{}: the header promises images of {} x {} pixels, expected at most {} pixels: is it damaged?",
                    path, shape.rows, shape.columns, most_pixels));
  return shape;
}

void check_same_items(ItemKind kind, const ItemShape& shape, const std::string& path, const ItemShape& before,
                      const std::string& path_before) {
  if (shape.rows == before.rows && shape.columns == before.columns && shape.type == before.type) return;
  throw DataError(kind == ItemKind::images
                      ? fmt::format("{}: images of {} x {} pixels, {}, expected {} x {}, {}, as in {}: do they belong "
                                    "together?",
                                    path, shape.rows, shape.columns, element_type_name(shape.type), before.rows,
                                    before.columns, element_type_name(before.type), path_before)
                      : fmt::format("{}: labels of {}, expected {} as in {}: do they belong together?", path,
                                    element_type_name(shape.type), element_type_name(before.type), path_before));
}

std::vector<std::uint8_t> idx_header(ItemKind kind, const ItemShape& shape) {
  std::vector<std::uint8_t> header;
  const auto add = [&](std::uint64_t word) {
    for (int shift = 24; shift >= 0; shift -= 8) header.push_back(static_cast<std::uint8_t>(word >> shift));
  };
  add(magic_of(kind, shape.type));
  add(shape.count);
  if (kind == ItemKind::images) add(shape.rows), add(shape.columns);
  return header;
}

}  // namespace sluice::stages
