#include "apps/load.hpp"

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "stages/each_file.hpp"
#include "stages/errors.hpp"
#include "stages/idx.hpp"
#include "stages/inflate.hpp"
#include "stages/inflate_whole.hpp"
#include "stages/parse.hpp"

namespace sluice::apps {
namespace {

using namespace stages;

//  inflate.train-images -> parse.train-images -> collect.train-images
//                       -> digest.train-images                        (for checkpoints)
//  and the same for the other three, side by side
template <IdxKind kind, class Inflater, class Collector>
void wire(Graph& g, const std::string& what, EachFile<Inflater> inflate, const std::vector<std::string>& paths,
          std::size_t item_bytes, Collector& collector, Digest* digest) {
  // What an image's elements keep is a whole chunk. Only a wiring that is to state its bound looks for it.
  const std::size_t chunk_bytes = item_bytes ? inflate.payload_bytes().value_or(0) : 0;
  ParseIdx<kind> parse{.paths = paths, .item_bytes = chunk_bytes ? item_bytes : 0};
  if (chunk_bytes) parse.chunk_bytes = chunk_bytes;
  const bool whole = std::is_same_v<Inflater, InflateWhole>;
  auto chunks = g.source("inflate." + what, std::move(inflate), capacity(whole ? 1 : 2));
  auto elements = g.expand("parse." + what, parse, chunks, capacity(whole ? 1 : 4));
  g.sink("collect." + what, std::ref(collector), elements);
  if (digest) g.sink("digest." + what, std::ref(*digest), chunks);
}

template <IdxKind kind, class Collector>
void wire(Graph& g, const std::string& what, const std::string& path, const std::string& decoder, int wake,
          std::size_t item_bytes, Collector& collector, Digest* digest) {
  collector.path = path;
  const std::vector<std::string> paths = file_list(path);
  if (decoder == "libdeflate") {
    EachFile<InflateWhole> inflate;
    for (const std::string& one : paths) inflate.files.push_back({.path = one, .kind = kind, .wake = wake});
    wire<kind>(g, what, std::move(inflate), paths, item_bytes, collector, digest);
  } else {
    EachFile<Inflate> inflate;
    for (const std::string& one : paths) inflate.files.push_back({.path = one, .wake = wake});
    wire<kind>(g, what, std::move(inflate), paths, item_bytes, collector, digest);
  }
}

}  // namespace

Loading::Loading(const DataFiles& files, const Options& options, const Threads& threads, std::size_t image_bytes,
                 int wake)
    : classes_(options.classes), graph_("load", threads) {
  const std::string decoder = options.effective_decoder();
  const std::size_t label_bytes = image_bytes ? sizeof(float) : 0;
  const auto digest = [&](std::size_t i) { return options.keeps_checkpoints() ? &digests_[i] : nullptr; };
  wire<IdxKind::images>(graph_, "train-images", files.train_images, decoder, wake, image_bytes, train_images_,
                        digest(0));
  wire<IdxKind::labels>(graph_, "train-labels", files.train_labels, decoder, wake, label_bytes, train_labels_,
                        digest(1));
  wire<IdxKind::images>(graph_, "test-images", files.test_images, decoder, wake, image_bytes, test_images_, digest(2));
  wire<IdxKind::labels>(graph_, "test-labels", files.test_labels, decoder, wake, label_bytes, test_labels_, digest(3));
}

std::array<std::string, 4> Loading::digests() const {
  return {digests_[0].hex(), digests_[1].hex(), digests_[2].hex(), digests_[3].hex()};
}

DataSet shape_of(const std::string& images, std::size_t classes) {
  const std::string path = file_list(images).front();
  Inflate inflate{.path = path, .chunk_bytes = idx_header_bytes(IdxKind::images)};
  Chunk header;
  if (!inflate(header) || header.size < idx_header_bytes(IdxKind::images))
    throw DataError(path + ": ends within the IDX header");
  const IdxShape shape = parse_idx_header(header.data, IdxKind::images, path);
  DataSet set;
  set.rows = static_cast<std::size_t>(shape.rows);
  set.columns = static_cast<std::size_t>(shape.columns);
  set.stored = shape.type;
  set.classes = classes ? classes : 10;
  return set;
}

void Loading::run() {
  graph_.run();
  train_ = make_data_set(std::move(train_images_), std::move(train_labels_),
                         classes_ ? std::optional(classes_) : std::nullopt);
  test_ = make_data_set(std::move(test_images_), std::move(test_labels_), train_.classes);
  check_same_size(train_, test_);
}

}  // namespace sluice::apps
