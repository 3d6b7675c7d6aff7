#include "apps/job/load.hpp"

#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "apps/job/input.hpp"
#include "apps/job/read_table.hpp"
#include "apps/job/tables.hpp"
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
//  and the same for the labels and for the test set, side by side; of a table
//  inflate.train -> cut.train -> parse.train -> collect.train
Loading::Loading(const DataFiles& files, const DataSettings& settings, const Threads& threads)
    : files_(files), settings_(settings), threads_(threads), graph_("load", threads) {
  wire("train", files.train_images, files.train_labels, settings_.table, train_part_);
  wire("test", files.test_images, files.test_labels, table_like(settings_, files.train_images), test_part_);
}

void Loading::wire(const std::string& what, const InputFiles& images, const InputFiles& labels, const ReadTable& table,
                   Part& part) {
  part.is_table = images.is_table();
  if (!part.is_table) {
    load<ItemKind::images>(graph_, what + "-images", images, settings_, part.images, part.digest_of_images);
    load<ItemKind::labels>(graph_, what + "-labels", labels, settings_, part.labels, part.digest_of_labels);
    return;
  }
  part.table.totals.files = images;
  ReadTable how = table;
  how.kept = true;
  const TableStreams streams = read_table(graph_, what, images, how, settings_.read);
  graph_.sink("collect." + what, std::ref(part.table), streams.rows);
  if (settings_.digests) graph_.sink("digest." + what, std::ref(part.digest_of_images), streams.chunks);
}

DataSet Loading::data_set(Part& part, const TableClasses& classes) {
  if (part.is_table) return make_data_set(std::move(part.table), classes);
  return make_data_set(std::move(part.images), std::move(part.labels),
                       classes.count ? std::optional(classes.count) : std::nullopt);
}

// The test set has values that the training set, of pixels of bytes, cannot have: says where.
void Loading::refuse_other_than_bytes() const {
  ReadTable how = table_like(settings_, files_.train_images);
  how.type = Pixel::uint8;
  Graph again("load", threads_);
  CountTable counted{.totals = {.files = files_.test_images}};
  again.sink("count.test", std::ref(counted), read_table(again, "test", files_.test_images, how, settings_.read).rows);
  again.run();
}

const JobData& Loading::run() {
  graph_.run();
  const TableTotals of_train = train_part_.table.totals, of_test = test_part_.table.totals;
  TableClasses classes{.words = {}, .count = settings_.classes};
  TableFacts facts;
  if (train_part_.is_table) classes = classes_of(of_train, settings_.classes);
  train_ = data_set(train_part_, classes);
  if (classes.count == 0) classes.count = train_.classes;
  test_ = data_set(test_part_, classes);
  if (train_part_.is_table) facts = facts_of(of_train, classes, train_.type());
  if (facts.bytes && test_part_.is_table && test_.type() != Pixel::uint8) refuse_other_than_bytes();
  for (const auto& [part, totals, set] :
       {std::tuple(&train_part_, &of_train, &train_), {&test_part_, &of_test, &test_}}) {
    if (!part->is_table) continue;
    set->divisor = counts_as_bytes(*totals->layout, set->type()) ? byte_divisor : 1;
    facts.notes.push_back(describe(*totals, classes, settings_.table.missing));
  }
  check_alike(train_, test_, settings_);
  if (train_part_.is_table && test_part_.is_table) check_same_features(of_train, of_test);
  FeatureTransform transform = find_transform(train_, settings_, facts, threads_);
  if (!transform.empty())
    for (DataSet* set : {&train_, &test_}) transform_set(transform, *set, threads_);
  data_ = {LabelledSet(train_), LabelledSet(test_), std::move(transform), std::move(facts), settings_.read.decoded, {}};
  data_.train.one_file = train_part_.is_table, data_.test.one_file = test_part_.is_table;
  if (settings_.digests)
    data_.digests = {train_part_.digest_of_images.hex(), train_part_.digest_of_labels.hex(),
                     test_part_.digest_of_images.hex(), test_part_.digest_of_labels.hex()};
  return data_;
}

}  // namespace sluice::apps
