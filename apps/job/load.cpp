#include "apps/job/load.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
  if (validates())
    wire("validation", files.validation_images, files.validation_labels, table_like(settings_, files.train_images),
         validation_part_);
}

void Loading::wire(const std::string& what, const InputFiles& images, const InputFiles& labels, const ReadTable& table,
                   Part& part) {
  part.files = images;
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

// These files have values that the training set, of pixels of bytes, cannot have: says where.
void Loading::refuse_other_than_bytes(const InputFiles& files) const {
  ReadTable how = table_like(settings_, files_.train_images);
  how.type = Pixel::uint8;
  Graph again("load", threads_);
  CountTable counted{.totals = {.files = files}};
  again.sink("count.test", std::ref(counted), read_table(again, "test", files, how, settings_.read).rows);
  again.run();
}

const JobData& Loading::run() {
  graph_.run();
  struct Other {
    Part* part;
    DataSet* set;
    TableTotals totals;
  };
  std::vector<Other> others{{&test_part_, &test_, test_part_.table.totals}};
  if (validates()) others.push_back({&validation_part_, &validation_, validation_part_.table.totals});
  const TableTotals of_train = train_part_.table.totals;
  TableClasses classes{.words = {}, .count = settings_.classes};
  TableFacts facts;
  if (train_part_.is_table) classes = classes_of(of_train, settings_.classes);
  train_ = data_set(train_part_, classes);
  if (classes.count == 0) classes.count = train_.classes;
  if (train_part_.is_table) facts = facts_of(of_train, classes, train_.type());
  const auto describe_table = [&](const Part& part, const TableTotals& totals, DataSet& set) {
    if (!part.is_table) return;
    set.divisor = counts_as_bytes(*totals.layout, set.type()) ? byte_divisor : 1;
    facts.notes.push_back(describe(totals, classes, settings_.table.missing));
  };
  describe_table(train_part_, of_train, train_);
  for (Other& other : others) {
    *other.set = data_set(*other.part, classes);
    if (facts.bytes && other.part->is_table && other.set->type() != Pixel::uint8)
      refuse_other_than_bytes(other.part->files);
    describe_table(*other.part, other.totals, *other.set);
    check_alike(train_, *other.set, settings_);
    if (train_part_.is_table && other.part->is_table) check_same_features(of_train, other.totals);
  }
  FeatureTransform transform = find_transform(train_, settings_, facts, threads_);
  if (!transform.empty()) {
    transform_set(transform, train_, threads_);
    for (Other& other : others) transform_set(transform, *other.set, threads_);
  }
  data_ = {LabelledSet(train_), LabelledSet(test_), std::move(transform), std::move(facts), settings_.read.decoded, {}};
  data_.train.one_file = train_part_.is_table, data_.test.one_file = test_part_.is_table;
  if (validates()) data_.validation = LabelledSet(validation_);
  data_.validation.one_file = validation_part_.is_table;
  if (settings_.digests) {
    const Part* const parts[] = {&train_part_, &test_part_, &validation_part_};
    for (std::size_t i = 0; i < (validates() ? 3 : 2); ++i) {
      data_.digests[2 * i] = parts[i]->digest_of_images.hex();
      data_.digests[2 * i + 1] = parts[i]->digest_of_labels.hex();
    }
  }
  return data_;
}

}  // namespace sluice::apps
