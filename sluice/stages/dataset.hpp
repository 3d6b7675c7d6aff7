// A labelled set of images in memory: the decoded bytes where they lie, and a pointer to each image.
//
// Collectors: Elements of an images file and of a labels file, in order -> tables; make_data_set joins the two.
// Order and thread-safety: collectors are sinks, one thread at a time; a DataSet is read-only once made.
// Errors: DataError naming the files: different counts, no images, a label outside the classes.
// std::invalid_argument for a number of classes outside 2 .. most_classes.
//
//   CollectImages images; CollectLabels labels;   // sinks of the loading graph
//   DataSet train = make_data_set(std::move(images), std::move(labels), {});
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/chunk.hpp>
#include <sluice/stages/huge_pages.hpp>
#include <sluice/stages/input_files.hpp>
#include <sluice/stages/model.hpp>
#include <sluice/stages/parse.hpp>

namespace sluice::stages {

// What the images and labels of a set are, wherever they lie.
struct DataShape {
  std::size_t rows = 0, columns = 0;        // of an image, in pixels
  ElementType stored = ElementType::uint8;  // in the file
  std::size_t classes = 0;                  // 2 .. most_classes
  std::string path;                         // of the images, for error messages
  std::size_t planes = 1;                   // of an image, one behind the other
  bool flat = false;                        // as in ItemShape

  // What its pixels are usually divided by, where their type does not say it (sluice/stages/scale.hpp).
  std::optional<float> divisor{};

  std::size_t pixels() const { return planes * rows * columns; }
  Pixel type() const { return pixel_type(stored); }
  std::size_t image_bytes() const { return pixels() * (type() == Pixel::uint8 ? 1 : sizeof(float)); }
};

// The size and the type of images, taken over.
void set_images(DataShape& shape, const ItemShape& images);

struct DataSet : DataShape {
  Column<const std::uint8_t*> images;  // (size), each planes x rows x columns of type()
  Column<std::uint16_t> labels;        // (size), 0 .. classes - 1
  std::vector<Shared<Bytes>> owners;   // what the images lie in

  std::size_t size() const { return images.size(); }
};

// Of several files: how many items each has.
using ItemCounts = std::vector<std::uint64_t>;
std::uint64_t in_all(const ItemCounts& counts);

struct CollectImages {
  InputFiles files{};  // for error messages
  ItemShape shape{};
  Column<const std::uint8_t*> images{};
  ItemCounts counts{};
  std::vector<Shared<Bytes>> owners{};

  void operator()(const Elements& elements);
  void reset() { shape = {}, images.clear(), counts.clear(), owners.clear(); }
};

struct CollectLabels {
  InputFiles files{};  // for error messages
  Column<std::uint16_t> labels{};
  ItemCounts counts{};

  void operator()(const Elements& elements);
  void reset() { labels.clear(), counts.clear(); }
};

// Counts the labels instead of keeping them. Throws DataError for one that is none of `classes`, where they are given.
struct CountLabels {
  InputFiles files{};       // for error messages
  std::size_t classes = 0;  // 0: as many as the highest label says
  ItemCounts counts{};
  std::uint16_t highest = 0;
  std::size_t highest_file = 0;  // the first that has it
  std::uint64_t highest_at = 0;  // the first image of it that has it

  void operator()(const Elements& elements);
  void reset() { *this = {.files = files, .classes = classes}; }
};

// Weights of a model at most: pixels x classes. What would need more is taken for a damaged header.
inline constexpr std::size_t most_weights = std::size_t{1} << 26;

// classes: how many there are, or nothing to count them: the highest label + 1, at least 2.
DataSet make_data_set(CollectImages images, CollectLabels labels, std::optional<std::size_t> classes);

// Of the pixels of the first thousand images, as they are stored.
float largest_value(const DataSet& set);

std::size_t counted_classes(std::uint16_t highest_label);

// Throws DataError unless there are as many of both.
void check_as_many(const std::string& images, std::uint64_t image_count, const std::string& labels,
                   std::uint64_t label_count);
// The same of files: where there are several of both, of each pair of them, so that no labels are those of other
// images; throws DataError also where these are not as many.
void check_as_many(const InputFiles& images, const ItemCounts& image_counts, const InputFiles& labels,
                   const ItemCounts& label_counts);

// Throws what make_data_set would for so many images and these labels: for a set that stays in its files.
void check_counted(const DataShape& shape, const InputFiles& images, const ItemCounts& counts,
                   const CountLabels& labels);

// Throws DataError unless the test set's images are of the size that was trained on.
void check_same_size(const DataShape& train, const DataShape& test);
// Throws DataError unless arrays are of the type that was trained on, and where one of the two is text, its pixels of
// the same usual scale.
void check_same_scale(const DataShape& train, const DataShape& test);

static_assert(verbs::Sink<CollectImages, Elements> && verbs::Sink<CollectLabels, Elements> &&
              verbs::Sink<CountLabels, Elements>);

}  // namespace sluice::stages
