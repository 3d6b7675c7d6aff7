#include <sluice/stages/model_file.hpp>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <vector>

#include <sluice/stages/bounded_json.hpp>
#include <sluice/stages/dataset.hpp>
#include <sluice/stages/digest.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/scale.hpp>

namespace sluice::stages {
namespace {

using nlohmann::ordered_json;

[[noreturn]] void fail(const std::string& path, const std::string& text) {
  throw DamagedError(path + ": " + text);
}
[[noreturn]] void fail_errno(const std::string& path, const char* what) {
  throw DataError(fmt::format("{}: {}: {}", path, what, std::strerror(errno)));
}

void append(std::string& out, const std::vector<float>& values) {
  for (const float v : values) {
    const auto word = std::bit_cast<std::uint32_t>(v);
    for (unsigned b = 0; b < 4; ++b) out += static_cast<char>(word >> 8 * b & 0xff);
  }
}

std::vector<float> floats(const std::string& bytes, std::size_t first, std::size_t count) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t word = 0;
    for (unsigned b = 0; b < 4; ++b)
      word |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[first + 4 * i + b])) << 8 * b;
    values[i] = std::bit_cast<float>(word);
  }
  return values;
}

// Foreign text for an error message of one line.
std::string printable(std::string text) {
  if (text.size() > 60) text = text.substr(0, 60) + "...";
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == 127) c = '?';
  return text;
}
std::string shown(const ordered_json& json) {
  return printable(json.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

std::uint64_t number(const std::string& path, const ordered_json& json, const char* what) {
  if (!json.is_number_unsigned()) fail(path, fmt::format("{} is {}, expected a whole number", what, shown(json)));
  return json.get<std::uint64_t>();
}

constexpr std::uint64_t most_header = 100'000'000;  // as the library of safetensors has it
constexpr std::uint64_t most_file = 8 + most_header + 2 * 4 * (most_weights + most_classes);
constexpr std::size_t most_depth = 4;  // of the header: {tensor: {shape: [n, ...]}} has 3

std::string contents(const std::string& path) {
  struct File {
    int number = -1;
    ~File() {
      if (number >= 0) ::close(number);
    }
  } file;
  do file.number = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  while (file.number < 0 && errno == EINTR);
  if (file.number < 0) fail_errno(path, "cannot be opened");
  std::string all;
  std::vector<char> buffer(1 << 16);
  for (;;) {
    const ssize_t n = ::read(file.number, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_errno(path, "cannot be read");
    if (n == 0) return all;
    if (all.size() > most_file) fail(path, fmt::format("is larger than {} bytes, too large for a model", most_file));
    all.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

constexpr const char* checksum_key = "sluice.sha256";
constexpr std::size_t checksum_digits = 64;
constexpr const char* scale_key = "sluice.scale";

// Where the digits of the checksum are: the key as it is written, which no string of JSON can hold, its quotes escaped.
std::size_t checksum_place(const std::string& file) {
  const std::string key = fmt::format("\"{}\":\"", checksum_key);
  const std::size_t found = file.find(key);
  return found == std::string::npos ? found : found + key.size();
}

std::string checksum(const std::string& file, std::size_t place) {
  Sha256 digest;
  digest.add(file.data(), place);
  digest.add(std::string(checksum_digits, '0').data(), checksum_digits);
  digest.add(file.data() + place + checksum_digits, file.size() - place - checksum_digits);
  return digest.hex();
}

void check_checksum(const std::string& path, const std::string& file, const std::string& expected) {
  const std::size_t place = checksum_place(file);
  if (place == std::string::npos || file.size() - place < checksum_digits ||
      file.compare(place, checksum_digits, expected) != 0 || checksum(file, place) != expected)
    fail(path, fmt::format("its bytes do not have the checksum that is stored in it ({}): is it damaged, or was it "
                           "changed by another program?",
                           checksum_key));
}

constexpr std::string_view earlier_prefix = "earlier.";

// One tensor of the header, its bytes read.
struct Tensor {
  std::vector<std::uint64_t> shape;
  std::vector<float> values;
  std::uint64_t begin = 0, end = 0;  // in the data
};

Tensor read_tensor(const std::string& path, const ordered_json& header, const std::string& file, std::size_t data,
                   const std::string& name, std::size_t rank) {
  if (!header.contains(name))
    fail(path, fmt::format("has no tensor '{}', expected {}", name,
                           std::string_view(name).starts_with(earlier_prefix) ? "both of an earlier model"
                                                                              : "'weight' and 'bias'"));
  const ordered_json& json = header[name];
  if (!json.is_object() || !json.contains("dtype") || !json.contains("shape") || !json.contains("data_offsets"))
    fail(path, fmt::format("tensor '{}' is not described by dtype, shape and data_offsets", name));
  if (json["dtype"] != "F32")
    fail(path, fmt::format("tensor '{}' is of type {}, expected F32 (float32)", name, shown(json["dtype"])));
  if (!json["shape"].is_array() || json["shape"].size() != rank)
    fail(path, fmt::format("tensor '{}' has shape {}, expected {}", name, shown(json["shape"]),
                           rank == 2 ? "[classes, pixels]" : "[classes]"));
  const ordered_json& offsets = json["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2) fail(path, fmt::format("tensor '{}' has no two data_offsets", name));
  Tensor t;
  std::uint64_t elements = 1;
  for (const auto& n : json["shape"]) {
    t.shape.push_back(number(path, n, "a shape"));
    if (t.shape.back() == 0 || t.shape.back() > most_file / elements)
      fail(path, fmt::format("tensor '{}' has the impossible shape {}", name, shown(json["shape"])));
    elements *= t.shape.back();
  }
  t.begin = number(path, offsets[0], "an offset"), t.end = number(path, offsets[1], "an offset");
  const std::uint64_t available = file.size() - data;
  if (t.begin > t.end || t.end > available || t.end - t.begin != 4 * elements)
    fail(path,
         fmt::format("tensor '{}' lies at bytes {} to {} of {}, expected {} bytes for shape {}: was it cut short?",
                     name, t.begin, t.end, available, 4 * elements, shown(json["shape"])));
  t.values = floats(file, data + static_cast<std::size_t>(t.begin), static_cast<std::size_t>(elements));
  for (std::size_t i = 0; i < t.values.size(); ++i)
    if (!std::isfinite(t.values[i]))
      fail(path, fmt::format("tensor '{}' has the value {} at {}, expected finite numbers", name, t.values[i], i));
  return t;
}

// Two tensors, behind the data of others.
void append_model(const std::string& path, const Model& model, const std::string& prefix, ordered_json& header,
                  std::string& data) {
  const auto add = [&](const char* name, const std::vector<float>& values, std::vector<std::size_t> shape) {
    if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
      throw WriteError(path + ": not written: the model has values that are no finite numbers");
    const std::size_t begin = data.size();
    append(data, values);
    header[prefix + name] = {{"dtype", "F32"}, {"shape", std::move(shape)}, {"data_offsets", {begin, data.size()}}};
  };
  add("weight", unpacked_weights(model), {model.classes, model.pixels});
  add("bias", model.bias, {model.classes});
}

// Its tensors go into `all`, too.
Model read_model(const std::string& path, const ordered_json& header, const std::string& file, std::size_t data,
                 const std::string& prefix, std::vector<Tensor>& all) {
  Tensor weight = read_tensor(path, header, file, data, prefix + "weight", 2);
  Tensor bias = read_tensor(path, header, file, data, prefix + "bias", 1);
  if (bias.shape[0] != weight.shape[0])
    fail(path,
         fmt::format("'bias' is for {} classes, 'weight' for {}, expected the same{}", bias.shape[0], weight.shape[0],
                     bias.shape[0] == weight.shape[1] ? ": is 'weight' [pixels, classes]? It must be [classes, "
                                                        "pixels]"
                                                      : ""));
  if (weight.shape[0] < 2 || weight.shape[0] > most_classes)
    fail(path, fmt::format("'weight' has {} classes, expected 2 to {}", weight.shape[0], most_classes));
  Model model = packed_model(static_cast<std::size_t>(weight.shape[1]), static_cast<std::size_t>(weight.shape[0]),
                             weight.values, bias.values);
  all.push_back(std::move(weight));
  all.push_back(std::move(bias));
  return model;
}

// The format allows no holes: each byte belongs to one tensor.
void check_no_holes(const std::string& path, std::vector<Tensor> all, std::uint64_t bytes) {
  std::sort(all.begin(), all.end(), [](const Tensor& a, const Tensor& b) { return a.begin < b.begin; });
  std::string places;
  std::uint64_t end = 0;
  bool filled = true;
  for (const Tensor& t : all) {
    filled = filled && t.begin == end;
    end = t.end;
    places += fmt::format("{}{} to {}", places.empty() ? "" : ", ", t.begin, t.end);
  }
  if (!filled || end != bytes)
    fail(path, fmt::format("its tensors lie at bytes {}, expected them to fill the {} bytes after the header: was "
                           "something appended?",
                           places, bytes));
}

}  // namespace

void save_model(const std::string& path, const Model& model, const Metadata& metadata, Replacement::Older older,
                const Model* earlier) {
  std::string data;
  ordered_json header = ordered_json::object();  // from null it would not become one safely, without memory
  header["__metadata__"] = metadata;
  header["__metadata__"][scale_key] = scale_text(model.divisor);
  header["__metadata__"][checksum_key] = std::string(checksum_digits, '0');
  append_model(path, model, "", header, data);
  if (earlier) append_model(path, *earlier, std::string(earlier_prefix), header, data);
  std::string text = header.dump(-1, ' ', false, ordered_json::error_handler_t::replace);  // metadata may be no UTF-8
  text.append((8 - text.size() % 8) % 8, ' ');  // so that the tensors are aligned
  if (text.size() > most_header)
    throw WriteError(fmt::format("{}: not written: its header would have {} bytes, more than the {} that are read",
                                 path, text.size(), most_header));
  std::string length;
  for (unsigned b = 0; b < 8; ++b) length += static_cast<char>(std::uint64_t{text.size()} >> 8 * b & 0xff);

  std::string bytes = length + text + data;
  const std::size_t place = checksum_place(bytes);
  bytes.replace(place, checksum_digits, checksum(bytes, place));

  Replacement file(path);
  file.write(bytes.data(), bytes.size());
  file.commit(older);
}

StoredModel load_model(const std::string& path) {
  const std::string file = contents(path);
  if (file.size() < 8)
    fail(path, fmt::format("has {} bytes, expected a safetensors file: 8 bytes and a header", file.size()));
  if (file.starts_with("\x1f\x8b"))
    fail(path, "begins as gzip does, expected a safetensors file: is it a model, and to be decompressed first?");
  std::uint64_t length = 0;
  for (unsigned b = 0; b < 8; ++b) length |= static_cast<std::uint64_t>(static_cast<unsigned char>(file[b])) << 8 * b;
  if (length > most_header || length > file.size() - 8)
    fail(path, fmt::format("says that its header has {} bytes, it has {} after the first 8: is it a safetensors file?",
                           length, file.size() - 8));
  const auto data = 8 + static_cast<std::size_t>(length);
  ordered_json header;
  try {
    header = parse_bounded(std::string_view(file).substr(8, static_cast<std::size_t>(length)), most_depth);
  } catch (const std::invalid_argument& error) {
    fail(path, fmt::format("has a header with {}: is it a safetensors file?", error.what()));
  }
  if (!header.is_object()) fail(path, "has no JSON object for a header: is it a safetensors file?");
  bool has_earlier = false;
  for (const auto& [name, tensor] : header.items()) {
    const bool of_earlier = name.starts_with(earlier_prefix);
    has_earlier = has_earlier || of_earlier;
    const std::string plain = of_earlier ? name.substr(earlier_prefix.size()) : name;
    if (plain != "weight" && plain != "bias" && name != "__metadata__")
      fail(path,
           fmt::format("has a tensor '{}', expected 'weight' and 'bias': is it the file of another kind of model?",
                       printable(name)));
  }
  StoredModel stored;
  std::vector<Tensor> tensors;
  stored.model = read_model(path, header, file, data, "", tensors);
  if (has_earlier) {
    stored.earlier = read_model(path, header, file, data, std::string(earlier_prefix), tensors);
    if (stored.earlier->pixels != stored.model.pixels || stored.earlier->classes != stored.model.classes)
      fail(path, "has an earlier model of other sizes, expected the same");
  }
  check_no_holes(path, std::move(tensors), file.size() - data);
  if (header.contains("__metadata__")) {
    const ordered_json& metadata = header["__metadata__"];
    if (!metadata.is_object()) fail(path, "__metadata__ is no JSON object");
    for (const auto& [key, value] : metadata.items()) {
      if (!value.is_string()) fail(path, fmt::format("__metadata__ has no string for '{}'", printable(key)));
      stored.metadata[key] = value.get<std::string>();
    }
    if (const auto found = stored.metadata.find(scale_key); found != stored.metadata.end()) {
      try {
        stored.model.divisor = divisor_of(found->second);
        if (stored.earlier) stored.earlier->divisor = stored.model.divisor;
      } catch (const std::invalid_argument& error) {
        fail(path, fmt::format("{}: {}", scale_key, printable(error.what())));
      }
      stored.metadata.erase(found);
    }
    if (const auto found = stored.metadata.find(checksum_key); found != stored.metadata.end()) {
      check_checksum(path, file, found->second);
      stored.checked = true;
      stored.metadata.erase(found);
    }
  }
  return stored;
}

}  // namespace sluice::stages
