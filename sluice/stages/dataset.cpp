#include <sluice/stages/dataset.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>
#include <utility>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/label.hpp>

namespace sluice::stages {

void CollectImages::operator()(const Elements& elements) {
  shape = elements.shape;
  const std::size_t size = elements.item_bytes();
  for (std::size_t i = 0; i < elements.count; ++i) images.push_back(elements.data + i * size);
  if (owners.empty() || owners.back().get() != elements.owner.get()) owners.push_back(elements.owner);
}

void CollectLabels::operator()(const Elements& elements) {
  if (elements.in_file == 0) begins.push_back(labels.size());
  if (elements.type == Pixel::uint8)
    labels.insert(labels.end(), elements.data, elements.data + elements.count);
  else
    for (std::size_t i = 0; i < elements.count; ++i)
      labels.push_back(label_of(elements.type, elements.data + i * elements.item_bytes()));
}

namespace {

[[noreturn]] void refuse_label_in(const InputFiles& files, std::size_t file, std::uint16_t label, std::uint64_t image,
                                  std::size_t classes) {
  refuse_label(files.names().at(file), label, image, classes, " (see --classes)");
}

void check_model_size(const DataShape& shape, const std::string& labels) {
  if (shape.pixels() <= most_weights / shape.classes) return;
  throw DataError(
      fmt::format("{}: images of {} x {} pixels in {} classes make a model of more than {} weights: is the "
                  "header damaged, or a label of {}?",
                  shape.path, shape.rows, shape.columns, shape.classes, most_weights, labels));
}

}  // namespace

void check_as_many(const std::string& images, std::uint64_t image_count, const std::string& labels,
                   std::uint64_t label_count) {
  if (image_count == label_count) return;
  throw DataError(fmt::format("{} has {} images, {} has {} labels, expected as many: do the two belong together?",
                              images, image_count, labels, label_count));
}

void CountLabels::operator()(const Elements& elements) {
  files_begun += elements.in_file == 0;
  for (std::size_t i = 0; i < elements.count; ++i) {
    const std::uint16_t label = label_of(elements.type, elements.data + i * elements.item_bytes());
    if (classes && label >= classes) refuse_label_in(files, files_begun - 1, label, elements.in_file + i, classes);
    if (label > highest) highest = label, highest_file = files_begun - 1, highest_at = elements.in_file + i;
  }
  count += elements.count;
}

std::size_t counted_classes(std::uint16_t highest_label) {
  return std::max<std::size_t>(2, highest_label + 1u);
}

void check_counted(const DataShape& shape, std::uint64_t images, const CountLabels& labels) {
  check_as_many(shape.path, images, labels.files.name(), labels.count);
  check_model_size(shape, labels.files.name());
  if (labels.highest >= shape.classes)
    refuse_label_in(labels.files, labels.highest_file, labels.highest, labels.highest_at, shape.classes);
}

DataSet make_data_set(CollectImages images, CollectLabels labels, std::optional<std::size_t> classes) {
  if (classes && (*classes < 2 || *classes > most_classes))
    throw std::invalid_argument(fmt::format("{} classes, expected 2 to {}", *classes, most_classes));
  check_as_many(images.files.name(), images.images.size(), labels.files.name(), labels.labels.size());
  if (images.images.empty()) throw DataError(images.files.name() + ": has no images, expected at least 1");
  const Column<std::uint16_t>& values = labels.labels;
  const std::size_t counted = counted_classes(*std::max_element(values.begin(), values.end()));
  if (classes && counted > *classes) {
    const auto wrong = static_cast<std::size_t>(
        std::find_if(values.begin(), values.end(), [&](auto label) { return label >= *classes; }) - values.begin());
    const auto next = std::upper_bound(labels.begins.begin(), labels.begins.end(), wrong);
    refuse_label_in(labels.files, static_cast<std::size_t>(next - labels.begins.begin()) - 1, values[wrong],
                    wrong - *std::prev(next), *classes);
  }
  DataSet set;
  set.rows = static_cast<std::size_t>(images.shape.rows);
  set.columns = static_cast<std::size_t>(images.shape.columns);
  set.stored = images.shape.type;
  set.classes = classes.value_or(counted);
  set.path = images.files.name();
  check_model_size(set, labels.files.name());
  set.images = std::move(images.images);
  set.labels = std::move(labels.labels);
  set.owners = std::move(images.owners);
  return set;
}

void check_same_size(const DataShape& train, const DataShape& test) {
  if (train.rows != test.rows || train.columns != test.columns)
    throw DataError(fmt::format("{}: images of {} x {} pixels, expected {} x {} as in {}: do the two belong together?",
                                test.path, test.rows, test.columns, train.rows, train.columns, train.path));
  if (train.stored != test.stored)
    throw DataError(fmt::format("{}: images of {}, expected {} as in {}: do the two belong together?", test.path,
                                element_type_name(test.stored), element_type_name(train.stored), train.path));
}

}  // namespace sluice::stages
