#include <sluice/stages/foreign_content.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include <sluice/stages/one_line.hpp>

namespace sluice::stages {
namespace {

constexpr const char* download_again = "a download that was redirected or refused? Download it again";
constexpr const char* make_npy = "make .npy files of it, with a line of Python (docs/data.md)";
constexpr const char* unpack = "unpack it, and name the files within";
constexpr std::string_view zip_magic = "PK\x03\x04";

struct Beginning {
  std::string_view bytes;
  const char *what, *remedy;
  std::size_t at = 0;
};

using namespace std::string_view_literals;

// The header of a table may begin with PAR1 or GIF8, too. What follows the mark of Parquet is the first field of a page
// or of the metadata, a number of 32 bits: no text has that byte.
constexpr Beginning beginnings[] = {
    {"version https://git-lfs.github.com/spec/"sv, "a Git LFS pointer, which stands for the file itself",
     "run 'git lfs pull' where it was cloned"},
    {zip_magic, "a zip archive", unpack},
    {"PK\x05\x06"sv, "a zip archive with nothing in it", "download it again"},
    {"7z\xbc\xaf\x27\x1c"sv, "a 7z archive", unpack},
    {"Rar!\x1a\x07"sv, "a rar archive", unpack},
    {"ustar"sv, "a tar archive", unpack, 257},
    {"\x89HDF\r\n\x1a\n"sv, "an HDF5 file", make_npy},
    {"PAR1\x15"sv, "a Parquet file", make_npy},
    {"MATLAB 5.0 MAT-file"sv, "a MAT-file", make_npy},
    {"SQLite format 3\0"sv, "an SQLite database", "export the table as CSV"},
    {"\x89PNG\r\n\x1a\n"sv, "one picture, a PNG", "a set of pictures in one file is expected (docs/data.md)"},
    {"\xff\xd8\xff"sv, "one picture, a JPEG", "a set of pictures in one file is expected (docs/data.md)"},
    {"GIF87a"sv, "one picture, a GIF", "a set of pictures in one file is expected (docs/data.md)"},
    {"GIF89a"sv, "one picture, a GIF", "a set of pictures in one file is expected (docs/data.md)"},
    {"%PDF-"sv, "a PDF document", download_again},
};

// Pages, by what they begin with behind blanks and a byte-order mark, in small letters.
constexpr Beginning pages[] = {{"<!doctype html"sv, "an HTML page", download_again},
                               {"<html"sv, "an HTML page", download_again},
                               {"<head"sv, "an HTML page", download_again},
                               {"<?xml"sv, "an XML page", download_again},
                               {"<"sv, "an HTML or XML page", download_again}};

std::string_view trimmed(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  return text;
}

std::string small(std::string_view text) {
  std::string out(text.substr(0, 32));
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

// Of the first member of a zip file; it is behind 30 bytes, of which two say how long it is.
std::string_view first_member(std::string_view zip) {
  constexpr std::size_t size_at = 26, name_at = 30;
  if (zip.size() < name_at) return {};
  const auto byte = [&](std::size_t at) { return std::size_t{static_cast<unsigned char>(zip[at])}; };
  return zip.substr(name_at, byte(size_at) | byte(size_at + 1) << 8);
}

// {"name": or [{"name": ; an array of numbers may be anything.
bool is_json(std::string_view text) {
  if (text.starts_with('[')) text = trimmed(text.substr(1));
  if (!text.starts_with('{')) return false;
  text = trimmed(text.substr(1));
  return text.starts_with('"') || text.starts_with('}');
}

}  // namespace

std::string ForeignContent::text(const std::string& path) const {
  return fmt::format("{}: is {}, expected data to train on or a model: {}", path, what, remedy);
}

std::optional<ForeignContent> foreign_content(const std::uint8_t* start, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(start), std::min(size, foreign_content_bytes));
  if (bytes.starts_with(zip_magic)) {
    const std::string_view member = first_member(bytes);
    if (member.ends_with(".npy"))
      return ForeignContent{"an .npz file in a pipe, or compressed once more",
                            "name the .npz file itself, decompressed (gzip -d)"};
    if (member == "[Content_Types].xml") return ForeignContent{"a spreadsheet", "save it as CSV"};
  }
  for (const Beginning& one : beginnings)
    if (bytes.substr(std::min(one.at, bytes.size())).starts_with(one.bytes))
      return ForeignContent{one.what, one.remedy};
  const std::string_view text = trimmed(bytes);
  const std::string beginning = small(text);
  for (const Beginning& page : pages)
    if (beginning.starts_with(page.bytes)) return ForeignContent{page.what, page.remedy};
  if (is_json(text))
    return ForeignContent{fmt::format("JSON ({})", one_line(text)), "the error of a server? Download it again"};
  return std::nullopt;
}

}  // namespace sluice::stages
