#include "apps/job/input.hpp"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <sluice/stages/block_pieces.hpp>
#include <sluice/stages/blocks.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/gzip_index.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/join.hpp>
#include <sluice/stages/regular_file.hpp>
#include <sluice/stages/table_layout.hpp>
#include <sluice/stages/transform_rows.hpp>
#include <sluice/stages/zip_member.hpp>
#include "apps/job/read_table.hpp"
#include "apps/job/usage_error.hpp"

namespace sluice::apps {

void rethrow_unequal(const StageError& error, const stages::InputFiles& images, const stages::InputFiles& labels) {
  if (error.cause_as<UnequalStreams>()) throw stages::DataError(stages::not_as_many(images.name(), labels.name()));
}

void run_reading(Graph& graph, const stages::InputFiles& images, const stages::InputFiles& labels) {
  try {
    graph.run();
  } catch (const StageError& error) {
    rethrow_unequal(error, images, labels);
    throw;
  }
}

using namespace stages;

ItemLayout header_of(ItemKind kind, const InputFiles& files, std::size_t file, const ReadItems& how) {
  const std::string &path = files.paths().at(file), name = files.names().at(file);
  constexpr std::size_t usual = 128;  // bytes of a header
  if (!files.member().empty())
    return layout_of(ZipMember{.path = path, .member = files.member(), .chunk_bytes = usual}, kind, name,
                     how.label_column);
  return layout_of(Inflate{.path = path, .chunk_bytes = usual, .decoder_memory = how.decoder_memory}, kind, name,
                   how.label_column);
}

TableLayout look_at_table(const InputFiles& table, const DataSettings& settings) {
  const std::string& path = table.paths().front();
  Inflate inflate{.path = path, .chunk_bytes = first_rows_bytes, .decoder_memory = settings.read.decoder_memory};
  std::string beginning;
  for (bool whole = false; !whole;) {
    Chunk chunk;
    whole = !inflate(chunk);
    if (!whole) beginning.append(chunk.data, chunk.data + chunk.size);
    if (auto layout = find_layout(beginning, whole, settings.table.wanted, path)) return *layout;
  }
  throw DataError(path + ": has no rows");
}

ReadTable table_like(const DataSettings& settings, const InputFiles& train) {
  ReadTable how = settings.table;
  if (train.is_table() && !waits(train)) how.wanted.features = look_at_table(train, settings).feature_names();
  return how;
}

namespace {

// Of the first rows of a table; how many there are nobody knows.
ImagesHeader table_header(const InputFiles& table, const DataSettings& settings) {
  ImagesHeader header;
  header.shape.rows = 1, header.shape.columns = look_at_table(table, settings).features.size(),
  header.shape.flat = true;
  header.shape.path = table.name();
  return header;
}

}  // namespace

ImagesHeader images_header(const InputFiles& images, std::size_t classes, const DataSettings& settings) {
  if (images.is_table()) {
    ImagesHeader header = table_header(images, settings);
    header.shape.classes = classes ? classes : 10;
    return header;
  }
  const ReadItems& how = settings.read;
  const std::vector<std::string> paths = images.names();
  const ItemShape first = header_of(ItemKind::images, images, 0, how).shape;
  ImagesHeader all;
  set_images(all.shape, first);
  all.shape.classes = classes ? classes : 10;
  all.shape.path = images.name();
  all.counts = {first.count};
  for (std::size_t i = 1; i < paths.size(); ++i) {
    const ItemShape shape = header_of(ItemKind::images, images, i, how).shape;
    check_same_items(ItemKind::images, shape, paths[i], first, paths.front());
    all.counts.push_back(shape.count);
  }
  return all;
}

void check_headers(const InputFiles& images, const InputFiles& labels, const ReadItems& how) {
  if (images.is_standard_input() || labels.is_standard_input() || waits(images) || waits(labels)) return;
  const auto promised = [&how](ItemKind kind, const InputFiles& files) {
    ItemCounts counts;
    for (std::size_t i = 0; i < files.paths().size(); ++i) counts.push_back(header_of(kind, files, i, how).shape.count);
    return counts;
  };
  check_as_many(images, promised(ItemKind::images, images), labels, promised(ItemKind::labels, labels));
}

void check_standard_input(const InputFiles& images, const InputFiles& labels, bool are_read) {
  if (images.is_standard_input() && labels.is_standard_input())
    throw UsageError("--images and --labels: only one of them can be -");
  if (are_read && (images.is_standard_input() || labels.is_standard_input()) && ::isatty(STDIN_FILENO))
    throw UsageError("-: the standard input is a terminal, expected a pipe or a file");
}

bool waits(const InputFiles& files) {
  const auto is_no_file = [](int result, const struct stat& status) { return result == 0 && !S_ISREG(status.st_mode); };
  struct stat status {};
  if (files.is_standard_input()) return is_no_file(::fstat(STDIN_FILENO, &status), status);
  return std::any_of(files.paths().begin(), files.paths().end(),
                     [&](const std::string& path) { return is_no_file(::stat(path.c_str(), &status), status); });
}

Threads threads_beside_waits(std::size_t wanted, const std::vector<InputFiles>& inputs) {
  const auto waiting = static_cast<std::size_t>(std::count_if(inputs.begin(), inputs.end(), waits));
  return Threads(std::max(wanted, waiting ? waiting + 1 : 1));
}

std::string read_before_lanes(const LabelledSet& set, const LaneShare& share) {
  const Lanes lanes{.rows = set.count, .share = share};
  const InputFiles& images = set.images;
  const auto begins_within = [&](std::uint64_t first, std::uint64_t last) {
    for (std::size_t lane = share.first(); lane < share.last(); ++lane)
      if (const std::uint64_t row = lanes.first_row(lane); row > first && row < last) return true;
    return false;
  };
  std::vector<std::string> all;
  bool index_helps = true;
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < set.counts.size() && i < images.paths().size(); first += set.counts[i++]) {
    if (!begins_within(first, first + set.counts[i])) continue;
    const std::string& path = images.paths()[i];
    const bool is_array = !images.is_table() && images.member().empty();
    const Compression compression = compression_of(RegularFile(path));
    if (is_array && compression == Compression::none) continue;
    const bool in_pieces = is_array && compression == Compression::gzip && set.decoder == Decoder::libdeflate;
    std::error_code none;
    if (in_pieces &&
        ((set.index.used && std::filesystem::is_regular_file(gzip_index_path(path, set.index.folder), none)) ||
         (i < set.known.size() && set.known[i]->index())))
      continue;
    // In blocks, of which as much is held as of other compressed files (read_items.cpp).
    if (is_array && compression == Compression::xz && set.decoder == Decoder::libdeflate &&
        has_blocks(path, {.most_decoded = std::size_t{1} << 20, .decoder_memory = set.decoder_memory}))
      continue;
    // Where the pieces lie is kept with a window of 32 KiB for each 256 KiB.
    const bool is_learnt = set.counts[i] * set.stored_image_bytes <= 8 * images_index_bytes / images.paths().size();
    index_helps = index_helps && in_pieces && is_learnt;
    all.push_back(path);
  }
  if (all.empty()) return "";
  const std::string others = all.size() == 1 ? "" : fmt::format(" and {} more", all.size() - 1);
  if (index_helps)
    return fmt::format(
        "--lanes {}: in the first epoch lanes decompress what lies before their rows in {}{}: sluice index would spare "
        "it",
        share.lanes, all.front(), others);
  return fmt::format(
      "--lanes {}: in every epoch lanes read what lies before their rows in {}{}: only arrays that are not compressed, "
      "or by gzip with an index (sluice index), are begun anywhere",
      share.lanes, all.front(), others);
}

bool are_paired(const InputFiles& images, const InputFiles& labels) {
  return images.paths().size() > 1 && labels.paths().size() > 1;
}

namespace {

ReadItems reading_of(const LabelledFiles& files) {
  return {.decoder = files.decoder,
          .decoder_memory = files.decoder_memory,
          .index = files.index,
          .again = files.again,
          .known = files.known,
          .decoded = files.decoded,
          .image_bytes = files.image_bytes,
          .label_column = files.label_column};
}

// What a lane reads of the images, or of the labels, of a set: the files that have some of its rows. Without their
// layouts where an array lies in Fortran order, whose bytes are not read as they lie.
InputFiles part_of_lane(const LabelledFiles& set, ItemKind kind, ReadItems& how) {
  const InputFiles& all = kind == ItemKind::images ? set.images : set.labels;
  if (!set.lane) return all;
  const LaneOfFiles& lane = *set.lane;
  WantedItems& wanted = how.wanted;
  wanted = {
      .begin = lane.begin, .end = lane.end, .set_files = all.paths().size(), .lanes = lane.beside, .last = lane.last};
  ItemCounts counts = set.counts;
  if (counts.size() != all.paths().size() && all.paths().size() == 1 && !counts.empty()) counts = {in_all(counts)};
  if (counts.size() != all.paths().size()) return all;
  const KnownPieces known = std::move(how.known);
  how.known.clear();
  std::vector<std::string> paths;
  std::uint64_t first = 0, passed = 0;  // of the file; of those that are passed over
  for (std::size_t i = 0; i < counts.size(); first += counts[i++]) {
    if (first + counts[i] <= lane.begin) passed += counts[i];
    if (first >= lane.end || first + counts[i] <= lane.begin) continue;
    paths.push_back(all.paths()[i]);
    if (i < known.size()) how.known.push_back(known[i]);
  }
  wanted.begin -= passed, wanted.end -= passed;
  InputFiles part(std::move(paths));
  if (all.is_table()) return part.as_table();
  if (!all.member().empty()) part = part.with_member(all.member());
  for (std::size_t i = 0; i < part.paths().size(); ++i) wanted.layouts.push_back(header_of(kind, part, i, how));
  if (std::any_of(wanted.layouts.begin(), wanted.layouts.end(), [](const ItemLayout& one) { return one.reordered; }))
    wanted.layouts.clear();
  return part;
}

std::string of_lane(const std::string& stage, const LabelledFiles& files) {
  return files.lane && files.lane->number ? fmt::format("{}.{}", stage, *files.lane->number) : stage;
}

//  rows.images -+
//               +-> pair
//  rows.labels -+
Stream<LabelledRows> read_two(Graph& g, const LabelledFiles& files, std::size_t count) {
  ReadItems how = reading_of(files);
  const InputFiles its_images = part_of_lane(files, ItemKind::images, how);
  auto images = read_rows<ItemKind::images>(g, of_lane(files.prefix + "images", files), its_images, count, how);
  how = reading_of(files);
  how.classes = files.classes;
  how.known = files.known_labels;
  const InputFiles its_labels = part_of_lane(files, ItemKind::labels, how);
  auto labels = read_rows<ItemKind::labels>(g, of_lane(files.prefix + "labels", files), its_labels, count, how);
  return g.zip(of_lane("pair", files), images, labels, capacity(2));
}

}  // namespace

LabelledFiles files_of(const LabelledSet& set, const std::string& prefix) {
  LabelledFiles files;
  files.images = set.images, files.labels = set.labels, files.prefix = prefix;
  files.decoder = set.decoder, files.decoder_memory = set.decoder_memory, files.index = set.index;
  files.decoded = set.decoded;
  files.image_bytes = set.stored_image_bytes, files.image_pixels = set.shape.pixels();
  files.classes = set.shape.classes, files.label_column = set.label_column;
  files.transform = set.transform, files.table = set.table;
  return files;
}

Stream<LabelledRows> read_pairs(Graph& g, const LabelledFiles& files, std::size_t count) {
  const std::string what = files.prefix.empty() ? "table" : files.prefix.substr(0, files.prefix.size() - 1);
  const auto read_one = [&] {
    ReadItems how = reading_of(files);
    const InputFiles table = part_of_lane(files, ItemKind::images, how);
    return read_table_rows(g, of_lane(what, files), table, files.table, how, count);
  };
  auto pairs = files.images.is_table() ? read_one() : read_two(g, files, count);
  if (!files.transform) return pairs;
  const TransformRows transform{
      .transform = files.transform, .pixels = files.image_pixels, .rows = files.image_bytes ? count : 0};
  return g.map(of_lane("transform", files), TransformLabelled{transform}, pairs, unlimited);
}

Stream<Batch> read_batches(Graph& g, const LabelledFiles& files, std::size_t count, const ImagesWanted& wanted) {
  const Join join{.images = files.images.name(),
                  .labels = files.labels.name(),
                  .wanted = wanted,
                  .file_by_file = are_paired(files.images, files.labels),
                  .rows = files.image_bytes ? count : 0};
  return g.map("batch", join, read_pairs(g, files, count), unlimited);
}

}  // namespace sluice::apps
