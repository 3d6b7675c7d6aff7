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

bool is_file(const std::string& path) {
  std::error_code none;
  return std::filesystem::is_regular_file(path, none);
}

// As it lies there, not as it is decoded.
bool is_zip_file(const std::string& path) {
  if (!is_file(path)) return false;
  std::array<char, array_start_bytes> start{};
  std::ifstream(path, std::ios::binary).read(start.data(), start.size());
  return is_zip(reinterpret_cast<const std::uint8_t*>(start.data()));
}

SetFormat format_of(const std::string& path, std::size_t decoder_memory) {
  std::error_code none;
  if (std::filesystem::exists(path, none) && !is_file(path) && !std::filesystem::is_directory(path, none))
    return SetFormat::table;
  if (is_zip_file(path)) return SetFormat::zip;
  Chunk start;
  Inflate inflate{
      .path = path, .chunk_bytes = foreign_content_bytes, .read_bytes = 16 * 1024, .decoder_memory = decoder_memory};
  if (!inflate(start)) throw DataError(path + ": decodes to nothing, expected data");
  if (is_array(std::span(start.data, start.size))) return SetFormat::arrays;
  if (const auto foreign = foreign_content(start.data, start.size)) throw DataError(foreign->text(path));
  return SetFormat::table;
}

const char* article_and_name(SetFormat format) {
  return format == SetFormat::zip ? "an .npz file" : format == SetFormat::arrays ? "an array" : "a table";
}

std::string key_of(const std::string& path, SetPart part, bool labels) {
  const NpzKeys keys = find_npz_keys(path, npz_arrays(path),
                                     {.train = part == SetPart::train,
                                      .test = part == SetPart::test,
                                      .validation = part == SetPart::validation,
                                      .labels = labels});
  switch (part) {
    case SetPart::train:
      return labels ? keys.train_labels : keys.train_images;
    case SetPart::test:
      return labels ? keys.test_labels : keys.test_images;
    case SetPart::validation:
      break;
  }
  return labels ? keys.validation_labels : keys.validation_images;
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
  for (const std::string& path : files.paths()) {
    if (!is_zip_file(path))
      throw DataError(path + ": is no .npz file, as others of its list are, expected files of one format in a list");
    check_arrays(path);
  }
  if (!key.empty()) return files.with_member(npz_member(key));
  return files.with_member(npz_member(key_of(files.paths().front(), part, labels)));
}

}  // namespace

SetFormat set_format(const InputFiles& files, std::size_t decoder_memory) {
  if (files.is_standard_input()) return SetFormat::table;
  const std::string& first = files.paths().front();
  const SetFormat format = format_of(first, decoder_memory);
  for (const std::string& path : files.paths())
    if (const SetFormat its = path == first ? format : format_of(path, decoder_memory); its != format)
      throw DataError(
          fmt::format("{}: is {}, and {} is {}, expected files of one format in a list: convert one of them", path,
                      article_and_name(its), first, article_and_name(format)));
  return format;
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
  throw DataError(
      fmt::format("{}: is an array, of images or of labels alone, expected both in one file (.npz, CSV): name "
                  "two files, {}",
                  files.name(),
                  part == SetPart::train        ? "--train-images and --train-labels"
                  : part == SetPart::validation ? "--validation-images and --validation-labels"
                                                : "--test-images and --test-labels (eval: --images and --labels)"));
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
  const bool zip = std::any_of(files.paths().begin(), files.paths().end(), is_zip_file);
  return zip ? find(files, part, key, labels) : files;
}

}  // namespace sluice::stages
