#include "apps/input.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include <sluice/stages/dataset.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/join.hpp>

namespace sluice::apps {

void rethrow_unequal(const StageError& error, const std::string& images, const std::string& labels) {
  if (error.cause_as<UnequalStreams>()) throw stages::DataError(stages::not_as_many(called(images), called(labels)));
}

using namespace stages;

std::string called(const std::string& path) {
  return path == "-" ? standard_input : path;
}

IdxShape header_of(IdxKind kind, const std::string& path) {
  Inflate inflate{.path = path, .chunk_bytes = idx_header_bytes(kind)};
  Chunk header;
  if (!inflate(header) || header.size < idx_header_bytes(kind)) throw DataError(path + ": ends within the IDX header");
  return parse_idx_header(header.data, kind, path);
}

void check_headers(const std::string& images, const std::string& labels) {
  if (images == "-" || labels == "-" || waits(images) || waits(labels)) return;
  const auto promised = [](IdxKind kind, const std::string& list) {
    std::uint64_t count = 0;
    for (const std::string& path : file_list(list)) count += header_of(kind, path).count;
    return count;
  };
  const std::uint64_t of_images = promised(IdxKind::images, images), of_labels = promised(IdxKind::labels, labels);
  check_as_many(images, of_images, labels, of_labels);
}

bool waits(const std::string& path) {
  const auto is_no_file = [](int result, const struct stat& status) { return result == 0 && !S_ISREG(status.st_mode); };
  struct stat status {};
  if (path == "-") return is_no_file(::fstat(STDIN_FILENO, &status), status);
  const std::vector<std::string> paths = file_list(path);
  return std::any_of(paths.begin(), paths.end(),
                     [&](const std::string& one) { return is_no_file(::stat(one.c_str(), &status), status); });
}

Threads threads_beside_waits(std::size_t wanted, const std::vector<std::string>& inputs) {
  const auto waiting = static_cast<std::size_t>(std::count_if(inputs.begin(), inputs.end(), waits));
  return Threads(std::max(wanted, waiting ? waiting + 1 : 1));
}

Stream<LabelledRows> read_pairs(Graph& g, const LabelledFiles& files, std::size_t count) {
  const std::size_t label_bytes = files.image_bytes ? sizeof(float) : 0;
  auto images = read_rows<IdxKind::images>(g, files.prefix + "images", files.images,
                                           {.count = count, .item_bytes = files.image_bytes});
  auto labels = read_rows<IdxKind::labels>(g, files.prefix + "labels", files.labels,
                                           {.count = count, .item_bytes = label_bytes, .classes = files.classes});
  return g.zip("pair", images, labels, capacity(2));
}

Stream<Batch> read_batches(Graph& g, const LabelledFiles& files, std::size_t count, std::size_t pixels) {
  const Join join{.images = called(files.images),
                  .labels = called(files.labels),
                  .pixels = pixels,
                  .rows = files.image_bytes ? count : 0};
  return g.map("batch", join, read_pairs(g, files, count), unlimited);
}

}  // namespace sluice::apps
