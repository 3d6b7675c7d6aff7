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
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sluice/pipeline/errors.hpp>
#include <sluice/pipeline/graph.hpp>
#include <sluice/pipeline/printable.hpp>
#include <sluice/stages/array_header.hpp>
#include <sluice/stages/codec.hpp>
#include <sluice/stages/decimal.hpp>
#include <sluice/stages/digest.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/foreign_content.hpp>
#include <sluice/stages/gzip_index.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/idx.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/model_file.hpp>
#include <sluice/stages/number_table.hpp>
#include <sluice/stages/scale.hpp>
#include <sluice/stages/table_layout.hpp>
#include <sluice/stages/table_text.hpp>
#include <sluice/stages/zip_member.hpp>
#include "apps/commands/commands.hpp"
#include "apps/job/checkpoint.hpp"
#include "apps/job/checkpointing.hpp"
#include "apps/job/class_names.hpp"
#include "apps/job/read_items.hpp"
#include "apps/job/read_table.hpp"
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

// Decoded bytes of a file, in order -> what the header of its array says (IDX, .npy), and how many bytes there are.
struct Measure {
  std::string path{};
  std::vector<std::uint8_t> header{};  // or what is there of it
  std::vector<std::uint8_t> start{};   // of the decoded bytes
  bool complete = false;
  std::uint64_t bytes = 0;

  void operator()(const Chunk& chunk) {
    std::span<const std::uint8_t> data(chunk.data, chunk.size);
    if (!complete) complete = take_array_header(header, data, path);
    const std::size_t wanted = std::min(foreign_content_bytes - start.size(), chunk.size);
    start.insert(start.end(), chunk.data, chunk.data + wanted);
    bytes += chunk.size;
  }
  bool begins_an_array() const { return start.size() >= array_start_bytes && is_array(start); }
  // Nothing: it is no array, or ends within its header.
  std::optional<ArrayHeader> array() const {
    return begins_an_array() && complete ? std::optional(parse_array_header(header, path)) : std::nullopt;
  }
};

using Start = std::array<std::uint8_t, 15>;

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

constexpr std::size_t most_tensors_in_text = 20, most_names_in_text = 200;

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

void run(Graph& graph) {
  try {
    graph.run();
  } catch (const StageError& error) {
    std::rethrow_exception(error.cause());
  }
}

void describe_array(ordered_json& facts, const ArrayHeader& header) {
  facts["element_type"] = element_type_name(header.type);
  facts["shape"] = header.sizes;
  if (header.is_reordered()) facts["order"] = "fortran";
}

// Of a file of one array; empty: it is as long as its header says.
std::string wrong_size(const ArrayHeader& header, std::uint64_t bytes) {
  const std::optional<std::uint64_t> elements = header.element_bytes();
  if (elements && bytes - header.bytes == *elements) return "";
  return fmt::format("has {} bytes behind its header, expected {}", bytes - header.bytes,
                     elements ? std::to_string(*elements) : "2^64 or more");
}

void inspect_array(Inspected& file, const Measure& measure) {
  const bool idx = measure.start[0] == 0;
  file.kind = idx ? "idx" : "npy";
  const std::optional<ArrayHeader> header = measure.array();
  if (!header) {
    file.trouble = fmt::format("ends after {} bytes, expected {} header of {}: was it cut short?", measure.bytes,
                               idx ? "an IDX" : "a .npy", array_header_bytes(measure.start, file.path));
    return;
  }
  describe_array(file.facts, *header);
  file.trouble = wrong_size(*header, measure.bytes);
}

// The columns whose cells in the first rows are no numbers, by their positions.
std::vector<std::string> columns_of_words(std::string_view beginning, const TableLayout& layout) {
  std::vector<bool> words(layout.columns);
  constexpr std::size_t most_rows = 20;
  for (std::size_t row = 0; row < most_rows && !beginning.empty(); ++row) {
    const std::size_t end = std::min(beginning.find('\n'), beginning.size());
    const std::vector<std::string> cells = cells_of(without_line_end(beginning.substr(0, end)), layout.separator);
    beginning.remove_prefix(std::min(end + 1, beginning.size()));
    if (row == 0 && layout.has_header()) continue;
    for (std::size_t c = 0; c < std::min(cells.size(), words.size()); ++c)
      words[c] = words[c] || (!is_missing(cells[c]) && decimal(cells[c]).kind == Decimal::none);
  }
  std::vector<std::string> positions;
  for (std::size_t c = 0; c < words.size(); ++c)
    if (words[c]) positions.push_back(std::to_string(c + 1));
  return positions;
}

// Whether it is a table: rows of as many cells, numbers among them.
bool inspect_table(Inspected& file) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(file.path, none)) return false;
  Inflate inflate{.path = file.path, .chunk_bytes = first_rows_bytes};
  Chunk start;
  if (!inflate(start)) return false;
  std::string_view beginning(reinterpret_cast<const char*>(start.data), start.size);
  if (start.size == first_rows_bytes) beginning = beginning.substr(0, behind_last_line_end(beginning));
  TableWanted wanted{.label = TableLabel::none};
  std::optional<TableLayout> layout;
  try {
    layout = find_layout(beginning, true, wanted, file.path);
  } catch (const DataError&) {
    return false;
  }
  if (!layout || layout->columns < 2) return false;
  wanted.ignored = columns_of_words(beginning, *layout);
  if (wanted.ignored.size() >= layout->columns ||
      start.size == (first_row(beginning, true, {&layout->separator, 1}, file.path)->end))
    return false;
  const std::vector<std::string> words = wanted.ignored;
  file.kind = "table";
  file.facts["columns"] = layout->columns;
  file.facts["header"] = layout->has_header();
  file.facts["separator"] = std::string(1, layout->separator);
  if (layout->has_header()) file.facts["names"] = layout->names;
  file.facts["columns_of_words"] = words;
  Graph graph("inspect");
  CountTable counted{.totals = {.files = file.path}};
  graph.sink(
      "count", std::ref(counted),
      read_table(graph, "file", InputFiles(file.path).as_table(), {.wanted = wanted, .missing = Missing::zero}, {})
          .rows);
  run(graph);
  file.facts["rows"] = counted.totals.rows;
  file.facts["missing"] = counted.totals.all_missing();
  return true;
}

//  pieces.file -> inflate.file -> measure
//                              -> digest
void inspect_stream(Inspected& file, Compression compression) {
  Measure measure{.path = file.path};
  Digest digest;
  Graph graph("inspect");
  const auto chunks = read_chunks(graph, "file", InputFiles(file.path)).chunks;
  graph.sink("measure", std::ref(measure), chunks);
  graph.sink("digest", std::ref(digest), chunks);
  const bool compressed = compression != Compression::none;
  if (compressed) file.kind = compression_name(compression);
  run(graph);
  file.facts["compressed"] = compressed;
  file.facts["compression"] = compression_name(compression);
  file.facts["bytes"] = measure.bytes;
  file.facts["sha256"] = digest.hex();
  if (measure.begins_an_array()) return inspect_array(file, measure);
  const std::string other = measure.start.size() < 4 ? "" : still_compressed(measure.start.data());
  if (!other.empty()) {
    file.trouble = other;
  } else if (const auto foreign = foreign_content(measure.start.data(), measure.start.size())) {
    file.trouble = fmt::format("is {}: {}", foreign->what, foreign->remedy);
  } else if (!inspect_table(file) && !compressed) {
    file.trouble =
        "begins like nothing that is known here, expected IDX, .npy, .npz, a table as CSV, gzip, bzip2, xz, zstd, an "
        "index "
        "of gzip or safetensors";
  }
}

//  ... -> verify each
void inspect_zip(Inspected& file) {
  file.kind = "zip";
  ordered_json members = ordered_json::array();
  bool arrays = false;
  for (const ZipEntry& entry : zip_entries(file.path)) {
    ordered_json member = {{"name", entry.name}, {"bytes", entry.size}};
    Measure measure{.path = zip_member_name(file.path, entry.name)};
    ZipMember source{.path = file.path, .member = entry.name};
    for (Chunk chunk; source(chunk);) measure(chunk);
    if (const auto header = measure.array()) {
      arrays = true;
      describe_array(member, *header);
      if (const std::string wrong = wrong_size(*header, measure.bytes); !wrong.empty() && file.trouble.empty())
        file.trouble = entry.name + ": " + wrong;
    }
    members.push_back(std::move(member));
  }
  if (arrays) file.kind = "npz";
  file.facts["members"] = std::move(members);
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
    } else if (is_zip(start.data())) {
      inspect_zip(file);
    } else {
      inspect_stream(file, told_by(start).value_or(Compression::none));
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

std::string members_text(const ordered_json& members) {
  std::string text = std::to_string(members.size());
  for (std::size_t i = 0; i < std::min(members.size(), most_tensors_in_text); ++i) {
    text += fmt::format("{} {}", i ? ";" : ":", members[i]["name"].get<std::string>());
    if (members[i].contains("shape"))
      text += fmt::format(", {}, {}", members[i]["element_type"].get<std::string>(), shape_text(members[i]["shape"]));
  }
  return members.size() > most_tensors_in_text ? text + "; ..." : text;
}

std::string to_text(const Inspected& file) {
  std::string all = fmt::format("{}: {}, {}\n", printable(file.path), file.kind,
                                file.trouble.empty() ? "sound" : "NOT SOUND: " + printable(file.trouble));
  for (const auto& [name, value] : file.facts.items()) {
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (name == "shape") text = shape_text(value);
    if (name == "tensors") text = tensors_text(value);
    if (name == "members") text = members_text(value);
    if (name == "names" && text.size() > most_names_in_text) text = text.substr(0, most_names_in_text) + "...";
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
