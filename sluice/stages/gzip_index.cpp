#include <sluice/stages/gzip_index.hpp>

#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>
#include <system_error>

#include <sluice/stages/deflate_piece.hpp>
#include <sluice/stages/fields.hpp>

namespace sluice::stages {
namespace {

constexpr std::string_view zeros{"\0\0\0\0\0\0\0\0", 8}, plain = "gzipindx", with_lines = "gzipindX";

}  // namespace

std::string packed_window(std::span<const std::uint8_t> window) {
  uLongf size = compressBound(static_cast<uLong>(window.size()));
  std::string packed(size, '\0');
  if (compress2(reinterpret_cast<Bytef*>(packed.data()), &size, window.data(), static_cast<uLong>(window.size()), 6) !=
      Z_OK)
    throw std::bad_alloc();
  packed.resize(size);
  return packed;
}

std::optional<std::size_t> unpack_window(std::string_view packed, std::uint8_t* to) {
  uLongf size = deflate_window;
  const int result = uncompress(to, &size, reinterpret_cast<const Bytef*>(packed.data()), packed.size());
  if (result == Z_MEM_ERROR) throw std::bad_alloc();
  return result == Z_OK && size > 0 ? std::optional<std::size_t>(size) : std::nullopt;
}

std::string gzip_index_bytes(const GzipIndex& index) {
  std::string bytes(zeros);
  bytes += plain;
  for (int twice = 0; twice < 2; ++twice) put_field(bytes, index.points.size(), 8);
  for (const GzipPoint& p : index.points) {
    put_field(bytes, p.offset, 8);
    put_field(bytes, (p.bit + 7) / 8, 8);
    put_field(bytes, (8 - p.bit % 8) % 8, 4);
    put_field(bytes, p.window.size(), 4);
    bytes += p.window;
  }
  put_field(bytes, index.decoded, 8);
  return bytes;
}

std::optional<GzipIndex> parse_gzip_index(std::string_view bytes, std::uint64_t file_bytes) {
  Fields fields(bytes);
  if (fields.text(8) != zeros) return std::nullopt;
  const std::string_view kind = fields.text(8);
  const bool lines = kind == with_lines;
  if (kind != plain && !lines) return std::nullopt;
  if (lines) fields.number(4);
  const std::uint64_t count = fields.number(8);
  // One that is being written has another second number.
  if (count == 0 || fields.number(8) != count || count > fields.left() / 24 || count > most_gzip_points)
    return std::nullopt;
  GzipIndex index;
  index.points.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) {
    GzipPoint p;
    p.offset = fields.number(8);
    const std::uint64_t byte = fields.number(8), bits = fields.number(4);
    p.window = fields.text(fields.number(4));
    if (lines) fields.number(8);
    if (!fields.whole() || bits > 7 || byte == 0 || byte > file_bytes) return std::nullopt;
    p.bit = byte * 8 - bits;
    const bool first = index.points.empty();
    if (first ? p.offset != 0 || !p.window.empty()
              : p.offset <= index.points.back().offset || p.bit <= index.points.back().bit)
      return std::nullopt;
    if (p.window.empty() && p.bit % 8 != 0) return std::nullopt;
    index.points.push_back(std::move(p));
  }
  index.decoded = fields.number(8);
  if (lines) fields.number(8);
  if (!fields.whole() || fields.left() > 0 || index.decoded <= index.points.back().offset) return std::nullopt;
  return index;
}

std::optional<GzipIndex> read_gzip_index(const std::string& path, std::uint64_t file_bytes) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error || size > most_gzip_index) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  if (!file.read(bytes.data(), static_cast<std::streamsize>(size))) return std::nullopt;
  return parse_gzip_index(bytes, file_bytes);
}

std::size_t largest_piece(const GzipIndex& index) {
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < index.points.size(); ++i) {
    const std::uint64_t end = i + 1 < index.points.size() ? index.points[i + 1].offset : index.decoded;
    most = std::max(most, end - index.points[i].offset);
  }
  return static_cast<std::size_t>(most);
}

std::string gzip_index_path(const std::string& path, const std::string& folder) {
  std::filesystem::path name = path.ends_with(".gz") ? path.substr(0, path.size() - 3) : path;
  name += ".gzi";
  return folder.empty() ? name.string() : (std::filesystem::path(folder) / name.filename()).string();
}

}  // namespace sluice::stages
