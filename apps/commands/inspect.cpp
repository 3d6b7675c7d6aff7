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
#include <sluice/stages/cut_table.hpp>
#include <sluice/stages/decimal.hpp>
#include <sluice/stages/digest.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/feature_transform.hpp>
#include <sluice/stages/foreign_content.hpp>
#include <sluice/stages/gzip_index.hpp>
#include <sluice/stages/gzip_pieces.hpp>
#include <sluice/stages/idx.hpp>
#include <sluice/stages/item_layout.hpp>
#include <sluice/stages/model_file.hpp>
#include <sluice/stages/number_table.hpp>
#include <sluice/stages/parse.hpp>
#include <sluice/stages/parse_table.hpp>
#include <sluice/stages/scale.hpp>
#include <sluice/stages/table_layout.hpp>
#include <sluice/stages/table_text.hpp>
#include <sluice/stages/zip_member.hpp>
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

// Without the name of the file, which stands before it.
std::string said_of(const std::string& path, const DataError& error) {
  const std::string text = error.what();
  return text.starts_with(path + ": ") ? text.substr(path.size() + 2) : text;
}

// What a step says of a file that nobody has promised to be what it takes; empty: nothing is wrong.
template <class Step>
std::string trouble_of(const std::string& path, Step step) {
  try {
    step();
  } catch (const DataError& error) {
    return said_of(path, error);
  }
  return {};
}

// Decoded bytes of an array, in order -> why they are no images, or labels, as train reads them; empty: they are.
template <ItemKind kind>
struct ReadAs {
  ParseArray<kind> parse{};
  std::string why_not{};

  void operator()(const Chunk& chunk) {
    take([&] {
      parse.push(chunk);
      for (Elements items; parse.pull(items);) continue;
    });
  }
  void finish() {
    take([&] { parse.finish(); });
  }
  template <class Step>
  void take(Step step) {
    if (why_not.empty()) why_not = trouble_of(parse.paths.front(), step);
  }
};

// Decoded bytes of a file, in order -> how they begin, how many there are, and of an array (IDX, .npy) what it is.
struct Measure {
  std::string path{};
  std::vector<std::uint8_t> header{};  // or what is there of it
  std::vector<std::uint8_t> start{};   // of the decoded bytes
  bool complete = false;
  std::uint64_t bytes = 0;
  ReadAs<ItemKind::images> images{{.paths = {path}}};
  ReadAs<ItemKind::labels> labels{{.paths = {path}}};

  // The first rows of a table are within, whichever of them is the last.
  static constexpr std::size_t start_bytes = 2 * first_rows_bytes;

  void operator()(const Chunk& chunk) {
    std::span<const std::uint8_t> data(chunk.data, chunk.size);
    if (!complete) complete = take_array_header(header, data, path);
    const std::size_t wanted = std::min(start_bytes - start.size(), chunk.size);
    start.insert(start.end(), chunk.data, chunk.data + wanted);
    bytes += chunk.size;
    images(chunk), labels(chunk);
  }
  void finish() { images.finish(), labels.finish(); }

  std::string_view text() const { return {reinterpret_cast<const char*>(start.data()), start.size()}; }
  bool begins_an_array() const { return start.size() >= array_start_bytes && is_array(start); }
  // Nothing: it is no array, or ends within its header.
  std::optional<ArrayHeader> array() const {
    return begins_an_array() && complete ? std::optional(parse_array_header(header, path)) : std::nullopt;
  }
  // Of an array: why it is neither images nor labels; empty: it is. In Fortran order its header alone tells.
  std::string why_no_data(const ArrayHeader& its) const {
    const auto why_not = [&](ItemKind kind, const std::string& why) {
      return its.is_reordered() ? trouble_of(path, [&] { item_layout(its, kind, path); }) : why;
    };
    const std::string no_images = why_not(ItemKind::images, images.why_not),
                      no_labels = why_not(ItemKind::labels, labels.why_not);
    if (no_images.empty() || no_labels.empty()) return {};
    return its.sizes.size() == 1 ? no_labels : no_images;
  }
};

// Rows of what may be a table -> how many there are, and what is wrong, which nobody needs where it is none.
struct LookAtTable {
  CountTable counted{};
  std::string trouble{};

  void operator()(const TableRows& rows) {
    take([&] { counted(rows); });
  }
  void finish() {
    take([&] { counted.finish(); });
  }
  template <class Step>
  void take(Step step) {
    if (trouble.empty()) trouble = trouble_of(counted.totals.files.name(), step);
  }
};

using Start = std::array<std::uint8_t, 15>;

bool is_regular(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

// What is read of a pipe is gone: of that nothing is known before it is decoded.
Start beginning(const std::string& path) {
  Start start{};
  if (!is_regular(path)) return start;
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
  const FeatureTransform& transform = stored.model.known_inputs().transform;
  if (!transform.mean.empty()) file.facts["standardized"] = fmt::format("{} features", transform.mean.size());
  if (!transform.fill.empty()) file.facts["missing_values"] = "means kept";
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

// The same as a fact, where there is something to be said.
void say_why_no_data(ordered_json& facts, const Measure& measure, const ArrayHeader& header) {
  if (const std::string why = measure.why_no_data(header); !why.empty()) facts["no_data"] = why;
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
  if (file.trouble.empty()) say_why_no_data(file.facts, measure, *header);
}

// Whether what begins so may be meant as a table: text, and something in its first line that separates cells.
bool may_be_table(std::string_view start) {
  if (start.starts_with("\xff\xfe") || start.starts_with("\xfe\xff")) return true;  // in UTF-16
  const auto is_no_text = [](char c) {
    return static_cast<unsigned char>(c) < ' ' && c != '\t' && c != '\r' && c != '\n';
  };
  if (start.empty() || std::any_of(start.begin(), start.end(), is_no_text)) return false;
  const std::string_view text = start.substr(std::min(start.find_first_not_of("\r\n"), start.size()));
  const std::string_view first_line = text.substr(0, text.find('\n'));
  return text.empty() || first_line.find_first_of(table_separators) != std::string_view::npos;
}

// Each as --ignore-columns takes it: the name, where it is one and no other column's; its position.
std::vector<std::string> names_of_columns(const TableLayout& layout) {
  std::vector<std::string> sorted = layout.names, all;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t column = 0; column < layout.columns; ++column) {
    const std::string name = layout.has_header() ? layout.names[column] : "";
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), name);
    all.push_back(name.empty() || last - first > 1 ? std::to_string(column + 1) : name);
  }
  return all;
}

// What train has to be told of a table that it can read, in its own words; empty: nothing, by its first rows.
std::string asked_by_train(const Measure& measure) {
  return trouble_of(measure.path,
                    [&] { find_layout(measure.text(), measure.bytes == measure.start.size(), {}, measure.path); });
}

// Of a table whose rows are whole: why nothing can be trained on it. Empty: something can.
std::string wrong_columns(const TableTotals& totals) {
  const TableLayout& layout = *totals.layout;
  if (layout.columns < 2)
    return "has 1 column, expected at least 2, a feature and a label: are its cells separated by one of , ; tab and |?";
  if (totals.all_missing() == totals.rows * layout.columns) return "has no value, all of its cells are missing";
  const auto has_words = [](const TableWords& one) { return one.count > 0; };
  if (totals.words.empty() || !std::all_of(totals.words.begin(), totals.words.end(), has_words)) return {};
  const TableWords& first = totals.words.front();
  return fmt::format("has no column of numbers alone, expected at least one, a feature: line {}, {}: '{}'", first.line,
                     layout.column_name(0), first.first);
}

// Every column counts as a feature; those that have words have to be left out, or one of them be the label.
void inspect_table(Inspected& file, const LookAtTable& table, const Measure& measure) {
  file.kind = "table";
  file.trouble = table.trouble;
  const TableTotals& totals = table.counted.totals;
  if (!totals.layout) return;
  const TableLayout& layout = *totals.layout;
  file.facts["columns"] = layout.columns;
  file.facts["header"] = layout.has_header();
  file.facts["separator"] = std::string(1, layout.separator);
  if (layout.has_header()) file.facts["names"] = layout.names;
  if (!file.trouble.empty()) return;
  const std::vector<std::string> names = names_of_columns(layout);
  ordered_json words = ordered_json::array(), mixed = ordered_json::array();
  for (std::size_t column = 0; column < totals.words.size(); ++column) {
    const TableWords& its = totals.words[column];
    if (its.count == 0) continue;
    const std::uint64_t missing = totals.missing.empty() ? 0 : totals.missing[column];
    if (its.count + missing == totals.rows)
      words.push_back(names[column]);
    else
      mixed.push_back({{"column", names[column]}, {"words", its.count}, {"line", its.line}, {"first", its.first}});
  }
  file.facts["columns_of_words"] = std::move(words);
  if (!mixed.empty()) file.facts["numbers_and_words"] = std::move(mixed);
  file.facts["rows"] = totals.rows;
  file.facts["missing"] = totals.all_missing();
  file.trouble = wrong_columns(totals);
  if (!file.trouble.empty()) return;
  if (const std::string asked = asked_by_train(measure); !asked.empty()) file.facts["train_asks"] = asked;
}

//  pieces.file -> inflate.file -> measure
//                              -> digest
//                              -> cut -> parse -> table
// All in one pass: a pipe can be read only once.
void inspect_stream(Inspected& file, const Start& start, std::size_t decoder_memory) {
  Measure measure{.path = file.path};
  Digest digest;
  LookAtTable table{.counted = {.totals = {.files = file.path}}};
  Graph graph("inspect");
  const auto chunks = read_chunks(graph, "file", InputFiles(file.path), {.decoder_memory = decoder_memory}).chunks;
  graph.sink("measure", std::ref(measure), chunks);
  graph.sink("digest", std::ref(digest), chunks);
  const auto text = graph.expand("cut", CutTable{.paths = {file.path}, .wanted = {.label = TableLabel::unsaid}}, chunks,
                                 capacity(2 * graph.threads()));
  graph.sink("table", std::ref(table),
             graph.map("parse", ParseTable{.missing = Missing::zero, .words = true}, text, unlimited));
  const Compression compression = told_by(start).value_or(Compression::none);
  const bool compressed = compression != Compression::none;
  if (compressed) file.kind = compression_name(compression);
  run(graph);
  if (is_regular(file.path)) {  // of a pipe nobody has seen it
    file.facts["compressed"] = compressed;
    file.facts["compression"] = compression_name(compression);
  }
  file.facts["bytes"] = measure.bytes;
  file.facts["sha256"] = digest.hex();
  if (measure.begins_an_array()) return inspect_array(file, measure);
  const std::string other = measure.start.size() < 4 ? "" : still_compressed(measure.start.data());
  const TableLayout* const layout = table.counted.totals.layout.get();
  if (!other.empty())
    file.trouble = other;
  else if (const auto foreign = foreign_content(measure.start.data(), measure.start.size()))
    file.trouble = fmt::format("is {}: {}", foreign->what, foreign->remedy);
  else if ((table.trouble.empty() && layout && layout->columns > 1) || may_be_table(measure.text()))
    inspect_table(file, table, measure);
  else if (!compressed)
    file.trouble =
        "begins like nothing that is known here, expected IDX, .npy, .npz, a table as CSV, gzip, bzip2, xz, zstd, an "
        "index of gzip or safetensors";
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
    measure.finish();
    if (const auto header = measure.array()) {
      arrays = true;
      describe_array(member, *header);
      if (const std::string wrong = wrong_size(*header, measure.bytes); !wrong.empty() && file.trouble.empty())
        file.trouble = entry.name + ": " + wrong;
      else if (wrong.empty())
        say_why_no_data(member, measure, *header);
    }
    members.push_back(std::move(member));
  }
  if (arrays) file.kind = "npz";
  file.facts["members"] = std::move(members);
}

Inspected inspect(const std::string& path, std::size_t decoder_memory) {
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
      inspect_stream(file, start, decoder_memory);
    }
  } catch (const DataError& error) {
    file.trouble = said_of(path, error);
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

std::string mixed_text(const ordered_json& columns) {
  std::string text;
  for (const auto& one : columns)
    text += fmt::format("{}{}: {} of them words, the first in line {}, '{}'", text.empty() ? "" : "; ",
                        one["column"].get<std::string>(), one["words"].get<std::uint64_t>(),
                        one["line"].get<std::uint64_t>(), one["first"].get<std::string>());
  return text;
}

std::string to_text(const Inspected& file) {
  std::string all = fmt::format("{}: {}, {}\n", printable(file.path), file.kind,
                                file.trouble.empty() ? "sound" : "NOT SOUND: " + printable(file.trouble));
  for (const auto& [name, value] : file.facts.items()) {
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (name == "shape") text = shape_text(value);
    if (name == "tensors") text = tensors_text(value);
    if (name == "members") text = members_text(value);
    if (name == "numbers_and_words") text = mixed_text(value);
    const bool many = name == "names" || name == "columns_of_words" || name == "numbers_and_words";
    if (many && text.size() > most_names_in_text) text = text.substr(0, most_names_in_text) + "...";
    all += fmt::format("  {:<14} {}\n", name, printable(text));
  }
  return all;
}

}  // namespace

int inspect(const InspectOptions& o) {
  ordered_json files = ordered_json::array();
  bool sound = true;
  for (const std::string& path : o.files) {
    const Inspected file = inspect(path, o.decoder_memory << 20);
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
