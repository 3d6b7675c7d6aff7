// sluice index: where pieces of gzip files begin, into a file beside each.
#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include <sluice/pipeline/printable.hpp>
#include <sluice/stages/blocks.hpp>
#include <sluice/stages/codec.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/gzip_index.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/regular_file.hpp>
#include <sluice/stages/replacement.hpp>
#include "apps/commands/commands.hpp"
#include "apps/job/settings.hpp"
#include "apps/job/usage_error.hpp"
#include "apps/terminal/log.hpp"
#include "apps/terminal/standard_output.hpp"

namespace sluice::apps {
namespace {

using namespace stages;

// Decoded bytes of a piece: of a large file they are larger, so that its index stays small; never more than are used.
std::size_t span_of(const std::string& path) {
  std::error_code none;
  const std::uintmax_t size = std::filesystem::file_size(path, none);
  constexpr std::uintmax_t least = 320 * 1024, most = most_of_read_piece / 3 * 2;
  return static_cast<std::size_t>(std::clamp<std::uintmax_t>(none ? 0 : size / 256, least, most));
}

// Nothing: no piece can begin within it. Throws for what is no sound gzip file.
std::optional<GzipIndex> index_of(const std::string& path) {
  GzipPieces pieces{.path = path, .span = span_of(path), .index_bytes = std::size_t{1} << 40};
  Piece piece;
  while (pieces(piece)) continue;
  return pieces.found();
}

const std::string index_magic = std::string(8, '\0') + "gzipind";

bool begins(const std::string& path, const std::string& bytes) {
  std::ifstream file(path, std::ios::binary);
  std::string start(bytes.size(), '\0');
  return file.read(start.data(), static_cast<std::streamsize>(start.size())) && start == bytes;
}

// Somebody's index may be replaced, nothing else.
void check_place(const std::string& to) {
  check_writable(to);
  std::error_code none;
  if (std::filesystem::exists(to, none) && !begins(to, index_magic))
    throw UsageError(to + ": is where the index would be written, and is none: move it, or name an --index-cache");
}

}  // namespace

int index(const IndexOptions& o) {
  if (!decodes_pieces()) throw UsageError("this program was built without libdeflate, which decodes by an index");
  check_index_folder(o.folder);
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  std::set<std::string> indexes;
  for (const std::string& path : o.files)
    if (const std::string to = gzip_index_path(path, o.folder); !indexes.insert(to).second)
      throw UsageError(fmt::format("{}: the index of another of these files is {}, too", path, to));
  for (const std::string& path : o.files) {
    const std::string to = gzip_index_path(path, o.folder);
    if (begins(path, index_magic)) {
      say(log_line(path + ": is an index itself"));
      continue;
    }
    check_place(to);
    if (std::error_code none; std::filesystem::is_regular_file(path, none) && !begins(path, "\x1f\x8b") &&
                              (!path.ends_with(".gz") || compression_of(RegularFile(path)) != Compression::none))
      throw DataError(path + ": is not gzip-compressed, and needs no index");
    const std::optional<GzipIndex> indexed = index_of(path);
    if (std::error_code none; !indexed) {
      say(log_line(fmt::format("{}: no index: {}", path,
                               std::filesystem::is_regular_file(path, none)
                                   ? "it has no blocks that pieces could begin with (as stored ones)"
                                   : "it is no file")));
      continue;
    }
    const GzipIndex& found = *indexed;
    const std::string bytes = gzip_index_bytes(found);
    if (bytes.size() > most_gzip_index || found.points.size() > most_gzip_points)
      throw DataError(
          fmt::format("{}: its index would have {} bytes and {} points, more than the {} and {} that are used", path,
                      bytes.size(), found.points.size(), most_gzip_index, most_gzip_points));
    Replacement file(to);
    file.write(bytes.data(), bytes.size());
    file.commit();
    if (o.json)
      all.push_back({{"file", path},
                     {"index", to},
                     {"points", found.points.size()},
                     {"decoded_bytes", found.decoded},
                     {"bytes", bytes.size()}});
    else
      write_to_stdout(fmt::format("{}: {} piece{} of {} decoded bytes, {} bytes\n", printable(to), found.points.size(),
                                  found.points.size() == 1 ? "" : "s", found.decoded, bytes.size()));
  }
  if (o.json) write_json_to_stdout({{"files", all}});
  return 0;
}

}  // namespace sluice::apps
