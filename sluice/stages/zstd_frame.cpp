#include <sluice/stages/zstd_frame.hpp>

#include <algorithm>

#include <sluice/stages/codec.hpp>

namespace sluice::stages {
namespace {

constexpr std::size_t magic_bytes = 4, size_bytes = 4;  // of a skippable frame

std::uint64_t little_endian(std::span<const std::uint8_t> bytes) {
  std::uint64_t n = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) n = n << 8 | bytes[i];
  return n;
}

bool is_skippable(std::span<const std::uint8_t> start) {
  return start[0] >> 4 == 5;
}

// The byte behind the magic number says which fields follow.
struct Descriptor {
  explicit Descriptor(std::uint8_t byte)
      : content(byte >> 6 == 0 ? (byte >> 5 & 1) : std::size_t{1} << (byte >> 6)),
        dictionary(std::size_t{1} << (byte & 3) >> 1),
        single_segment(byte >> 5 & 1),
        reserved(byte >> 3 & 1),
        checksum(byte >> 2 & 1) {}
  std::size_t window() const { return single_segment ? 0 : 1; }
  std::size_t all() const { return window() + dictionary + content; }
  std::size_t content, dictionary;  // bytes of the fields
  bool single_segment, reserved, checksum;
};

// 3.1.1.1.2
std::uint64_t window_of(std::uint8_t byte) {
  const std::uint64_t base = std::uint64_t{1} << (10 + (byte >> 3));
  return base + base / 8 * (byte & 7);
}

}  // namespace

std::size_t zstd_header_bytes(std::span<const std::uint8_t> start) {
  if (start.size() <= magic_bytes) return magic_bytes + 1;
  if (is_skippable(start)) return magic_bytes + size_bytes;
  return magic_bytes + 1 + Descriptor(start[magic_bytes]).all();
}

std::optional<ZstdHeader> parse_zstd_header(std::span<const std::uint8_t> start) {
  if (begins_as(Compression::zstd, start) != true || start.size() < zstd_header_bytes(start)) return std::nullopt;
  ZstdHeader header{.bytes = zstd_header_bytes(start), .skippable = is_skippable(start), .content = {}};
  if (header.skippable) {
    header.skipped = little_endian(start.subspan(magic_bytes, size_bytes));
    return header;
  }
  const Descriptor fields(start[magic_bytes]);
  if (fields.reserved) return std::nullopt;
  header.checksum = fields.checksum;
  std::span<const std::uint8_t> rest = start.subspan(magic_bytes + 1);
  if (!fields.single_segment) header.window = window_of(rest[0]);
  rest = rest.subspan(fields.window());
  header.dictionary = static_cast<std::uint32_t>(little_endian(rest.first(fields.dictionary)));
  if (fields.content > 0) {
    constexpr std::uint64_t least_of_two_bytes = 256;
    header.content =
        little_endian(rest.subspan(fields.dictionary, fields.content)) + (fields.content == 2 ? least_of_two_bytes : 0);
  }
  if (fields.single_segment) header.window = *header.content;
  return header;
}

std::optional<ZstdBlock> parse_zstd_block(const std::uint8_t* header, std::uint64_t window) {
  enum Type : std::uint32_t { raw, run, compressed, reserved };
  constexpr std::uint64_t most_of_block = 128 * 1024;
  const auto bits = static_cast<std::uint32_t>(little_endian({header, zstd_block_header_bytes}));
  const std::size_t size = bits >> 3;
  const std::uint32_t type = bits >> 1 & 3;
  if (type == reserved) return std::nullopt;
  return ZstdBlock{.bytes = type == run ? 1 : size,
                   .decoded = type == compressed ? static_cast<std::size_t>(std::min(window, most_of_block)) : size,
                   .last = (bits & 1) != 0};
}

}  // namespace sluice::stages
