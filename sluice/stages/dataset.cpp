#include <sluice/stages/dataset.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <utility>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/label.hpp>
#include <sluice/stages/scale.hpp>

namespace sluice::stages {

namespace {

void add(ItemCounts& counts, const Elements& elements) {
  if (elements.in_file == 0) counts.push_back(0);
  counts.back() += elements.count;
}

}  // namespace

std::uint64_t in_all(const ItemCounts& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

void set_images(DataShape& shape, const ItemShape& images) {
  shape.planes = static_cast<std::size_t>(images.planes);
  shape.rows = static_cast<std::size_t>(images.rows);
  shape.columns = static_cast<std::size_t>(images.columns);
  shape.flat = images.flat;
  shape.stored = images.type;
}

void CollectImages::operator()(const Elements& elements) {
  shape = elements.shape;
  add(counts, elements);
  const std::size_t size = elements.item_bytes();
  for (std::size_t i = 0; i < elements.count; ++i) images.push_back(elements.data + i * size);
  if (owners.empty() || owners.back().get() != elements.owner.get()) owners.push_back(elements.owner);
}

void CollectLabels::operator()(const Elements& elements) {
  add(counts, elements);
  if (elements.type == Pixel::uint8)
    labels.insert(labels.end(), elements.data, elements.data + elements.count);
  else
    for (std::size_t i = 0; i < elements.count; ++i)
      labels.push_back(label_of(elements.type, elements.data + i * elements.item_bytes()));
}

namespace {

[[noreturn]] void refuse_label_in(const InputFiles& files, std::size_t file, std::uint16_t label, std::uint64_t image,
                                  std::size_t classes) {
  refuse_label(files.names().at(file), std::to_string(label), image, classes, " (see --classes)");
}

void check_model_size(const DataShape& shape, const std::string& labels) {
  if (shape.pixels() <= most_weights / shape.classes) return;
  throw DataError(
      fmt::format("{}: images of {} in {} classes make a model of more than {} weights: is the header damaged, or a "
                  "label of {}?",
                  shape.path, pixels_text(shape), shape.classes, most_weights, labels));
}

}  // namespace

void check_as_many(const std::string& images, std::uint64_t image_count, const std::string& labels,
                   std::uint64_t label_count) {
  if (image_count == label_count) return;
  throw DataError(fmt::format("{} has {} images, {} has {} labels, expected as many: do the two belong together?",
                              images, image_count, labels, label_count));
}

void check_as_many(const InputFiles& images, const ItemCounts& image_counts, const InputFiles& labels,
                   const ItemCounts& label_counts) {
  if (image_counts.size() < 2 || label_counts.size() < 2)
    return check_as_many(images.name(), in_all(image_counts), labels.name(), in_all(label_counts));
  if (image_counts.size() != label_counts.size())
    throw DataError(
        fmt::format("{} are {} files of images, {} are {} of labels, expected as many files, or one for all",
                    images.name(), image_counts.size(), labels.name(), label_counts.size()));
  for (std::size_t i = 0; i < image_counts.size(); ++i)
    check_as_many(images.names().at(i), image_counts[i], labels.names().at(i), label_counts[i]);
}

void CountLabels::operator()(const Elements& elements) {
  add(counts, elements);
  const std::size_t file = counts.size() - 1;
  for (std::size_t i = 0; i < elements.count; ++i) {
    const std::uint16_t label = label_of(elements.type, elements.data + i * elements.item_bytes());
    if (classes && label >= classes) refuse_label_in(files, file, label, elements.in_file + i, classes);
    if (label > highest) highest = label, highest_file = file, highest_at = elements.in_file + i;
  }
}

float largest_value(const DataSet& set) {
  float largest = -std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < std::min<std::size_t>(set.size(), 1000); ++i)
    for (std::size_t p = 0; p < set.pixels(); ++p)
      largest = std::max(largest, set.type() == Pixel::uint8 ? static_cast<float>(set.images[i][p])
                                                             : reinterpret_cast<const float*>(set.images[i])[p]);
  return largest;
}

std::size_t counted_classes(std::uint16_t highest_label) {
  return std::max<std::size_t>(2, highest_label + 1u);
}

void check_counted(const DataShape& shape, const InputFiles& images, const ItemCounts& counts,
                   const CountLabels& labels) {
  check_as_many(images, counts, labels.files, labels.counts);
  check_model_size(shape, labels.files.name());
  if (labels.highest >= shape.classes)
    refuse_label_in(labels.files, labels.highest_file, labels.highest, labels.highest_at, shape.classes);
}

DataSet make_data_set(CollectImages images, CollectLabels labels, std::optional<std::size_t> classes) {
  if (classes && (*classes < 2 || *classes > most_classes))
    throw std::invalid_argument(fmt::format("{} classes, expected 2 to {}", *classes, most_classes));
  check_as_many(images.files, images.counts, labels.files, labels.counts);
  if (images.images.empty()) throw DataError(images.files.name() + ": has no images, expected at least 1");
  const Column<std::uint16_t>& values = labels.labels;
  const std::size_t counted = counted_classes(*std::max_element(values.begin(), values.end()));
  if (classes && counted > *classes) {
    const auto wrong = static_cast<std::size_t>(
        std::find_if(values.begin(), values.end(), [&](auto label) { return label >= *classes; }) - values.begin());
    std::size_t file = 0, begin = 0;
    while (wrong - begin >= labels.counts[file]) begin += static_cast<std::size_t>(labels.counts[file++]);
    refuse_label_in(labels.files, file, values[wrong], wrong - begin, *classes);
  }
  DataSet set;
  set_images(set, images.shape);
  set.classes = classes.value_or(counted);
  set.path = images.files.name();
  check_model_size(set, labels.files.name());
  set.images = std::move(images.images);
  set.labels = std::move(labels.labels);
  set.owners = std::move(images.owners);
  return set;
}

void check_same_size(const DataShape& train, const DataShape& test) {
  const bool same_size =
      train.flat || test.flat ? train.pixels() == test.pixels() : size_text(train) == size_text(test);
  if (!same_size)
    throw DataError(fmt::format("{}: images of {}, expected {} as in {}: do the two belong together?", test.path,
                                pixels_text(test), pixels_text(train), train.path));
}

void check_same_scale(const DataShape& train, const DataShape& test) {
  // Whether text is held as bytes or not says nothing.
  if (train.divisor && test.divisor) return;
  if (!train.divisor && !test.divisor) {
    if (train.stored == test.stored) return;
    throw DataError(
        fmt::format("{}: images of {}, expected {} as in {}: do the two belong together? (--scale says one "
                    "for both)",
                    test.path, element_type_name(test.stored), element_type_name(train.stored), train.path));
  }
  const auto divisor = [](const DataShape& shape) { return shape.divisor.value_or(usual_divisor(shape.stored)); };
  if (divisor(train) != divisor(test))
    throw DataError(
        fmt::format("{}: pixels whose scale is {}, expected {} as in {}: are they alike? (--scale says one "
                    "for both)",
                    test.path, scale_text(divisor(test)), scale_text(divisor(train)), train.path));
}

}  // namespace sluice::stages
