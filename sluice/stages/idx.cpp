#include <sluice/stages/idx.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

#include <sluice/stages/big_endian.hpp>
#include <sluice/stages/codec.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/item_layout.hpp>

namespace sluice::stages {
namespace {

constexpr std::pair<std::uint8_t, ElementType> types[] = {{0x08, ElementType::uint8},   {0x09, ElementType::int8},
                                                          {0x0b, ElementType::int16},   {0x0c, ElementType::int32},
                                                          {0x0d, ElementType::float32}, {0x0e, ElementType::float64}};

// The usual one, of grey images or of one number a label.
std::uint32_t magic_of(ItemKind kind, ElementType type = ElementType::uint8) {
  return std::uint32_t{idx_code(type)} << 8 | (kind == ItemKind::images ? 3u : 1u);
}

std::string likely_cause(const std::uint8_t* header, std::uint32_t magic, ItemKind kind) {
  const std::uint32_t type = magic >> 8, rank = magic & 0xff;  // the first dimension counts the items
  const auto [fewest, most] = item_ranks(kind);
  if (idx_type(type) && rank > 0 && (kind == ItemKind::images ? rank < fewest : rank > most))
    return "are images and labels swapped?";
  if (idx_type(type) && rank > 0)
    return fmt::format("its items have {} dimensions, expected {} to {}", rank - 1, fewest - 1, most - 1);
  if (const std::string named = still_compressed(header); !named.empty()) return "it " + named;
  if (magic == 0x01080000 || magic == 0x03080000) return "are its bytes in the wrong order?";
  return "is it an IDX file, or one of NumPy's?";
}

}  // namespace

std::string still_compressed(const std::uint8_t* start) {
  for (const Compression one : {Compression::gzip, Compression::bzip2, Compression::xz, Compression::zstd})
    if (begins_as(one, {start, 4}) != false)
      return fmt::format("is compressed by {} within: was it compressed twice?", compression_name(one));
  return {};
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

ItemRange items_in(std::uint64_t header, std::uint64_t item, std::uint64_t begin, std::uint64_t end) {
  if (end <= std::max(begin, header)) return {};
  return {begin <= header ? 0 : (begin - header) / item, (end - header + item - 1) / item};
}

std::optional<std::size_t> any_idx_header_bytes(const std::uint8_t* start) {
  if (start[0] != 0 || start[1] != 0 || start[3] == 0 || !idx_type(start[2])) return std::nullopt;
  return 4 + 4 * std::size_t{start[3]};
}

ArrayHeader parse_any_idx_header(const std::uint8_t* header) {
  ArrayHeader parsed{
      .type = *idx_type(header[2]), .order = std::endian::big, .sizes = {}, .bytes = *any_idx_header_bytes(header)};
  for (std::size_t i = 0; i < header[3]; ++i) parsed.sizes.push_back(big_endian<std::uint32_t>(header + 4 + 4 * i));
  return parsed;
}

void check_idx_magic(const std::uint8_t* header, ItemKind kind, const std::string& path) {
  const std::uint32_t magic = big_endian<std::uint32_t>(header);
  const auto [fewest, most] = item_ranks(kind);
  if (!idx_type(magic >> 8) || (magic & 0xff) < fewest || (magic & 0xff) > most) refuse_idx_magic(header, kind, path);
}

void refuse_idx_magic(const std::uint8_t* header, ItemKind kind, const std::string& path) {
  const std::uint32_t magic = big_endian<std::uint32_t>(header);
  throw DataError(fmt::format("{}: IDX magic {:#010x}, expected {:#010x}: {}", path, magic, magic_of(kind),
                              likely_cause(header, magic, kind)));
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
