#include "apps/job/load.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include <sluice/stages/idx.hpp>
#include "apps/job/transform.hpp"

namespace sluice::apps {

using namespace stages;

namespace {

template <ItemKind kind, class Collector>
void load(Graph& g, const std::string& what, const InputFiles& files, const DataSettings& settings,
          Collector& collector, Digest& digest) {
  collector.files = files;
  ReadItems how = settings.read;
  how.kept = true;
  const ItemStreams streams = read_items<kind>(g, what, files, how);
  g.sink("collect." + what, std::ref(collector), streams.elements);
  if (settings.digests) g.sink("digest." + what, std::ref(digest), streams.chunks);
}

}  // namespace

//  inflate.train-images -> parse.train-images -> collect.train-images
//                       -> digest.train-images                        (for checkpoints)
//  and the same for the other three, side by side
Loading::Loading(const DataFiles& files, const DataSettings& settings, const Threads& threads)
    : settings_(settings), threads_(threads), graph_("load", threads) {
  load<ItemKind::images>(graph_, "train-images", files.train_images, settings, train_images_, digests_[0]);
  load<ItemKind::labels>(graph_, "train-labels", files.train_labels, settings, train_labels_, digests_[1]);
  load<ItemKind::images>(graph_, "test-images", files.test_images, settings, test_images_, digests_[2]);
  load<ItemKind::labels>(graph_, "test-labels", files.test_labels, settings, test_labels_, digests_[3]);
}

const JobData& Loading::run() {
  graph_.run();
  train_ = make_data_set(std::move(train_images_), std::move(train_labels_),
                         settings_.classes ? std::optional(settings_.classes) : std::nullopt);
  test_ = make_data_set(std::move(test_images_), std::move(test_labels_), train_.classes);
  check_same_size(train_, test_);
  stages::FeatureTransform transform;
  if (settings_.standardize) transform = standard_of(train_, threads_);
  if (!transform.empty())
    for (DataSet* set : {&train_, &test_}) transform_set(transform, *set, threads_);
  data_ = {LabelledSet(train_), LabelledSet(test_), std::move(transform), settings_.read.decoded, {}};
  if (settings_.digests)
    for (std::size_t i = 0; i < digests_.size(); ++i) data_.digests[i] = digests_[i].hex();
  return data_;
}

}  // namespace sluice::apps
