#include <sluice/stages/safetensors.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>
#include <system_error>
#include <utility>

#include <sluice/stages/bounded_json.hpp>
#include <sluice/stages/codec.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/one_line.hpp>

namespace sluice::stages {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t most_depth = 4;            // of the header: {tensor: {shape: [n, ...]}} has 3
constexpr std::size_t most_tensors = 16 * 1024;  // looked for one by one
constexpr const char* metadata_name = "__metadata__";

constexpr std::pair<std::string_view, std::uint64_t> bits_of_types[] = {
    {"BOOL", 8}, {"U8", 8},   {"I8", 8},   {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8},
    {"I16", 16}, {"U16", 16}, {"F16", 16}, {"BF16", 16},   {"I32", 32},    {"U32", 32},
    {"F32", 32}, {"F64", 64}, {"I64", 64}, {"U64", 64},    {"C64", 64}};

[[noreturn]] void fail(const std::string& path, const std::string& text) {
  throw DamagedError(path + ": " + text);
}

std::string shown(const ordered_json& json) {
  return one_line(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

std::uint64_t number(const std::string& path, const ordered_json& json, const char* what) {
  if (!json.is_number_unsigned()) fail(path, fmt::format("{} is {}, expected a whole number", what, shown(json)));
  return json.get<std::uint64_t>();
}

// Of `tensor`, in bytes.
std::uint64_t size_of(const std::string& path, const StoredTensor& tensor) {
  std::uint64_t elements = 1, bits = 0;
  bool fits = true;
  for (const std::uint64_t n : tensor.shape) fits = fits && !__builtin_mul_overflow(elements, n, &elements);
  const auto* const known = std::find_if(std::begin(bits_of_types), std::end(bits_of_types),
                                         [&](const auto& type) { return type.first == tensor.type; });
  if (known == std::end(bits_of_types)) return tensor.end - tensor.begin;
  if (!fits || __builtin_mul_overflow(elements, known->second, &bits))
    fail(path, fmt::format("tensor '{}' has the impossible shape {}", one_line(tensor.name), tensor.shape_text()));
  return bits / 8;
}

StoredTensor parse_tensor(const std::string& path, const std::string& name, const ordered_json& json,
                          std::uint64_t available) {
  if (!json.is_object() || !json.contains("dtype") || !json.contains("shape") || !json.contains("data_offsets"))
    fail(path, fmt::format("tensor '{}' is not described by dtype, shape and data_offsets", one_line(name)));
  const ordered_json &type = json["dtype"], &shape = json["shape"], &offsets = json["data_offsets"];
  if (!type.is_string()) fail(path, fmt::format("tensor '{}' has no text for a dtype", one_line(name)));
  if (!shape.is_array()) fail(path, fmt::format("tensor '{}' has no list for a shape", one_line(name)));
  if (!offsets.is_array() || offsets.size() != 2)
    fail(path, fmt::format("tensor '{}' has no two data_offsets", one_line(name)));
  StoredTensor tensor{.name = name, .type = type.get<std::string>(), .shape = {}};
  for (const auto& n : shape) tensor.shape.push_back(number(path, n, "a shape"));
  tensor.begin = number(path, offsets[0], "an offset"), tensor.end = number(path, offsets[1], "an offset");
  const bool inside = tensor.begin <= tensor.end && tensor.end <= available;
  if (const std::uint64_t size = inside ? size_of(path, tensor) : 0; !inside || tensor.end - tensor.begin != size)
    fail(path, fmt::format(
                   "tensor '{}' lies at bytes {} to {} of {}, expected {}: was it cut short?", one_line(name),
                   tensor.begin, tensor.end, available,
                   inside ? fmt::format("{} bytes for {} of shape {}", size, one_line(tensor.type), tensor.shape_text())
                          : "a place within them"));
  return tensor;
}

Metadata parse_metadata(const std::string& path, const ordered_json& json) {
  if (!json.is_object()) fail(path, fmt::format("{} is no JSON object", metadata_name));
  Metadata metadata;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_string()) fail(path, fmt::format("{} has no string for '{}'", metadata_name, one_line(key)));
    metadata[key] = value.get<std::string>();
  }
  return metadata;
}

// Each byte belongs to one tensor.
void check_no_holes(const std::string& path, const SafetensorsHeader& header, std::uint64_t bytes) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> places;
  for (const StoredTensor& t : header.tensors) places.emplace_back(t.begin, t.end);
  std::sort(places.begin(), places.end());
  std::uint64_t end = 0;
  bool filled = true;
  for (const auto& [begin, its_end] : places) {
    filled = filled && begin == end;
    end = its_end;
  }
  if (filled && end == bytes) return;
  std::string text;
  constexpr std::size_t most_shown = 8;
  for (std::size_t i = 0; i < std::min(places.size(), most_shown); ++i)
    text += fmt::format("{}{} to {}", text.empty() ? "" : ", ", places[i].first, places[i].second);
  fail(path, fmt::format("its tensors lie at bytes {}{}, expected them to fill the {} bytes after the header: was "
                         "something appended?",
                         text, places.size() > most_shown ? ", ..." : "", bytes));
}

// Of the JSON. It begins at byte 8.
std::size_t header_length(const std::string& path, std::string_view start, std::uint64_t file_bytes) {
  if (file_bytes < 8)
    fail(path, fmt::format("has {} bytes, expected a safetensors file: 8 bytes and a header", file_bytes));
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(start.data()), start.size());
  if (const Compression told = told_by(bytes).value_or(Compression::none); told != Compression::none)
    fail(path,
         fmt::format("begins as {} does, expected a safetensors file: is it a model, and to be decompressed first?",
                     compression_name(told)));
  std::uint64_t length = 0;
  for (unsigned b = 0; b < 8; ++b) length |= std::uint64_t{static_cast<unsigned char>(start[b])} << 8 * b;
  if (length > most_safetensors_header || length > file_bytes - 8)
    fail(path, fmt::format("says that its header has {} bytes, it has {} after the first 8: is it a safetensors file?",
                           length, file_bytes - 8));
  return static_cast<std::size_t>(length);
}

}  // namespace

std::string StoredTensor::shape_text() const {
  std::string text = "[";
  for (const std::uint64_t n : shape) text += fmt::format("{}{}", text.size() > 1 ? "," : "", n);
  return text + "]";
}

const StoredTensor* SafetensorsHeader::find(std::string_view name) const {
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

SafetensorsHeader parse_safetensors(const std::string& path, std::string_view start, std::uint64_t file_bytes) {
  const std::size_t length = header_length(path, start, file_bytes);
  const std::string_view text = start.substr(8, length);
  if (!text.starts_with('{')) fail(path, "has a header that does not begin with '{': is it a safetensors file?");
  ordered_json json;
  try {
    json = parse_bounded(text, most_depth, most_tensors);
  } catch (const std::invalid_argument& error) {
    fail(path, fmt::format("has a header with {}: is it a safetensors file?", error.what()));
  }
  if (!json.is_object()) fail(path, "has no JSON object for a header: is it a safetensors file?");
  SafetensorsHeader header;
  header.data = 8 + length;
  const std::uint64_t available = file_bytes - header.data;
  for (const auto& [name, value] : json.items()) {
    if (name == metadata_name)
      header.metadata = parse_metadata(path, value);
    else
      header.tensors.push_back(parse_tensor(path, name, value, available));
  }
  check_no_holes(path, header, available);
  return header;
}

SafetensorsHeader look_at_safetensors(const std::string& path) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error) throw DataError(fmt::format("{}: cannot be looked at: {}", path, error.message()));
  std::ifstream file(path, std::ios::binary);
  std::string start(static_cast<std::size_t>(std::min<std::uintmax_t>(bytes, 8)), '\0');
  const auto read = [&](std::size_t from) {
    if (!file.read(start.data() + from, static_cast<std::streamsize>(start.size() - from)))
      throw DataError(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
  };
  read(0);
  start.resize(8 + header_length(path, start, bytes));
  read(8);
  return parse_safetensors(path, start, bytes);
}

}  // namespace sluice::stages
