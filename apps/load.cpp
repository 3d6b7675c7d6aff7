#include "apps/load.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "stages/errors.hpp"
#include "stages/idx.hpp"
#include "stages/inflate.hpp"
#include "stages/parse.hpp"

namespace sluice::apps {
namespace {

using namespace stages;

//  inflate.train-images -> parse.train-images -> collect.train-images
//  and the same for the other three, side by side
template <class Parser, class Collector>
void wire(Graph& g, const std::string& what, const std::string& path, std::size_t item_bytes, Collector& collector) {
  collector.path = path;
  auto chunks = g.source("inflate." + what, Inflate{.path = path}, capacity(2));
  auto elements = g.expand("parse." + what, Parser{.path = path, .item_bytes = item_bytes}, chunks, capacity(4));
  g.sink("collect." + what, std::ref(collector), elements);
}

}  // namespace

Loading::Loading(const DataFiles& files, std::size_t classes, const Threads& threads, std::size_t pixels)
    : classes_(classes), graph_("load", threads) {
  wire<ParseImages>(graph_, "train-images", files.train_images, pixels, train_images_);
  wire<ParseLabels>(graph_, "train-labels", files.train_labels, 1, train_labels_);
  wire<ParseImages>(graph_, "test-images", files.test_images, pixels, test_images_);
  wire<ParseLabels>(graph_, "test-labels", files.test_labels, 1, test_labels_);
}

DataSet shape_of(const std::string& images, std::size_t classes) {
  Inflate inflate{.path = images, .chunk_bytes = idx_header_bytes(IdxKind::images)};
  Chunk header;
  if (!inflate(header) || header.size < idx_header_bytes(IdxKind::images))
    throw DataError(images + ": ends within the IDX header");
  const IdxShape shape = parse_idx_header(header.data, IdxKind::images, images);
  DataSet set;
  set.rows = static_cast<std::size_t>(shape.rows);
  set.columns = static_cast<std::size_t>(shape.columns);
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
