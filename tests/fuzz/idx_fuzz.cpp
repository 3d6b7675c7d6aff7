// IDX: two bytes with the length of an images file (big-endian), one with the number of classes (0: to be counted),
// the images file, and after it a labels file. Whatever chunks they come in: the same items, the same verdict, the same
// data set.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <sluice/stages/dataset.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/parse.hpp>
#include "tests/fuzz/parsing.hpp"
#include "tests/fuzz/support.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzz;
  using namespace sluice::stages;
  if (size < 3) return 0;
  Derived derived(data, size);
  const std::size_t images_size = std::min<std::size_t>(std::size_t{data[0]} << 8 | data[1], size - 3);
  const std::optional<std::size_t> classes = data[2] ? std::optional<std::size_t>(data[2]) : std::nullopt;
  const std::uint8_t* const images = data + 3;
  const std::uint8_t* const labels = images + images_size;
  const std::size_t labels_size = size - 3 - images_size;

  CollectImages image_table{.files = "images"};
  CollectLabels label_table{.files = "labels"}, other_table{.files = "images"};
  const ParseLabels parse_labels{.paths = {"file"}};
  const Outcome of_images =
      parsed_in_every_way(ParseImages{.paths = {"file"}}, images, images_size, derived, image_table);
  const Outcome of_labels = parsed_in_every_way(parse_labels, labels, labels_size, derived, label_table);
  parsed_in_every_way(parse_labels, images, images_size, derived, other_table);
  if (!of_images.error.empty() || !of_labels.error.empty()) return 0;
  try {
    const DataSet set = make_data_set(std::move(image_table), std::move(label_table), classes);
    expect(set.size() == of_images.shape->count && set.labels.size() == set.size(), "as many images as labels");
    expect(set.pixels() == of_images.shape->pixels(), "of the size that the header says");
    expect(set.classes >= 2 && set.classes <= most_classes && (!classes || set.classes == *classes),
           "as many classes as there can be");
    std::string pixels, values;
    for (const std::uint8_t* image : set.images) pixels.append(image, image + set.image_bytes());
    for (const std::uint16_t label : set.labels) {
      expect(label < set.classes, "a label is below the number of classes");
      const auto value = static_cast<float>(label);
      if (of_labels.type == Pixel::uint8)
        values += static_cast<char>(label);
      else
        values.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    expect(pixels == of_images.items && values == of_labels.items, "a data set is what was parsed");
  } catch (const DataError&) {
  } catch (const std::invalid_argument&) {
    expect(classes == 1u, "the number of classes is right");
  }
  return 0;
}
