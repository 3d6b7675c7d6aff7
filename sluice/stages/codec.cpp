#include <sluice/stages/codec.hpp>

#include <fmt/core.h>

#include <algorithm>

#include <sluice/stages/codecs.hpp>

namespace sluice::stages {
namespace {

using namespace std::string_view_literals;

constexpr CompressionFacts facts[] = {
    {"gzip", "a", "gzip member", ".gz", "\x1f\x8b"sv, 2, Padding::zeros, "gzip -d", "zlib"},
    {"bzip2", "a", "bzip2 stream", ".bz2", "BZh"sv, 4, Padding::zeros, "bzip2 -d", "libbz2"},
    {"xz", "an", "xz stream", ".xz", "\xfd\x37zXZ\0"sv, 6, Padding::fours_of_zeros, "xz -d", "liblzma"},
    {"zstd", "a", "zstd frame", ".zst", "\x28\xb5\x2f\xfd"sv, 4, Padding::nothing, "zstd -d", "libzstd"},
};

constexpr Compression all[] = {Compression::gzip, Compression::bzip2, Compression::xz, Compression::zstd};

// The byte at this place of a magic.
bool may_be(Compression compression, std::size_t place, std::uint8_t byte) {
  if (compression == Compression::bzip2 && place == 3) return byte >= '1' && byte <= '9';
  return byte == static_cast<std::uint8_t>(facts_of(compression).magic[place]);
}

// 0x50 .. 0x5f, then these.
constexpr std::uint8_t of_skippable_frame[] = {0x2a, 0x4d, 0x18};
bool may_be_skippable(std::size_t place, std::uint8_t byte) {
  return place == 0 ? byte >> 4 == 5 : byte == of_skippable_frame[place - 1];
}

}  // namespace

const CompressionFacts& facts_of(Compression compression) {
  return facts[static_cast<std::size_t>(compression) - 1];
}

std::string_view compression_name(Compression compression) {
  return compression == Compression::none ? "none" : facts_of(compression).name;
}

Compression named_compression(std::string_view path) {
  for (const Compression one : all)
    if (path.ends_with(facts_of(one).extension)) return one;
  return Compression::none;
}

std::optional<bool> begins_as(Compression compression, std::span<const std::uint8_t> start) {
  const std::size_t wanted = facts_of(compression).magic_bytes, n = std::min(start.size(), wanted);
  bool so = true, skippable = compression == Compression::zstd;
  for (std::size_t i = 0; i < n; ++i) {
    so = so && may_be(compression, i, start[i]);
    skippable = skippable && may_be_skippable(i, start[i]);
  }
  if (!so && !skippable) return false;
  return n == wanted ? std::optional(true) : std::nullopt;
}

std::optional<Compression> told_by(std::span<const std::uint8_t> start) {
  bool open = false;
  for (const Compression one : all) {
    const std::optional<bool> begins = begins_as(one, start);
    if (begins == true) return one;
    open = open || !begins;
  }
  return open ? std::nullopt : std::optional(Compression::none);
}

std::unique_ptr<Codec> make_codec(Compression compression, [[maybe_unused]] std::size_t decoder_memory) {
  switch (compression) {
    case Compression::gzip:
      return gzip_codec();
#ifdef SLUICE_BZIP2
    case Compression::bzip2:
      return bzip2_codec();
#endif
#ifdef SLUICE_LZMA
    case Compression::xz:
      return xz_codec(decoder_memory);
#endif
#ifdef SLUICE_ZSTD
    case Compression::zstd:
      return zstd_codec(decoder_memory);
#endif
    default:
      return nullptr;
  }
}

std::string codec_version(Compression compression) {
  switch (compression) {
    case Compression::gzip:
      return gzip_codec_version();
#ifdef SLUICE_BZIP2
    case Compression::bzip2:
      return bzip2_codec_version();
#endif
#ifdef SLUICE_LZMA
    case Compression::xz:
      return xz_codec_version();
#endif
#ifdef SLUICE_ZSTD
    case Compression::zstd:
      return zstd_codec_version();
#endif
    default:
      return {};
  }
}

void refuse_memory(std::string_view what, std::uint64_t bytes, std::size_t decoder_memory,
                   std::uint64_t most_of_library) {
  constexpr std::uint64_t mebibyte = 1 << 20;
  const std::uint64_t wanted = bytes / mebibyte + (bytes % mebibyte > 0);
  if (bytes > most_of_library)
    throw RefusedMember(fmt::format("needs {} of {} MiB, more than the {} that are ever taken: is it damaged?", what,
                                    wanted, most_of_library / mebibyte));
  throw RefusedMember(
      fmt::format("needs {} of {} MiB, more than the {:g} that it may take: --decoder-memory {} allows it", what,
                  wanted, static_cast<double>(decoder_memory) / mebibyte, wanted));
}

}  // namespace sluice::stages
