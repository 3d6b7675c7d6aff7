#include <sluice/stages/decoder_bytes.hpp>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <sluice/stages/blocks.hpp>
#include <sluice/stages/codec.hpp>
#include <sluice/stages/regular_file.hpp>

namespace sluice::stages {
namespace {

constexpr std::size_t of_zlib = 48 * 1024;  // a window, tables
// The manual of bzip2 1.0.8, 2.6: 100 kB and four bytes for each of a block, whose size is 900 kB at most.
constexpr std::size_t of_bzip2 = 3'700'000;

// What may be anything.
bool may_be_waited_for(const std::string& path) {
  std::error_code none;
  const auto status = std::filesystem::status(path, none);
  return std::filesystem::exists(status) && std::filesystem::is_other(status);
}

}  // namespace

std::size_t decoder_bytes(const std::string& path, int input, std::size_t decoder_memory) {
  const std::size_t most = decoder_memory + beside_window;
  if (input >= 0 || may_be_waited_for(path)) return std::max(of_bzip2, most);
  const RegularFile file(path);
  switch (compression_of(file)) {
    case Compression::bzip2:
      return of_bzip2;
#ifdef SLUICE_LZMA
    case Compression::xz:
      return std::min(most, xz_decoder_bytes(file).value_or(most));
#endif
#ifdef SLUICE_ZSTD
    case Compression::zstd:
      return std::min(most, zstd_decoder_bytes(file).value_or(most));
#endif
    default:
      return of_zlib;
  }
}

}  // namespace sluice::stages
