#include <sluice/stages/stored_pieces.hpp>

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>

#include <sluice/stages/fields.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/pieced_file.hpp>

namespace sluice::stages {
namespace {

constexpr std::string_view magic = "sluice pieces 1\n";

std::uint32_t crc_of(std::string_view bytes) {
  return crc32_of({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

}  // namespace

std::string stored_pieces(const PieceIndex& index) {
  std::string all(magic);
  put_field(all, index.entries.size(), 8);
  for (const PieceIndex::Entry& e : index.entries) {
    for (const std::uint64_t n : {e.begin, e.end, e.offset, std::uint64_t{e.size}}) put_field(all, n, 8);
    for (const std::uint32_t n : {e.crc, e.crc_of_file, e.crc_before}) put_field(all, n, 4);
    put_field(all, e.last, 1);
    put_field(all, e.window.size(), 4);
    all.append(e.window.begin(), e.window.end());
  }
  put_field(all, index.crc_behind, 4);
  put_field(all, crc_of(all), 4);
  return all;
}

std::shared_ptr<const PieceIndex> pieces_stored(std::string_view bytes, const std::string& path,
                                                std::size_t most_windows) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return nullptr;
  if (bytes.size() < magic.size() + 4 || !bytes.starts_with(magic)) return nullptr;
  const std::size_t checked = bytes.size() - 4;
  if (Fields(bytes.substr(checked)).number(4) != crc_of(bytes.substr(0, checked))) return nullptr;
  Fields in(bytes.substr(magic.size(), checked - magic.size()));
  auto index = std::make_shared<PieceIndex>();
  index->stamp = Stamp::of(status);
  const auto file_bits = static_cast<std::uint64_t>(status.st_size) * 8;
  std::uint64_t end = 0, offset = 0, windows = 0;
  for (std::uint64_t left = in.number(8); left > 0; --left) {
    PieceIndex::Entry& e = index->entries.emplace_back();
    e.begin = in.number(8), e.end = in.number(8), e.offset = in.number(8);
    const std::uint64_t size = in.number(8);
    e.crc = static_cast<std::uint32_t>(in.number(4)), e.crc_of_file = static_cast<std::uint32_t>(in.number(4));
    e.crc_before = static_cast<std::uint32_t>(in.number(4));
    e.last = in.number(1) != 0;
    const std::string_view window = in.text(in.number(4));
    if (!in.whole() || window.size() > deflate_window) return nullptr;
    e.window.assign(window.begin(), window.end());
    // In order, within the file, and none of more than is ever decoded at a time.
    if (e.begin < end || e.end < e.begin || e.end > file_bits || (e.last && e.end % 8 != 0)) return nullptr;
    if (e.offset != offset || size > most_of_read_piece || e.end - e.begin > (size + size / 8 + 16 * 1024) * 8)
      return nullptr;
    e.size = static_cast<std::size_t>(size);
    end = e.end, offset += size;
    windows += sizeof e + window.size();
    if (windows > most_windows) return nullptr;
  }
  index->crc_behind = static_cast<std::uint32_t>(in.number(4));
  return in.whole() && in.left() == 0 ? index : nullptr;
}

}  // namespace sluice::stages
