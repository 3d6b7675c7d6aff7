// Zip files as bytes, put together by hand, sound ones and such whose directory lies.
//
//   zip_file({{.name = "a.npy", .data = bytes}, {.name = "b.npy", .data = bytes, .deflated = false}})
//
// Format: PKWARE's APPNOTE.TXT 6.3.10, 4.3.7 (local header), 4.3.9 (data descriptor), 4.3.12 (directory), 4.3.14
// to 4.3.16 (its end), 4.5.3 (ZIP64).
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/gzip.hpp"

namespace sluice::test {

// How a member's sizes are written.
enum class ZipSizes { plain, zip64, descriptor };

struct ZipPart {
  std::string name;
  std::string data;  // decoded
  bool deflated = true;
  ZipSizes sizes = ZipSizes::plain;
  // What the directory says, where it is not so.
  std::optional<std::uint64_t> size{}, stored{}, offset{};
  std::optional<std::uint32_t> crc{};
  std::optional<std::uint16_t> method{};
  std::uint16_t flags = 0;
  std::optional<std::string> bytes{};  // in the file, where they are not its compressed data
};

namespace detail {

inline std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> 8 * i & 0xff);
  return text;
}

}  // namespace detail

// disk: of the end of the directory, more than 0 in the last part of a split file. zip64: its end is of ZIP64.
inline std::string zip_file(const std::vector<ZipPart>& parts, std::uint16_t disk = 0, bool zip64 = false) {
  using detail::number;
  std::string file, directory;
  for (const ZipPart& part : parts) {
    const std::string bytes = part.bytes ? *part.bytes : part.deflated ? deflate_blocks(part.data, true) : part.data;
    const auto crc = part.crc.value_or(static_cast<std::uint32_t>(
        crc32(0, reinterpret_cast<const Bytef*>(part.data.data()), static_cast<unsigned>(part.data.size()))));
    const std::uint64_t size = part.size.value_or(part.data.size()), stored = part.stored.value_or(bytes.size()),
                        offset = part.offset.value_or(file.size());
    const bool large = part.sizes == ZipSizes::zip64, behind = part.sizes == ZipSizes::descriptor;
    const auto method = part.method.value_or(part.deflated ? 8 : 0);
    const std::string both = number(behind ? 0 : stored, large ? 8 : 4) + number(behind ? 0 : size, large ? 8 : 4);
    const std::string fields = number(large ? 45 : 20, 2) + number(part.flags | (behind ? 8u : 0u), 2) +
                               number(method, 2) + number(0, 2) + number(0x21, 2);
    const std::string extra = number(1, 2) + number(16, 2) + number(size, 8) + number(stored, 8);
    file += "PK\3\4" + fields + number(behind ? 0 : crc, 4) + (large ? std::string(8, '\xff') : both) +
            number(part.name.size(), 2) + number(large ? extra.size() : 0, 2) + part.name + (large ? extra : "") +
            bytes;
    if (behind) file += "PK\7\b" + number(crc, 4) + number(stored, 4) + number(size, 4);
    // As numpy.savez: where they fit, the directory has them plain.
    directory += "PK\1\2" + number(large ? 45 : 20, 2) + fields + number(crc, 4) + number(stored, 4) + number(size, 4) +
                 number(part.name.size(), 2) + number(0, 2) + number(0, 2) + number(0, 2) + number(0, 2) +
                 number(0, 4) + number(offset, 4) + part.name;
  }
  const std::size_t begin = file.size(), count = parts.size();
  file += directory;
  if (zip64)
    file += "PK\6\6" + number(44, 8) + number(45, 2) + number(45, 2) + number(0, 4) + number(0, 4) + number(count, 8) +
            number(count, 8) + number(directory.size(), 8) + number(begin, 8) + "PK\6\7" + number(0, 4) +
            number(begin + directory.size(), 8) + number(1, 4);
  file += "PK\5\6" + number(disk, 2) + number(disk, 2) + number(zip64 ? 0xffff : count, 2) +
          number(zip64 ? 0xffff : count, 2) + number(zip64 ? 0xffffffff : directory.size(), 4) +
          number(zip64 ? 0xffffffff : begin, 4) + number(0, 2);
  return file;
}

}  // namespace sluice::test
