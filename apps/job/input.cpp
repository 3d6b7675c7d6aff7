#include "apps/job/input.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/join.hpp>
#include <sluice/stages/transform_rows.hpp>
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

ItemShape header_of(ItemKind kind, const std::string& path) {
  Inflate inflate{.path = path, .chunk_bytes = idx_header_bytes(kind)};
  Chunk header;
  if (!inflate(header) || header.size < idx_header_bytes(kind)) throw DataError(path + ": ends within the IDX header");
  return parse_idx_header(header.data, kind, path);
}

ImagesHeader images_header(const InputFiles& images, std::size_t classes) {
  const std::vector<std::string>& paths = images.paths();
  const ItemShape first = header_of(ItemKind::images, paths.front());
  ImagesHeader all;
  all.shape.rows = static_cast<std::size_t>(first.rows);
  all.shape.columns = static_cast<std::size_t>(first.columns);
  all.shape.stored = first.type;
  all.shape.classes = classes ? classes : 10;
  all.shape.path = images.name();
  all.counts = {first.count};
  for (std::size_t i = 1; i < paths.size(); ++i) {
    const ItemShape shape = header_of(ItemKind::images, paths[i]);
    check_same_items(ItemKind::images, shape, paths[i], first, paths.front());
    all.counts.push_back(shape.count);
  }
  return all;
}

void check_headers(const InputFiles& images, const InputFiles& labels) {
  if (images.is_standard_input() || labels.is_standard_input() || waits(images) || waits(labels)) return;
  const auto promised = [](ItemKind kind, const InputFiles& files) {
    ItemCounts counts;
    for (const std::string& path : files.paths()) counts.push_back(header_of(kind, path).count);
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

bool are_paired(const InputFiles& images, const InputFiles& labels) {
  return images.paths().size() > 1 && labels.paths().size() > 1;
}

Stream<LabelledRows> read_pairs(Graph& g, const LabelledFiles& files, std::size_t count) {
  ReadItems how{.decoder = files.decoder,
                .index = files.index,
                .again = files.again,
                .known = files.known,
                .decoded = files.decoded,
                .image_bytes = files.image_bytes};
  auto images = read_rows<ItemKind::images>(g, files.prefix + "images", files.images, count, how);
  if (files.transform)
    images =
        g.map("transform." + files.prefix + "images",
              TransformRows{
                  .transform = files.transform, .pixels = files.image_pixels, .rows = files.image_bytes ? count : 0},
              images, unlimited);
  how.classes = files.classes;
  how.known.clear();
  auto labels = read_rows<ItemKind::labels>(g, files.prefix + "labels", files.labels, count, how);
  return g.zip("pair", images, labels, capacity(2));
}

Stream<Batch> read_batches(Graph& g, const LabelledFiles& files, std::size_t count, std::size_t pixels) {
  const Join join{.images = files.images.name(),
                  .labels = files.labels.name(),
                  .pixels = pixels,
                  .file_by_file = are_paired(files.images, files.labels),
                  .rows = files.image_bytes ? count : 0};
  return g.map("batch", join, read_pairs(g, files, count), unlimited);
}

}  // namespace sluice::apps
