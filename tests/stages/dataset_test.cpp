#include <sluice/stages/dataset.hpp>

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <stdexcept>

#include <sluice/stages/data_files.hpp>
#include <sluice/stages/each_file.hpp>
#include <sluice/stages/errors.hpp>
#include "tests/stages/idx_example.hpp"
#include "tests/support/allocations.hpp"

namespace sluice::stages::testing {
namespace {

using sluice::test::Allocations;

struct Pair {
  Folder folder;
  std::string images, labels;
  Pair(const std::string& images_bytes, const std::string& labels_bytes)
      : images(folder.write("images.gz", gzip(images_bytes))), labels(folder.write("labels.gz", gzip(labels_bytes))) {}
  DataSet load(std::optional<std::size_t> classes = {}) const { return testing::load(images, labels, classes); }
};

TEST(DataSet, HoldsEveryImageAndLabelInOrderWhateverTheSizesOfChunksAndReads) {
  const Pair pair(images_file(20, 3, 5), labels_file(20, 4));
  for (const std::size_t chunk : Sizes{1, 2, 15, 16, 17, 100, 1 << 18})
    for (const std::size_t read : Sizes{1, 64, 1 << 17}) {
      const DataSet set = load(pair.images, pair.labels, {}, {chunk, read});
      EXPECT_EQ(set.size(), 20u);
      EXPECT_EQ(set.rows, 3u);
      EXPECT_EQ(set.columns, 5u);
      EXPECT_EQ(set.pixels(), 15u);
      EXPECT_EQ(pixels_of(set), images_file(20, 3, 5).substr(16));
      for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(set.labels[i], i % 4);
    }
}

TEST(DataSet, ReadsPlainFilesToo) {
  const Folder folder;
  const DataSet set = load(folder.write("images", images_file(3, 2, 2)), folder.write("labels", labels_file(3, 3)));
  EXPECT_EQ(pixels_of(set), images_file(3, 2, 2).substr(16));
}

// Counted, with what a data set of the same would say.
TEST(CountLabels, AgreesWithADataSetInMemory) {
  const Folder folder;
  const auto counted = [&](const std::string& labels, std::size_t images, std::size_t classes) {
    const std::string path = folder.write("labels", labels);
    CountLabels counts{.files = path, .classes = classes};
    drive(Inflate{.path = path, .chunk_bytes = 7}, ParseLabels{.paths = {path}}, std::ref(counts));
    DataShape shape;
    shape.rows = shape.columns = 2, shape.path = "images";
    shape.classes = classes ? classes : counted_classes(counts.highest);
    check_counted(shape, "images", {images}, counts);
    return shape.classes;
  };
  for (const std::uint32_t count : {1u, 20u, 300u})
    for (const std::uint32_t classes : {1u, 2u, 7u, 256u}) {
      const std::string labels = labels_file(count, classes);
      EXPECT_EQ(counted(labels, count, 0), Pair(images_file(count, 2, 2), labels).load().classes);
    }
  EXPECT_EQ(counted(labels_file(20, 7), 20, 10), 10u);
  expect_error<DataError>([&] { counted(labels_file(20, 7), 20, 6); },
                          {"labels: label 6 of image 6, expected 0 to 5", "--classes"});
  expect_error<DataError>([&] { counted(labels_file(20, 7), 19, 0); }, {"images has 19 images", "20 labels"});
  expect_error<DataError>(
      [&] {
        DataShape shape;
        shape.rows = shape.columns = 1 << 12, shape.classes = 10, shape.path = "images";
        check_counted(shape, "images", {20}, {.files = "labels", .counts = {20}, .highest = 9});
      },
      {"images: images of 4096 x 4096 pixels in 10 classes", "labels"});
}

TEST(CheckAsMany, OfSeveralFilesComparesEachPair) {
  const auto check = [](const ItemCounts& images, const ItemCounts& labels) {
    check_as_many(InputFiles(std::vector<std::string>{"i0", "i1", "i2"}), images,
                  InputFiles(std::vector<std::string>{"l0", "l1", "l2"}), labels);
  };
  check({300, 500, 1}, {300, 500, 1});
  check({300, 500, 1}, {801});
  check({801}, {300, 500, 1});
  expect_error<DataError>([&] { check({300, 500, 1}, {500, 300, 1}); }, {"i0 has 300 images, l0 has 500 labels"});
  expect_error<DataError>([&] { check({300, 500, 1}, {300, 1, 500}); }, {"i1 has 500 images, l1 has 1 labels"});
  expect_error<DataError>([&] { check({300, 500, 1}, {800}); }, {"i0,i1,i2 has 801 images, l0,l1,l2 has 800 labels"});
  expect_error<DataError>(
      [&] {
        check({300, 501}, {300, 500, 1});
      },
      {"i0,i1,i2 are 2 files of images, l0,l1,l2 are 3 of labels", "or one for all"});
}

TEST(CountLabels, RememberTheFirstImageThatHasTheHighest) {
  const Folder folder;
  const std::string path = folder.write("labels", test::idx_labels(std::vector<std::uint8_t>{1, 5, 5, 2, 5}));
  CountLabels counts{.files = path};
  drive(Inflate{.path = path, .chunk_bytes = 7}, ParseLabels{.paths = {path}}, std::ref(counts));
  EXPECT_EQ(counts.highest, 5u);
  EXPECT_EQ(counts.highest_at, 1u);
}

TEST(CollectLabels, AreEmptyWhenTheyAreReset) {
  const Folder folder;
  const std::string path = folder.write("labels", labels_file(20, 7));
  CollectLabels labels{.files = path};
  drive(Inflate{.path = path, .chunk_bytes = 7}, ParseLabels{.paths = {path}}, std::ref(labels));
  EXPECT_EQ(labels.labels.size(), 20u);
  EXPECT_EQ(labels.counts, ItemCounts{20});
  labels.reset();
  EXPECT_TRUE(labels.labels.empty());
  EXPECT_TRUE(labels.counts.empty());
}

TEST(DataSet, CountsTheClassesAndThereAreAtLeastTwo) {
  EXPECT_EQ(Pair(images_file(20, 1, 1), labels_file(20, 7)).load().classes, 7u);
  EXPECT_EQ(Pair(images_file(20, 1, 1), labels_file(20, 1)).load().classes, 2u);
  EXPECT_EQ(Pair(images_file(256, 1, 1), labels_file(256, 256)).load().classes, 256u);
  EXPECT_EQ(Pair(images_file(20, 1, 1), labels_file(20, 7)).load(10).classes, 10u);
}

TEST(DataSet, ALabelOutsideTheClassesIsAnErrorThatNamesFileIndexAndValue) {
  const Pair pair(images_file(20, 1, 1), labels_file(20, 7));
  EXPECT_EQ(pair.load(7).classes, 7u);
  expect_error<DataError>([&] { pair.load(6); }, {pair.labels + ": label 6 of image 6, expected 0 to 5"});
  expect_error<DataError>([&] { pair.load(4); }, {pair.labels + ": label 4 of image 4, expected 0 to 3", "--classes"});
  const Folder folder;
  const std::string few = folder.write("few", labels_file(3, 2));
  CollectImages images;
  drive(Inflate{.path = folder.write("images", images_file(23, 1, 1))}, ParseImages{.paths = {"i"}}, std::ref(images));
  CollectLabels labels{.files = InputFiles(std::vector{few, pair.labels})};
  EachFile<Inflate> files;
  for (const std::string& path : {few, pair.labels}) files.files.push_back({.path = path});
  drive(std::move(files), ParseLabels{.paths = {few, pair.labels}}, std::ref(labels));
  expect_error<DataError>([&] { make_data_set(std::move(images), std::move(labels), 4); },
                          {pair.labels + ": label 4 of image 4, expected 0 to 3"});
}

TEST(DataSet, LabelsOfAnyWholeNumbersUpTo65536Classes) {
  const std::string images = images_file(3, 1, 1), start = header({0xc01, 3}), b = header({0x00000102});
  EXPECT_EQ(Pair(images, start + b + header({65535}) + header({0})).load().classes, 65536u);
  const DataSet set = Pair(images, header({0xb01, 3}) + std::string("\1\2\0\0\177\377", 6)).load();
  EXPECT_EQ(set.labels, (Column<std::uint16_t>{258, 0, 32767}));
  EXPECT_EQ(Pair(images, header({0x901, 3}) + std::string("\1\2\177")).load().classes, 128u);
  const Pair negative(images, start + b + header({0xfffffffd}) + b), large(images, start + b + b + header({65536}));
  expect_error<DataError>([&] { negative.load(); }, {negative.labels + ": label -3 of image 1, expected 0 to 65535"});
  expect_error<DataError>([&] { large.load(); }, {large.labels + ": label 65536 of image 2, expected 0 to 65535"});
}

TEST(DataSet, ImagesOfOtherTypesThanUint8AreFloat32InMemory) {
  const Pair pair(header({0xb03, 2, 1, 2}) + std::string("\0\1\377\377\1\0\2\0", 8), labels_file(2, 2));
  const DataSet set = pair.load();
  EXPECT_EQ(set.stored, ElementType::int16);
  EXPECT_EQ(set.type(), Pixel::float32);
  EXPECT_EQ(set.image_bytes(), 8u);
  std::vector<float> values;
  for (const auto* image : set.images) {
    const auto* const row = reinterpret_cast<const float*>(image);
    values.insert(values.end(), row, row + 2);
  }
  EXPECT_EQ(values, (std::vector<float>{1, -1, 256, 512}));
  expect_error<DataError>([&] { check_same_scale(set, Pair(images_file(2, 1, 2), labels_file(2, 2)).load()); },
                          {"images of uint8, expected int16 as in " + pair.images});
}

TEST(DataSet, ANumberOfClassesThatCannotBeIsRefused) {
  const Pair pair(images_file(2, 1, 1), labels_file(2, 2));
  for (const std::size_t classes : Sizes{0, 1, 65537}) EXPECT_THROW(pair.load(classes), std::invalid_argument);
}

TEST(DataSet, DifferentCountsAreAnErrorThatNamesBothFiles) {
  for (const std::uint32_t labels : {19u, 21u}) {
    const Pair pair(images_file(20, 2, 2), labels_file(labels, 2));
    expect_error<DataError>([&] { pair.load(); }, {pair.images + " has 20 images",
                                                   pair.labels + " has " + std::to_string(labels) + " labels"});
  }
}

TEST(DataSet, SwappedFilesAreAnErrorThatSaysSo) {
  const Pair pair(images_file(20, 2, 2), labels_file(20, 2));
  expect_error<DataError>(
      [&] { load(pair.labels, pair.images); },
      {pair.labels + ": IDX magic 0x00000801, expected 0x00000803: are images and labels swapped?"});
}

TEST(DataSet, NoImagesAreAnError) {
  const Pair pair(header({0x803, 0, 28, 28}), header({0x801, 0}));
  expect_error<DataError>([&] { pair.load(); }, {pair.images, "0 images"});
  expect_error<DataError>([] { make_data_set({.files = "f"}, {.files = "g"}, {}); }, {"f: has no images"});
}

TEST(DataSet, ATestSetOfAnotherImageSizeIsAnErrorThatNamesBothFiles) {
  const Pair train(images_file(4, 2, 8), labels_file(4, 2)), test(images_file(4, 4, 4), labels_file(4, 2));
  expect_error<DataError>([&] { check_same_size(train.load(), test.load()); },
                          {test.images + ": images of 4 x 4 pixels, expected 2 x 8 pixels as in " + train.images});
  check_same_size(train.load(), train.load());
}

TEST(DataSet, PixelsThatHaveAnotherScaleThanThoseThatWereTrainedOnAreAnError) {
  const DataShape bytes{.path = "a"}, floats{.stored = ElementType::float32, .path = "b"};
  const DataShape text{.stored = ElementType::float32, .path = "c", .divisor = 1},
      text_of_bytes{.path = "d", .divisor = byte_divisor};
  for (const auto& [train, test] : {std::pair(bytes, text_of_bytes), {floats, text}, {text, text_of_bytes}})
    for (int i = 0; i < 2; ++i) check_same_scale(i ? train : test, i ? test : train);
  expect_error<DataError>([&] { check_same_scale(bytes, floats); },
                          {"b: images of float32, expected uint8 as in a", "--scale says one for both"});
  expect_error<DataError>([&] { check_same_scale(bytes, text); },
                          {"c: pixels whose scale is 1, expected 1/255 as in a", "--scale says one for both"});
  expect_error<DataError>([&] { check_same_scale(text_of_bytes, floats); },
                          {"b: pixels whose scale is 1, expected 1/255 as in d"});
}

TEST(DataSet, EveryTruncationOfAFileIsAnError) {
  const std::string images = gzip(images_file(6, 3, 3)), labels = gzip(labels_file(6, 2));
  const Folder folder;
  const std::string whole_images = folder.write("i.gz", images), whole_labels = folder.write("l.gz", labels);
  for (std::size_t size = 0; size < images.size(); ++size)
    expect_error<DataError>([&] { load(folder.write("a.gz", images.substr(0, size)), whole_labels); }, {"a.gz"});
  for (std::size_t size = 0; size < labels.size(); ++size)
    expect_error<DataError>([&] { load(whole_images, folder.write("a.gz", labels.substr(0, size))); }, {"a.gz"});
}

TEST(DataSet, AMissingLastMemberIsAnError) {
  const std::string images = images_file(6, 3, 3);
  const Folder folder;
  const std::string labels = folder.write("l.gz", gzip(labels_file(6, 2)));
  EXPECT_EQ(load(folder.write("i.gz", gzip(images.substr(0, 40)) + gzip(images.substr(40))), labels).size(), 6u);
  expect_error<DataError>([&] { load(folder.write("i.gz", gzip(images.substr(0, 40))), labels); },
                          {"i.gz: the header promises 6 images, the file ends after 2"});
}

TEST(DataSet, AFlippedByteIsDetectedOrHarmless) {
  const std::string images = gzip(images_file(6, 3, 3)), labels = gzip(labels_file(6, 2));
  const Folder folder;
  const std::string i = folder.write("i.gz", images), l = folder.write("l.gz", labels);
  const DataSet intact = load(i, l);
  const auto detected_or_same = [&](const std::string& file, const std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      for (const int mask : {1, 16, 128, 255}) {
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(damaged[at] ^ mask);
        folder.write(file, damaged);
        try {
          const DataSet set = load(i, l);
          EXPECT_EQ(pixels_of(set), pixels_of(intact)) << file << " " << at;
          EXPECT_EQ(set.labels, intact.labels) << file << " " << at;
        } catch (const DataError& error) {
          EXPECT_NE(std::string(error.what()).find(file), std::string::npos) << error.what();
        }
      }
    }
    folder.write(file, bytes);
  };
  detected_or_same("i.gz", images);
  detected_or_same("l.gz", labels);
}

TEST(DataSet, AFlippedByteOfAPlainHeaderIsDetected) {
  const std::string images = images_file(6, 3, 3);
  const Folder folder;
  const std::string labels = folder.write("l", labels_file(6, 2));
  for (std::size_t at = 0; at < 16; ++at)
    for (const int mask : {1, 2, 4, 8, 16, 32, 64, 128, 255}) {
      std::string damaged = images;
      damaged[at] = static_cast<char>(damaged[at] ^ mask);
      if (damaged[2] == 9)  // bytes with a sign: it is a sound file
        EXPECT_EQ(load(folder.write("i", damaged), labels).stored, ElementType::int8);
      else
        expect_error<DataError>([&] { load(folder.write("i", damaged), labels); }, {folder.path("i")});
    }
}

TEST(DataSet, ABombBehindASmallHeaderStopsAtTheSizeThatTheHeaderPromises) {
  const Folder folder;
  const std::string path = folder.write("i.gz", sluice::test::gzip_zeros(256 << 20, header({0x803, 10, 28, 28})));
  CollectImages images{.files = path};
  std::uint64_t decoded = 0;
  const auto counted = [&](const Elements& e) {
    decoded += e.count;
    images(e);
  };
  Allocations::begin();
  expect_error<DataError>(
      [&] { drive(Inflate{.path = path, .chunk_bytes = 10000}, ParseImages{.paths = {path}}, counted); },
      {path + ": goes on after 10 images"});
  EXPECT_EQ(decoded, 10u);
  EXPECT_LT(Allocations::total(), 300000u);  // what is read into, a chunk or two
}

TEST(DataSet, AHeaderThatPromisesTerabytesCostsNoMemory) {
  const Pair pair(header({0x803, 0xffffffff, 8192, 8192}) + pixels(5000), labels_file(10, 2));
  const Pair labels(images_file(2, 1, 1), header({0x801, 0xffffffff}) + pixels(5000));
  const ReadSizes sizes{1000, 1000};
  Allocations::begin();
  expect_error<DataError>([&] { load(pair.images, pair.labels, {}, sizes); },
                          {pair.images + ": the header promises 4294967295 images, the file ends after 0"});
  expect_error<DataError>([&] { load(labels.images, labels.labels, {}, sizes); },
                          {labels.labels + ": the header promises 4294967295 labels, the file ends after 5000"});
  EXPECT_LT(Allocations::largest(), 20000u);
  EXPECT_LT(Allocations::total(), 200000u);
}

TEST(DataSet, TheInstalledFashionMnistIsWhole) {
  const std::string folder = DataFilesWanted{}.default_folder;
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << folder << " is not there";
  const DataFiles files = find_data_files({});
  const DataSet train = load(files.train_images.name(), files.train_labels.name()),
                test = load(files.test_images.name(), files.test_labels.name());
  check_same_size(train, test);
  for (const auto& [set, of_each_class] : {std::pair{&train, 6000}, std::pair{&test, 1000}}) {
    EXPECT_EQ(set->rows, 28u);
    EXPECT_EQ(set->columns, 28u);
    EXPECT_EQ(set->classes, 10u);
    std::array<int, 10> counts{};
    for (const auto label : set->labels) ++counts[label];
    for (const int count : counts) EXPECT_EQ(count, of_each_class);
  }
}

}  // namespace
}  // namespace sluice::stages::testing
