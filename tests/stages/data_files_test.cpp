#include <sluice/stages/data_files.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include <sluice/stages/errors.hpp>
#include "tests/support/files.hpp"
#include "tests/support/gzip.hpp"

namespace sluice::stages {
namespace {

using sluice::test::expect_error;
using sluice::test::Folder;
namespace test = sluice::test;

constexpr const char* names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                                 "t10k-labels-idx1-ubyte"};

TEST(DataFiles, FindsTheFourCustomaryNames) {
  const Folder folder;
  for (const auto* name : names) folder.write(name, "x");
  const DataFiles files = find_data_files({.folder = folder.path()});
  EXPECT_EQ(files.train_images, folder.path(names[0]));
  EXPECT_EQ(files.train_labels, folder.path(names[1]));
  EXPECT_EQ(files.test_images, folder.path(names[2]));
  EXPECT_EQ(files.test_labels, folder.path(names[3]));
}

TEST(DataFiles, PrefersTheCompressedOne) {
  const Folder folder;
  for (const auto* name : names) folder.write(name, "x");
  const std::string compressed = folder.write(std::string(names[0]) + ".gz", test::gzip("x"));
  const DataFiles files = find_data_files({.folder = folder.path()});
  EXPECT_EQ(files.train_images, compressed);
  EXPECT_EQ(files.train_labels, folder.path(names[1]));
}

std::vector<std::string> found_in(const Folder& folder, const std::string& below = "") {
  const DataFiles files = find_data_files({.folder = folder.path(below)});
  return {files.train_images.name(), files.train_labels.name(), files.test_images.name(), files.test_labels.name()};
}

using Paths = std::vector<std::string>;

Paths written(const Folder& folder, const Paths& all) {
  Paths paths;
  for (const std::string& one : all) {
    std::filesystem::create_directories(std::filesystem::path(folder.path(one)).parent_path());
    paths.push_back(folder.write(one, "x"));
  }
  return paths;
}

// As MNIST's page, Kaggle, EMNIST, QMNIST and torchvision have them.
TEST(DataFiles, FindsTheNamesThatPeopleHave) {
  for (const Paths& all :
       {Paths{"train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"},
        Paths{"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "test-images-idx3-ubyte", "test-labels-idx1-ubyte"},
        Paths{"emnist-letters-train-images-idx3-ubyte.gz", "emnist-letters-train-labels-idx1-ubyte.gz",
              "emnist-letters-test-images-idx3-ubyte.gz", "emnist-letters-test-labels-idx1-ubyte.gz"},
        Paths{"qmnist-train-images-idx3-ubyte.xz", "qmnist-train-labels-idx2-int.zst",
              "qmnist-test-images-idx3-ubyte.bz2", "qmnist-test-labels-idx2-int"},
        Paths{"train-images-idx3-ubyte/train-images-idx3-ubyte", "train-labels-idx1-ubyte/train-labels-idx1-ubyte",
              "t10k-images-idx3-ubyte/t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte/t10k-labels-idx1-ubyte"}}) {
    const Folder folder;
    const Paths paths = written(folder, all);
    EXPECT_EQ(found_in(folder), paths);
  }
}

TEST(DataFiles, FindsAFolderBelowAndSaysSo) {
  const Folder folder;
  Paths all;
  for (const auto* name : names) all.push_back(std::string("FashionMNIST/raw/") + name);
  const Paths paths = written(folder, all);
  EXPECT_EQ(found_in(folder), paths);
  EXPECT_EQ(found_in(folder, "FashionMNIST"), paths);
  EXPECT_EQ(found_in(folder, "FashionMNIST/raw"), paths);
  EXPECT_EQ(find_data_files({.folder = folder.path()}).notes, Paths{"reading " + folder.path("FashionMNIST/raw")});
  EXPECT_EQ(find_data_files({.folder = folder.path("FashionMNIST/raw")}).notes, Paths{});
  Folder deep;
  for (std::string& one : all) one = "a/b/" + one.substr(one.find('/') + 1);
  written(deep, all);
  expect_error<DataError>([&] { found_in(deep); }, {": has no train-images-idx3-ubyte", "nor have the folders below"});
}

TEST(DataFiles, OfSeveralSetsItAsksForOne) {
  const Folder folder;
  for (const std::string set : {"MNIST/raw/", "KMNIST/raw/", "letters-", "digits-"})
    for (const auto* name : names) written(folder, {set + name});
  expect_error<DataError>([&] { found_in(folder); }, {": has 2 data sets (" + folder.path("digits-...") + ", " +
                                                      folder.path("letters-...") + "), expected one"});
  for (const std::string set : {"letters-", "digits-"})
    for (const auto* name : names) std::filesystem::remove(folder.path(set + name));
  expect_error<DataError>([&] { found_in(folder); },
                          {": has 2 data sets (" + folder.path("KMNIST/raw") + ", " + folder.path("MNIST/raw") + ")"});
  for (const auto* name : names) written(folder, {std::string("letters-") + name, name});
  EXPECT_EQ(found_in(folder).front(), folder.path(names[0])) << "that without a prefix";
}

TEST(DataFiles, OfTwoForOnePlaceItSaysWhichIsReadAndTheyMustBeAlike) {
  const Folder folder;
  const auto notes = [&] { return find_data_files({.folder = folder.path()}).notes; };
  for (const auto* name : names) folder.write(name, std::string(5000, 'x'));
  EXPECT_EQ(notes(), Paths{});
  const std::string plain = folder.path(names[0]), packed = plain + ".gz";
  const std::string members = test::gzip(std::string(3000, 'x')) + test::gzip(std::string(2000, 'x'));
  for (const std::string& same : {test::gzip(std::string(5000, 'x')), members}) {
    folder.write(std::string(names[0]) + ".gz", same);
    EXPECT_EQ(notes(), Paths{plain + " is there, too: " + packed + " is read"});
  }
  folder.write(std::string(names[0]) + ".gz", test::gzip(std::string(4999, 'x')));
  expect_error<DataError>([&] { notes(); }, {packed + ": decodes to 4999 bytes, " + plain + " beside it has 5000"});
  std::filesystem::remove(packed);
  const Paths inner = written(folder, {"train-images.idx3-ubyte/train-images.idx3-ubyte"});
  expect_error<DataError>([&] { notes(); }, {plain + ": has 5000 bytes, " + inner[0] + " beside it has 1"});
  folder.write("train-images.idx3-ubyte/train-images.idx3-ubyte", std::string(5000, 'x'));
  EXPECT_EQ(notes(), Paths{inner[0] + " is there, too: " + plain + " is read"});
}

TEST(DataFiles, TakesTheFirstOfTheWaysToCompress) {
  const Folder folder;
  for (const char* extension : {"", ".bz2", ".xz", ".zst", ".gz"}) {
    std::string last;
    for (const auto* name : names)
      last = folder.write(std::string(name) + extension, std::string_view(extension) == ".gz" ? test::gzip("x") : "x");
    EXPECT_EQ(find_data_files({.folder = folder.path()}).test_labels, last);
  }
}

// Of arrays in a folder, of tables, and of .npz files.
TEST(DataFiles, FindsSetsOfOtherFormats) {
  const Folder tables;
  const Paths both = written(tables, {"fashion-mnist_train.csv", "fashion-mnist_test.csv", "notes.txt"});
  DataFiles files = find_data_files({.folder = tables.path()});
  EXPECT_TRUE(files.train_images.is_table() && files.test_labels.is_table());
  EXPECT_EQ(files.train_labels.name(), both[0]);
  EXPECT_EQ(files.test_images.name(), both[1]);
  EXPECT_EQ(files.notes, Paths{"reading " + both[0] + " and " + both[1]});
  written(tables, {"other_train.tsv", "other_test.tsv"});
  expect_error<DataError>(
      [&] { find_data_files({.folder = tables.path()}); },
      {": has 2 data sets (" + both[0] + ", " + tables.path("other_train.tsv") + ")", "--train and"});

  const Folder arrays;
  const Paths four = written(arrays, {"X_train.npy", "y_train.npy", "X_test.npy", "y_test.npy"});
  EXPECT_EQ(found_in(arrays), four);
  written(arrays,
          {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"});
  EXPECT_EQ(found_in(arrays).front(), arrays.path(names[0])) << "IDX comes first";
}

TEST(DataFiles, OfATableBothAreNamedAtOnce) {
  const Folder folder;
  const std::string train = folder.write("a.csv", "label,x\n0,1\n"), test = folder.write("b.csv", "label,x\n1,2\n");
  const DataFiles files = find_data_files({.named = {.train = train, .test = test}, .default_folder = "/nowhere"});
  EXPECT_EQ(files.train_images, InputFiles(train).as_table());
  EXPECT_EQ(files.train_labels, files.train_images);
  EXPECT_EQ(files.test_labels, InputFiles(test).as_table());
  const std::string idx = folder.write("i", std::string("\0\0\x08\x03\0\0\0\1\0\0\0\1\0\0\0\1x", 17));
  expect_error<DataError>([&] { find_data_files({.named = {.train = idx, .test = test}}); },
                          {idx + ": is an array, of images or of labels alone", "--train-images and --train-labels"});
  const std::string page = folder.write("c.csv", "<!DOCTYPE html><html>");
  expect_error<DataError>([&] { find_data_files({.named = {.train = page, .test = test}}); },
                          {page + ": is an HTML page", "Download it again"});
  expect_error<DataError>([&] { find_data_files({.folder = train}); }, {train + ": is no folder, and no .npz file"});
}

TEST(DataFiles, AFileNamedOneByOneComesBeforeTheFolders) {
  const Folder folder;
  for (const auto* name : names) folder.write(name, "x");
  const DataFiles files = find_data_files({.folder = folder.path(), .named = {.test_labels = "mine"}});
  EXPECT_EQ(files.test_labels, "mine");
  EXPECT_EQ(files.test_images, folder.path(names[2]));
}

TEST(DataFiles, FourNamedFilesNeedNoFolder) {
  const DataFiles files = find_data_files({.named = {"a", "b", "c", "d"}, .default_folder = "/nowhere"});
  EXPECT_EQ(files.train_images, "a");
  EXPECT_EQ(files.train_labels, "b");
  EXPECT_EQ(files.test_images, "c");
  EXPECT_EQ(files.test_labels, "d");
}

TEST(DataFiles, WithoutTheDefaultDataSetTheErrorSaysHowToGetOne) {
  EXPECT_EQ(DataFilesWanted{}.default_folder, "/usr/share/datasets/fashion-mnist");
  expect_error<DataError>(
      [] { find_data_files({.default_folder = "/nowhere"}); },
      {"/nowhere/train-images-idx3-ubyte.gz: not found", "apt-get install dataset-fashion-mnist", "--data DIR"});
}

TEST(DataFiles, AFolderThatIsNotThereOrNoneIsAnError) {
  const Folder folder;
  const std::string file = folder.write("file", "x");
  expect_error<DataError>([] { find_data_files({.folder = "/nowhere"}); },
                          {"/nowhere: not found", "expected a folder"});
  expect_error<DataError>([&] { find_data_files({.folder = file}); }, {file + ": is no folder"});
}

TEST(DataFiles, EachMissingFileIsAnErrorThatNamesIt) {
  for (const auto* missing : names) {
    const Folder folder;
    for (const auto* name : names)
      if (name != missing) folder.write(std::string(name) + ".gz", "x");
    expect_error<DataError>([&] { find_data_files({.folder = folder.path()}); },
                            {folder.path() + ": has no ", missing, "compressed or plain"});
  }
}

}  // namespace
}  // namespace sluice::stages
