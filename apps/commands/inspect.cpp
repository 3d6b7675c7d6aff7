// sluice inspect: what files are, and whether they are sound through to their last byte.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <sluice/pipeline/errors.hpp>
#include <sluice/pipeline/graph.hpp>
#include <sluice/pipeline/printable.hpp>
#include <sluice/stages/digest.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/gzip_index.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/idx.hpp>
#include <sluice/stages/model_file.hpp>
#include <sluice/stages/scale.hpp>
#include "apps/commands/commands.hpp"
#include "apps/job/checkpoint.hpp"
#include "apps/job/checkpointing.hpp"
#include "apps/job/class_names.hpp"
#include "apps/job/read_items.hpp"
#include "apps/terminal/standard_output.hpp"

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;
using namespace stages;

// A file and its facts, under the names of --json, in the order in which they are printed.
struct Inspected {
  std::string path, kind = "unknown", trouble;  // no trouble: it is sound
  ordered_json facts = ordered_json::object();
};

// Decoded bytes of a file, in order -> what its IDX header says, and how many bytes there are.
struct MeasureIdx {
  std::vector<std::uint8_t> start{};  // of the decoded bytes, as much as the header may have
  std::uint64_t bytes = 0;

  void operator()(const Chunk& chunk) {
    const std::size_t wanted = std::min(std::size_t{4 + 4 * 255} - start.size(), chunk.size);
    start.insert(start.end(), chunk.data, chunk.data + wanted);
    bytes += chunk.size;
  }
  // Nothing: it is no IDX file.
  std::optional<std::size_t> header_bytes() const {
    return start.size() >= 4 ? any_idx_header_bytes(start.data()) : std::nullopt;
  }
  // Nothing: that, or it ends within its header.
  std::optional<IdxHeader> header() const {
    const auto size = header_bytes();
    return size && start.size() >= *size ? std::optional(parse_any_idx_header(start.data())) : std::nullopt;
  }
};

using Start = std::array<unsigned char, 15>;

// What is read of a pipe is gone: of that nothing is known before it is decoded.
Start beginning(const std::string& path) {
  Start start{};
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return start;
  std::ifstream(path, std::ios::binary).read(reinterpret_cast<char*>(start.data()), start.size());
  return start;
}

bool may_be_safetensors(const Start& start) {
  return start[8] == '{' && start[4] == 0 && start[5] == 0 && start[6] == 0 && start[7] == 0;
}

bool may_be_gzip_index(const Start& start) {
  constexpr Start magic{0, 0, 0, 0, 0, 0, 0, 0, 'g', 'z', 'i', 'p', 'i', 'n', 'd'};
  return start == magic;
}

void inspect_gzip_index(Inspected& file) {
  file.kind = "gzip index";
  const auto index = read_gzip_index(file.path, std::numeric_limits<std::uint64_t>::max() / 16);
  if (!index) throw DataError("is damaged, or larger than what is used");
  file.facts["points"] = index->points.size();
  file.facts["decoded_bytes"] = index->decoded;
  const std::size_t largest = largest_piece(*index);
  file.facts["largest_piece"] = largest;
  if (largest > most_of_read_piece)
    file.trouble =
        fmt::format("a piece of it is of {} bytes, more than the {} that are used (gztool -s 1 makes smaller ones)",
                    largest, most_of_read_piece);
}

constexpr std::size_t most_tensors_in_text = 20;

// A sound file of another program, or for another one.
void inspect_tensors(Inspected& file, const SafetensorsHeader& header, const std::string& why_no_model) {
  file.kind = "safetensors";
  std::uint64_t bytes = 0;
  ordered_json tensors = ordered_json::array();
  for (const StoredTensor& t : header.tensors) {
    tensors.push_back({{"name", t.name}, {"element_type", t.type}, {"shape", t.shape}});
    bytes += t.end - t.begin;
  }
  file.facts["tensors"] = std::move(tensors);
  file.facts["bytes"] = bytes;
  if (!header.metadata.empty()) file.facts["metadata"] = header.metadata;
  file.facts["no_model"] = why_no_model;
}

void inspect_model(Inspected& file) {
  const SafetensorsHeader header = look_at_safetensors(file.path);
  if (const std::string why = why_no_model(header); !why.empty()) return inspect_tensors(file, header, why);
  const StoredModel stored = load_model(file.path);
  const bool checkpoint = stored.metadata.contains("sluice.checkpoint");
  file.kind = checkpoint ? "checkpoint" : "model";
  file.facts["element_type"] = "float32";
  file.facts["shape"] = {stored.model.classes, stored.model.pixels};
  file.facts["scale"] = scale_text(stored.model.divisor);
  file.facts["weights_sha256"] = weights_sha256(stored.model);
  file.facts["checksum"] = stored.checked ? "right" : "none";
  if (checkpoint) {
    const Checkpoint c = load_checkpoint(file.path);
    file.facts["epochs_done"] = c.state.epochs.size();
    file.facts["rows_done"] = c.state.rows();
    file.facts["job"] = c.job;
  } else if (!stored.metadata.empty()) {
    file.facts["metadata"] = stored.metadata;
  }
  try {
    stored_class_names(stored.metadata, stored.model.classes);
  } catch (const std::invalid_argument& error) {
    throw DataError(error.what());
  }
}

//  pieces.file -> inflate.file -> measure
//                              -> digest
void inspect_stream(Inspected& file, bool gzip) {
  MeasureIdx measure;
  Digest digest;
  Graph graph("inspect");
  const auto chunks = read_chunks(graph, "file", InputFiles(file.path));
  graph.sink("measure", std::ref(measure), chunks);
  graph.sink("digest", std::ref(digest), chunks);
  if (gzip) file.kind = "gzip";
  try {
    graph.run();
  } catch (const StageError& error) {
    std::rethrow_exception(error.cause());
  }
  file.facts["compressed"] = gzip;
  file.facts["bytes"] = measure.bytes;
  file.facts["sha256"] = digest.hex();
  const std::optional<IdxHeader> header = measure.header();
  if (!header) {
    if (const auto promised = measure.header_bytes()) {
      file.kind = "idx";
      file.trouble =
          fmt::format("ends after {} bytes, expected an IDX header of {}: was it cut short?", measure.bytes, *promised);
    } else if (const std::string other = measure.start.size() < 4 ? "" : compression(measure.start.data());
               !other.empty()) {
      file.trouble = other;
    } else if (!gzip)
      file.trouble = "begins like nothing that is known here, expected IDX, gzip, an index of gzip or safetensors";
    return;
  }
  file.kind = "idx";
  file.facts["element_type"] = element_type_name(header->type);
  file.facts["shape"] = header->sizes;
  const std::optional<std::uint64_t> elements = header->element_bytes();
  if (!elements || measure.bytes - header->bytes() != *elements)
    file.trouble = fmt::format("has {} bytes behind its header, expected {}", measure.bytes - header->bytes(),
                               elements ? std::to_string(*elements) : "2^64 or more");
}

Inspected inspect(const std::string& path) {
  Inspected file;
  file.path = path;
  const auto start = beginning(path);
  try {
    if (may_be_safetensors(start)) {
      file.kind = "model";
      inspect_model(file);
    } else if (is_pieces_file(path)) {
      file.kind = "pieces of a checkpoint";
    } else if (may_be_gzip_index(start)) {
      inspect_gzip_index(file);
    } else {
      inspect_stream(file, start[0] == 0x1f && start[1] == 0x8b);
    }
  } catch (const DataError& error) {
    file.trouble = error.what();
    if (file.trouble.starts_with(path + ": ")) file.trouble.erase(0, path.size() + 2);
  }
  return file;
}

ordered_json to_json(const Inspected& file) {
  ordered_json json = {{"path", file.path}, {"kind", file.kind}, {"sound", file.trouble.empty()}};
  if (!file.trouble.empty()) json["error"] = file.trouble;
  json.update(file.facts);
  return json;
}

std::string shape_text(const ordered_json& sizes) {
  std::string text;
  for (const auto& size : sizes) text += (text.empty() ? "" : " x ") + size.dump();
  return text.empty() ? "one value" : text;
}

std::string tensors_text(const ordered_json& tensors) {
  std::string text = std::to_string(tensors.size());
  for (std::size_t i = 0; i < std::min(tensors.size(), most_tensors_in_text); ++i)
    text += fmt::format("{} {}, {}, {}", i ? ";" : ":", tensors[i]["name"].get<std::string>(),
                        tensors[i]["element_type"].get<std::string>(), shape_text(tensors[i]["shape"]));
  return tensors.size() > most_tensors_in_text ? text + "; ..." : text;
}

std::string to_text(const Inspected& file) {
  std::string all = fmt::format("{}: {}, {}\n", printable(file.path), file.kind,
                                file.trouble.empty() ? "sound" : "NOT SOUND: " + printable(file.trouble));
  for (const auto& [name, value] : file.facts.items()) {
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (name == "shape") text = shape_text(value);
    if (name == "tensors") text = tensors_text(value);
    all += fmt::format("  {:<14} {}\n", name, printable(text));
  }
  return all;
}

}  // namespace

int inspect(const InspectOptions& o) {
  ordered_json files = ordered_json::array();
  bool sound = true;
  for (const std::string& path : o.files) {
    const Inspected file = inspect(path);
    sound = sound && file.trouble.empty();
    if (o.json)
      files.push_back(to_json(file));
    else
      write_to_stdout(to_text(file));
  }
  if (o.json) write_json_to_stdout({{"command", "inspect"}, {"files", files}});
  return sound ? 0 : 3;
}

}  // namespace sluice::apps
