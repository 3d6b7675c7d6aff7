#include "apps/input.hpp"

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

Stream<LabelledRows> read_pairs(Graph& g, const LabelledFiles& files, std::size_t count) {
  const std::size_t label_bytes = files.image_bytes ? sizeof(float) : 0;
  auto images = read_rows<IdxKind::images>(g, files.prefix + "images", files.images,
                                           {.count = count, .item_bytes = files.image_bytes});
  auto labels =
      read_rows<IdxKind::labels>(g, files.prefix + "labels", files.labels, {.count = count, .item_bytes = label_bytes});
  return g.zip("pair", images, labels, capacity(2));
}

Stream<Batch> read_batches(Graph& g, const LabelledFiles& files, std::size_t count, std::size_t pixels,
                           std::size_t classes) {
  const Join join{.classes = classes,
                  .images = files.images,
                  .labels = files.labels,
                  .pixels = pixels,
                  .rows = files.image_bytes ? count : 0};
  return g.map("batch", join, read_pairs(g, files, count), unlimited);
}

}  // namespace sluice::apps
