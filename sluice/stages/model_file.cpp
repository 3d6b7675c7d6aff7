#include <sluice/stages/model_file.hpp>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <sluice/stages/dataset.hpp>
#include <sluice/stages/digest.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/one_line.hpp>
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

// As a checkpoint within an epoch has them, two models with two moments and an average each, and a best one; and of
// each feature a mean, a deviation and what stands for one that is missing.
constexpr std::uint64_t most_file =
    8 + most_safetensors_header + 9 * 4 * (most_weights + most_classes) + 3 * 4 * most_pixels;

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
constexpr const char* shape_key = "sluice.shape";

// What is done to the pixels before they meet the weights, each value by value.
struct TransformTensor {
  const char* name;
  std::vector<float> FeatureTransform::*values;
};
constexpr TransformTensor transform_tensors[] = {
    {"fill", &FeatureTransform::fill}, {"mean", &FeatureTransform::mean}, {"deviation", &FeatureTransform::deviation}};

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

constexpr std::string_view earlier_prefix = "earlier.", best_prefix = "best.";

// What an optimiser keeps, as the pairs of tensors are called.
struct Beside {
  const char* prefix;
  Column<float>& (*of)(Model& model);
};
constexpr Beside all_beside[] = {{"moment1.", [](Model& m) -> Column<float>& { return m.moments[0]; }},
                                 {"moment2.", [](Model& m) -> Column<float>& { return m.moments[1]; }},
                                 {"average.", [](Model& m) -> Column<float>& { return m.average; }}};

// Every pair that a file may have beside `weight` and `bias`.
std::vector<std::string> other_prefixes() {
  std::vector<std::string> all{std::string(earlier_prefix), std::string(best_prefix)};
  for (const Beside& one : all_beside)
    for (const std::string_view of : {std::string_view(), earlier_prefix}) all.push_back(std::string(of) + one.prefix);
  return all;
}

// The values of a tensor of a model.
std::vector<float> values_of(const std::string& path, const std::string& file, std::size_t data,
                             const StoredTensor& tensor) {
  std::vector<float> values = floats(file, data + static_cast<std::size_t>(tensor.begin),
                                     static_cast<std::size_t>((tensor.end - tensor.begin) / sizeof(float)));
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]))
      fail(path, fmt::format("tensor '{}' has the value {} at {}, expected finite numbers", tensor.name, values[i], i));
  return values;
}

std::string why_no_tensor(const SafetensorsHeader& header, const std::string& name, std::size_t rank) {
  const StoredTensor* const tensor = header.find(name);
  if (!tensor)
    return fmt::format("has no tensor '{}', expected {}", name,
                       name.find('.') != std::string::npos ? "both of a pair" : "'weight' and 'bias'");
  if (tensor->type != "F32")
    return fmt::format("tensor '{}' is of type \"{}\", expected F32 (float32)", name, one_line(tensor->type));
  if (tensor->shape.size() != rank)
    return fmt::format("tensor '{}' has shape {}, expected {}", name, tensor->shape_text(),
                       rank == 2 ? "[classes, pixels]" : "[classes]");
  if (tensor->begin == tensor->end)
    return fmt::format("tensor '{}' has the impossible shape {}, expected at least one value", name,
                       tensor->shape_text());
  return "";
}

// Of the model whose tensors have this prefix.
std::string why_no_model(const SafetensorsHeader& header, const std::string& prefix) {
  const std::string weight_name = prefix + "weight", bias_name = prefix + "bias";
  if (std::string why = why_no_tensor(header, weight_name, 2); !why.empty()) return why;
  if (std::string why = why_no_tensor(header, bias_name, 1); !why.empty()) return why;
  const StoredTensor &weight = *header.find(weight_name), &bias = *header.find(bias_name);
  if (bias.shape[0] != weight.shape[0])
    return fmt::format(
        "'bias' is for {} classes, 'weight' for {}, expected the same{}", bias.shape[0], weight.shape[0],
        bias.shape[0] == weight.shape[1] ? ": is 'weight' [pixels, classes]? It must be [classes, pixels]" : "");
  if (weight.shape[0] < 2 || weight.shape[0] > most_classes)
    return fmt::format("'weight' has {} classes, expected 2 to {}", weight.shape[0], most_classes);
  return "";
}

// Of the vectors that are there.
std::string why_no_transform(const SafetensorsHeader& header) {
  const std::uint64_t pixels = header.find("weight")->shape[1];
  for (const TransformTensor& one : transform_tensors) {
    const StoredTensor* const tensor = header.find(one.name);
    if (tensor && (tensor->type != "F32" || tensor->shape != std::vector<std::uint64_t>{pixels}))
      return fmt::format("tensor '{}' is of type {} and shape {}, expected F32 and [{}], one value a pixel", one.name,
                         one_line(tensor->type), tensor->shape_text(), pixels);
  }
  if (!header.find("mean") != !header.find("deviation")) return "has one of 'mean' and 'deviation', expected both";
  return "";
}

bool is_of_a_transform(std::string_view name) {
  return std::any_of(std::begin(transform_tensors), std::end(transform_tensors),
                     [&](const TransformTensor& one) { return name == one.name; });
}

FeatureTransform read_transform(const std::string& path, const SafetensorsHeader& header, const std::string& file) {
  FeatureTransform transform;
  for (const TransformTensor& one : transform_tensors)
    if (const StoredTensor* const tensor = header.find(one.name))
      transform.*one.values = values_of(path, file, header.data, *tensor);
  for (const float deviation : transform.deviation)
    if (deviation < 0) fail(path, fmt::format("has the deviation {}, expected 0 or more", deviation));
  return transform;
}

// "28 x 28", or with planes "3 x 32 x 32".
std::string shape_text(const Inputs& inputs) {
  return inputs.planes == 1 ? fmt::format("{} x {}", inputs.rows, inputs.columns)
                            : fmt::format("{} x {} x {}", inputs.planes, inputs.rows, inputs.columns);
}

void read_shape(const std::string& path, const std::string& text, std::size_t pixels, Inputs& inputs) {
  std::size_t sizes[3] = {1, 1, 1}, count = 0;
  const char *at = text.data(), *const end = at + text.size();
  for (constexpr std::string_view between = " x "; count < 3; at += between.size()) {
    const auto [behind, error] = std::from_chars(at, end, sizes[count]);
    if (error != std::errc() || sizes[count] == 0 || sizes[count] > most_pixels) break;
    ++count, at = behind;
    if (!std::string_view(at, end).starts_with(between)) break;
  }
  if (count == 2) sizes[2] = std::exchange(sizes[1], std::exchange(sizes[0], 1));
  if (count < 2 || at != end || sizes[0] * sizes[1] != pixels / sizes[2] || pixels % sizes[2] != 0)
    fail(path,
         fmt::format("{}: '{}' is no shape of {} pixels, expected ROWS x COLUMNS", shape_key, one_line(text), pixels));
  inputs.planes = sizes[0], inputs.rows = sizes[1], inputs.columns = sizes[2];
}

bool has_pair(const SafetensorsHeader& header, const std::string& prefix) {
  return header.find(prefix + "weight") || header.find(prefix + "bias");
}

void append_tensor(const std::string& path, const std::vector<float>& values, const std::string& name,
                   std::vector<std::size_t> shape, ordered_json& header, std::string& data) {
  if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); }))
    throw WriteError(path + ": not written: the model has values that are no finite numbers");
  const std::size_t begin = data.size();
  append(data, values);
  header[name] = {{"dtype", "F32"}, {"shape", std::move(shape)}, {"data_offsets", {begin, data.size()}}};
}

// Two tensors, behind the data of others.
void append_parameters(const std::string& path, const Model& model, const std::string& prefix, ordered_json& header,
                       std::string& data) {
  append_tensor(path, unpacked_weights(model), prefix + "weight", {model.classes, model.pixels}, header, data);
  append_tensor(path, model.bias, prefix + "bias", {model.classes}, header, data);
}

// With what is kept beside it.
void append_model(const std::string& path, const Model& model, const std::string& prefix, ordered_json& header,
                  std::string& data) {
  append_parameters(path, model, prefix, header, data);
  Model one = model;
  for (const Beside& beside : all_beside) {
    const Column<float>& values = beside.of(one);
    if (values.empty()) continue;
    const auto bias = values.begin() + static_cast<std::ptrdiff_t>(one.weights.size());
    one.weights.assign(values.begin(), bias);
    one.bias.assign(bias, values.end());
    append_parameters(path, one, prefix + beside.prefix, header, data);
  }
}

void take_over_all_but_weights(const Model& from, Model& to) {
  to.divisor = from.divisor;
  to.inputs = from.inputs;
}

Model read_parameters(const std::string& path, const SafetensorsHeader& header, const std::string& file,
                      const std::string& prefix) {
  const StoredTensor &weight = *header.find(prefix + "weight"), &bias = *header.find(prefix + "bias");
  return packed_model(static_cast<std::size_t>(weight.shape[1]), static_cast<std::size_t>(weight.shape[0]),
                      values_of(path, file, header.data, weight), values_of(path, file, header.data, bias));
}

Model read_model(const std::string& path, const SafetensorsHeader& header, const std::string& file,
                 const std::string& prefix) {
  Model model = read_parameters(path, header, file, prefix);
  for (const Beside& beside : all_beside) {
    const std::string its = prefix + beside.prefix;
    if (!has_pair(header, its)) continue;
    const Model one = read_parameters(path, header, file, its);
    Column<float>& values = beside.of(model);
    values.assign(one.weights.begin(), one.weights.end());
    values.insert(values.end(), one.bias.begin(), one.bias.end());
  }
  return model;
}

}  // namespace

void save_model(const std::string& path, const Model& model, const Metadata& metadata, Replacement::Older older,
                const OtherModels& others) {
  std::string data;
  ordered_json header = ordered_json::object();  // from null it would not become one safely, without memory
  header["__metadata__"] = metadata;
  header["__metadata__"][scale_key] = scale_text(model.divisor);
  const Inputs& inputs = model.known_inputs();
  if (inputs.rows) header["__metadata__"][shape_key] = shape_text(inputs);
  header["__metadata__"][checksum_key] = std::string(checksum_digits, '0');
  append_model(path, model, "", header, data);
  if (others.earlier) append_model(path, *others.earlier, std::string(earlier_prefix), header, data);
  if (others.best) append_parameters(path, *others.best, std::string(best_prefix), header, data);
  for (const TransformTensor& one : transform_tensors)
    if (const std::vector<float>& values = inputs.transform.*one.values; !values.empty())
      append_tensor(path, values, one.name, {model.pixels}, header, data);
  std::string text = header.dump(-1, ' ', false, ordered_json::error_handler_t::replace);  // metadata may be no UTF-8
  text.append((8 - text.size() % 8) % 8, ' ');  // so that the tensors are aligned
  if (text.size() > most_safetensors_header)
    throw WriteError(fmt::format("{}: not written: its header would have {} bytes, more than the {} that are read",
                                 path, text.size(), most_safetensors_header));
  std::string length;
  for (unsigned b = 0; b < 8; ++b) length += static_cast<char>(std::uint64_t{text.size()} >> 8 * b & 0xff);

  std::string bytes = length + text + data;
  const std::size_t place = checksum_place(bytes);
  bytes.replace(place, checksum_digits, checksum(bytes, place));

  Replacement file(path);
  file.write(bytes.data(), bytes.size());
  file.commit(older);
}

std::string why_no_model(const SafetensorsHeader& header) {
  const std::vector<std::string> others = other_prefixes();
  const auto is_of_a_pair = [&](const std::string& name) {
    return name == "weight" || name == "bias" ||
           std::any_of(others.begin(), others.end(),
                       [&](const std::string& prefix) { return name == prefix + "weight" || name == prefix + "bias"; });
  };
  for (const StoredTensor& tensor : header.tensors) {
    const std::string& name = tensor.name;
    if (!is_of_a_pair(name) && !is_of_a_transform(name))
      return fmt::format("has a tensor '{}', expected 'weight' and 'bias': is it the file of another kind of model?",
                         one_line(name));
  }
  if (std::string why = why_no_model(header, ""); !why.empty()) return why;
  if (std::string why = why_no_transform(header); !why.empty()) return why;
  for (const std::string& prefix : others) {
    if (!has_pair(header, prefix)) continue;
    if (std::string why = why_no_model(header, prefix); !why.empty()) return why;
    if (header.find(prefix + "weight")->shape != header.find("weight")->shape)
      return fmt::format("'{}weight' is of other sizes than 'weight', expected the same", prefix);
  }
  return "";
}

StoredModel load_model(const std::string& path) {
  const std::string file = contents(path);
  SafetensorsHeader header = parse_safetensors(path, file, file.size());
  if (const std::string why = why_no_model(header); !why.empty()) fail(path, why);
  StoredModel stored{.model = read_model(path, header, file, ""), .metadata = std::move(header.metadata)};
  Inputs& inputs = stored.model.inputs.renew();
  inputs.transform = read_transform(path, header, file);
  if (const auto found = stored.metadata.find(shape_key); found != stored.metadata.end()) {
    read_shape(path, found->second, stored.model.pixels, inputs);
    stored.metadata.erase(found);
  }
  if (const std::string prefix(earlier_prefix); has_pair(header, prefix))
    stored.earlier = read_model(path, header, file, prefix);
  if (const std::string prefix(best_prefix); has_pair(header, prefix))
    stored.best = read_parameters(path, header, file, prefix);
  if (const auto found = stored.metadata.find(scale_key); found != stored.metadata.end()) {
    try {
      stored.model.divisor = divisor_of(found->second);
    } catch (const std::invalid_argument& error) {
      fail(path, fmt::format("{}: {}", scale_key, one_line(error.what())));
    }
    stored.metadata.erase(found);
  }
  for (std::optional<Model>* other : {&stored.earlier, &stored.best})
    if (*other) take_over_all_but_weights(stored.model, **other);
  if (const auto found = stored.metadata.find(checksum_key); found != stored.metadata.end()) {
    check_checksum(path, file, found->second);
    stored.checked = true;
    stored.metadata.erase(found);
  }
  return stored;
}

}  // namespace sluice::stages
