#include "apps/input.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <exception>

#include "stages/errors.hpp"
#include "stages/join.hpp"

namespace sluice::apps {

void rethrow_unequal(const StageError& error, const std::string& images, const std::string& labels) {
  try {
    std::rethrow_exception(error.cause());
  } catch (const UnequalStreams&) {
    throw stages::DataError(stages::not_as_many(images, labels));
  } catch (...) {
  }
}

using namespace stages;

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
  const Join join{
      .images = files.images, .labels = files.labels, .pixels = pixels, .rows = files.image_bytes ? count : 0};
  return g.map("batch", join, read_pairs(g, files, count), unlimited);
}

}  // namespace sluice::apps
