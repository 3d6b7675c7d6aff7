#include <sluice/stages/set_format.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include <sluice/stages/array_header.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/foreign_content.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/npz_keys.hpp>
#include <sluice/stages/one_line.hpp>
#include <sluice/stages/zip_member.hpp>

namespace sluice::stages {
namespace {

bool has_start(const Chunk& chunk) {
  return chunk.size >= array_start_bytes;
}

std::string key_of(const std::string& path, SetPart part, bool labels) {
  const bool train = part == SetPart::train;
  const NpzKeys keys = find_npz_keys(path, npz_arrays(path), {.train = train, .test = !train, .labels = labels});
  return labels ? (train ? keys.train_labels : keys.test_labels) : (train ? keys.train_images : keys.test_images);
}

// A zip that people pack their files into is none of arrays.
void check_arrays(const std::string& path) {
  const std::vector<ZipEntry> entries = zip_entries(path);
  const auto is_npy = [](const ZipEntry& entry) { return entry.name.ends_with(".npy"); };
  if (std::any_of(entries.begin(), entries.end(), is_npy)) return;
  std::string names;
  constexpr std::size_t most_named = 5;
  for (std::size_t i = 0; i < std::min(entries.size(), most_named); ++i)
    names += (i ? ", " : "") + one_line(entries[i].name);
  throw DataError(
      fmt::format("{}: is a zip archive ({}{}), and has no .npy in it, as .npz files have: unpack it, and name "
                  "the files within",
                  path, names.empty() ? "empty" : names, entries.size() > most_named ? ", ..." : ""));
}

InputFiles find(const InputFiles& files, SetPart part, const std::string& key, bool labels) {
  for (const std::string& path : files.paths()) check_arrays(path);
  if (!key.empty()) return files.with_member(npz_member(key));
  return files.with_member(npz_member(key_of(files.paths().front(), part, labels)));
}

}  // namespace

SetFormat set_format(const InputFiles& files, std::size_t decoder_memory) {
  if (files.is_standard_input()) return SetFormat::table;
  const std::string& path = files.paths().front();
  std::error_code none;
  if (std::filesystem::exists(path, none) && !std::filesystem::is_regular_file(path, none) &&
      !std::filesystem::is_directory(path, none))
    return SetFormat::table;
  Chunk start;
  Inflate inflate{
      .path = path, .chunk_bytes = foreign_content_bytes, .read_bytes = 16 * 1024, .decoder_memory = decoder_memory};
  if (!inflate(start)) throw DataError(path + ": decodes to nothing, expected data");
  if (has_start(start) && is_zip(start.data)) return SetFormat::zip;
  if (has_start(start) && is_array(std::span(start.data, start.size))) return SetFormat::arrays;
  if (const auto foreign = foreign_content(start.data, start.size)) throw DataError(foreign->text(path));
  return SetFormat::table;
}

ImagesAndLabels find_in_files(const InputFiles& files, SetPart part, const SetKeys& keys, std::size_t decoder_memory) {
  switch (set_format(files, decoder_memory)) {
    case SetFormat::table:
      return {files.as_table(), files.as_table()};
    case SetFormat::zip:
      return {find(files, part, keys.images, false), find(files, part, keys.labels, true)};
    case SetFormat::arrays:
      break;
  }
  throw DataError(fmt::format(
      "{}: is an array, of images or of labels alone, expected both in one file (.npz, CSV): name "
      "two files, {}",
      files.name(), part == SetPart::train ? "--train-images and --train-labels" : "--test-images and --test-labels"));
}

InputFiles find_images(const InputFiles& files, SetPart part, const std::string& key, std::size_t decoder_memory) {
  switch (set_format(files, decoder_memory)) {
    case SetFormat::table:
      return files.as_table();
    case SetFormat::zip:
      return find(files, part, key, false);
    case SetFormat::arrays:
      break;
  }
  return files;
}

InputFiles with_member_of_zip(const InputFiles& files, SetPart part, const std::string& key, bool labels) {
  std::error_code none;
  if (files.paths().empty() || !std::filesystem::is_regular_file(files.paths().front(), none)) return files;
  std::array<char, array_start_bytes> start{};
  std::ifstream(files.paths().front(), std::ios::binary).read(start.data(), start.size());
  return is_zip(reinterpret_cast<const std::uint8_t*>(start.data())) ? find(files, part, key, labels) : files;
}

}  // namespace sluice::stages
