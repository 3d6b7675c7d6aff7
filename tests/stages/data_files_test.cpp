#include <sluice/stages/data_files.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/zip_member.hpp>
#include "tests/support/compressed.hpp"
#include "tests/support/files.hpp"
#include "tests/support/npy.hpp"
#include "tests/support/zip.hpp"

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

// xz and zstd say how much they decode to, and then it is compared.
TEST(DataFiles, OfEveryCompressionThatSaysItsSizeTheFilesMustBeAlike) {
  for (const test::Compression one : test::compressions()) {
    const Folder folder;
    for (const auto* name : names) folder.write(name, std::string(5000, 'x'));
    const std::string plain = folder.path(names[0]);
    const std::string packed =
        folder.write(names[0] + std::string(facts_of(one).extension), test::compressed(one, std::string(5000, 'x')));
    EXPECT_EQ(find_data_files({.folder = folder.path()}).notes,
              Paths{plain + " is there, too: " + packed + " is read"});
    if (one == test::Compression::bzip2) continue;
    folder.write(names[0], std::string(50, 'x'));
    expect_error<DataError>([&] { find_data_files({.folder = folder.path()}); },
                            {packed + ": decodes to 5000 bytes, " + plain + " beside it has 50"});
  }
}

TEST(DataFiles, OfOtherFormatsTwoForOnePlaceMustBeAlike) {
  const std::string rows = "label,a\n0,1\n1,2\n";
  const Folder tables;
  const std::string train = tables.write("x_train.csv", rows), test = tables.write("x_test.csv", rows);
  const std::string packed = tables.write("x_train.csv.gz", test::gzip(rows));
  EXPECT_EQ(find_data_files({.folder = tables.path()}).notes,
            (Paths{train + " is there, too: " + packed + " is read", "reading " + packed + " and " + test}));
  tables.write("x_train.csv", rows + "1,3\n");
  expect_error<DataError>([&] { find_data_files({.folder = tables.path()}); },
                          {packed + ": decodes to 16 bytes, " + train + " beside it has 20"});
  const Folder arrays;
  for (const char* name : {"x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"}) arrays.write(name, "x");
  arrays.write("y_test.npy.gz", test::gzip("xy"));
  expect_error<DataError>([&] { find_data_files({.folder = arrays.path()}); },
                          {"y_test.npy.gz: decodes to 2 bytes", "beside it has 1"});
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
      {": has 2 data sets (" + both[0] + ", " + tables.path("other_train.tsv") + ")", "its files one by one"});

  const Folder arrays;
  const Paths four = written(arrays, {"X_train.npy", "y_train.npy", "X_test.npy", "y_test.npy"});
  EXPECT_EQ(found_in(arrays), four);
  written(arrays,
          {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"});
  EXPECT_EQ(found_in(arrays).front(), arrays.path(names[0])) << "IDX comes first";
  EXPECT_EQ(find_data_files({.folder = arrays.path()}).notes,
            Paths{arrays.path() + ": its IDX files are read, and not its .npy files, which are a set, too"});
  written(arrays, {"train.csv", "test.csv"});
  EXPECT_EQ(find_data_files({.folder = arrays.path()}).notes.size(), 1u);
}

TEST(DataFiles, FindsThemInTheFoldersBelowAsThoseOfIdx) {
  const Folder tables;
  const Paths both = written(tables, {"a/b/x_train.csv", "a/b/x_test.csv"});
  const DataFiles files = find_data_files({.folder = tables.path()});
  EXPECT_EQ(files.train_images.name(), both[0]);
  EXPECT_EQ(files.notes, Paths{"reading " + both[0] + " and " + both[1]});
  const Folder arrays;
  const Paths four = written(arrays, {"a/x_train.npy", "a/y_train.npy", "a/x_test.npy", "a/y_test.npy"});
  EXPECT_EQ(found_in(arrays), four);
  EXPECT_EQ(find_data_files({.folder = arrays.path()}).notes, Paths{"reading " + arrays.path("a")});
  written(arrays, {"train.csv", "test.csv"});
  EXPECT_EQ(found_in(arrays).front(), arrays.path("train.csv")) << "those of the folder itself come first";
}

TEST(DataFiles, WhereOneSetIsWantedItsFileAloneIsOne) {
  const Folder folder;
  const Paths test = written(folder, {"x_test.csv"});
  const DataFiles files = find_test_files({.folder = folder.path()});
  EXPECT_EQ(files.test_images.name(), test[0]);
  EXPECT_TRUE(files.train_images.empty());
  EXPECT_EQ(files.notes, Paths{"reading " + test[0]});
  written(folder, {"latest.csv", "contest.tsv", "x_train.csv"});
  EXPECT_EQ(find_test_files({.folder = folder.path()}).test_images.name(), test[0]);
  written(folder, {"Y_Test.csv"});
  expect_error<DataError>([&] { find_test_files({.folder = folder.path()}); }, {": has 2 data sets ("});
  EXPECT_EQ(find_data_files({.folder = folder.path()}).test_images.name(), test[0]);
}

TEST(DataFiles, ArraysWhoseNamesDoNotFitAreToBeNamedAsFiles) {
  const Folder folder;
  written(folder, {"a.npy", "b.npy"});
  expect_error<DataError>([&] { find_data_files({.folder = folder.path()}); },
                          {folder.path() + ": has a (", "name the files with --train-images, --train-labels, --test"});
  expect_error<DataError>([&] { find_test_files({.folder = folder.path()}); },
                          {"name the files with --images and --labels"});
}

std::string npz(const Folder& folder, const std::string& name, const std::vector<std::string>& keys) {
  std::vector<test::ZipPart> parts;
  for (const std::string& key : keys)
    parts.push_back({.name = key + ".npy", .data = test::npy("|u1", "1, 1", "x"), .deflated = false});
  return folder.write(name, test::zip_file(parts));
}

TEST(DataFiles, OneSetIsNotBothToTrainAndToTestOn) {
  if (libzip_version().empty()) GTEST_SKIP() << "built without libzip";
  const Folder folder;
  const std::string pair = npz(folder, "pair.npz", {"x", "y"});
  for (const std::string& data : {pair, folder.path()})
    expect_error<DataError>([&] { find_data_files({.folder = data}); },
                            {pair + ": has one set of images and labels, expected one to train on and one to test on",
                             "--train and --test"});
  EXPECT_EQ(find_test_files({.folder = pair}).test_labels.name(), pair + ": y.npy");
  const DataFiles same = find_data_files({.named = {.train = pair, .test = pair}});
  EXPECT_EQ(same.train_images, same.test_images) << "as was asked for";
  const std::string all = npz(folder, "all.npz", {"x_train", "y_train", "x_test", "y_test"});
  EXPECT_EQ(find_data_files({.folder = all}).test_labels.name(), all + ": y_test.npy");
  // Beside labels that were named only images are missing.
  const DataFiles some = find_data_files({.folder = all, .named = {.train_labels = "l"}});
  EXPECT_EQ(some.train_images.name(), all + ": x_train.npy");
  EXPECT_EQ(some.train_labels, "l");
}

TEST(DataFiles, OfATableNotOnlyOneIsTaken) {
  const Folder folder;
  folder.write("train.csv", "label,x\n0,1\n"), folder.write("test.csv", "label,x\n0,1\n");
  expect_error<DataError>(
      [&] { find_data_files({.folder = folder.path(), .named = {.train_labels = "l"}}); },
      {folder.path("train.csv") + ": is a table, whose rows have their labels with them, and only images are missing"});
}

// Fashion-MNIST is no partner of whatever people name.
TEST(DataFiles, BesideNamedFilesNothingIsTakenByDefault) {
  const Folder folder;
  for (const auto* name : names) folder.write(name, "x");
  const std::string table = folder.write("a.csv", "label,x\n0,1\n");
  const auto expect_missing = [&](const DataFiles& named, const std::string& text) {
    expect_error<DataError>([&] { find_data_files({.named = named, .default_folder = folder.path()}); }, {text});
  };
  const std::string or_folder = ", or a folder with --data DIR";
  expect_missing({.train = table}, table +
                                       ": is named without a test set: name one with --test FILE (or --test-images "
                                       "and --test-labels)" +
                                       or_folder);
  expect_missing({.test = table}, table + ": is named without a training set: name one with --train FILE");
  expect_missing({.train_images = "a", .test = table}, "a: is named without its labels: name them with --train-labels");
  expect_missing({.test_labels = "l", .train = table}, "without its images: name them with --test-images FILE");
  expect_error<DataError>([&] { find_test_files({.named = {.test_images = "a"}, .default_folder = folder.path()}); },
                          {"a: is named without its labels: name them with --labels FILE" + or_folder});
  EXPECT_EQ(find_data_files({.folder = folder.path(), .named = {.train = table}}).test_images, folder.path(names[2]));
}

TEST(DataFiles, ACompressedNpzIsToBeDecompressed) {
  if (libzip_version().empty()) GTEST_SKIP() << "built without libzip";
  const Folder folder;
  const std::string packed =
      folder.write("a.npz.gz", test::gzip(test::contents_of(npz(folder, "a.npz", {"x_train", "y_train"}))));
  expect_error<DataError>([&] { find_data_files({.named = {.train = packed, .test = packed}}); },
                          {packed + ": is an .npz file in a pipe, or compressed once more", "gzip -d"});
  EXPECT_EQ(find_test_files({.folder = npz(folder, "b.npz", {"x", "y"})}).notes, Paths{});
}

TEST(DataFiles, FilesOfOneListAreOfOneFormat) {
  if (libzip_version().empty()) GTEST_SKIP() << "built without libzip";
  const Folder folder;
  const std::string zip = npz(folder, "a.npz", {"x", "y"}), table = folder.write("b.csv", "label,x\n0,1\n");
  const auto find = [&](const std::vector<std::string>& list) {
    find_data_files({.named = {.train = InputFiles(list), .test = table}});
  };
  const std::string rest = ", expected files of one format in a list";
  expect_error<DataError>(
      [&] {
        find({zip, table});
      },
      {table + ": is a table, and " + zip + " is an .npz file" + rest});
  expect_error<DataError>(
      [&] {
        find({table, zip});
      },
      {zip + ": is an .npz file, and " + table + " is a table" + rest});
  for (const std::vector<std::string>& list : {std::vector{zip, table}, {table, zip}})
    expect_error<DataError>([&] { find_test_files({.named = {.test_images = InputFiles(list)}}); },
                            {table + ": is no .npz file, as others of its list are" + rest});
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
  expect_error<DataError>([] { find_data_files({.default_folder = "/nowhere"}); },
                          {"/nowhere/train-images-idx3-ubyte.gz: not found", "apt-get install dataset-fashion-mnist",
                           "'sluice fetch fashion-mnist'", "--data fashion-mnist", "--data DIR"});
}

TEST(DataFiles, AFolderThatIsNotThereOrNoneIsAnError) {
  const Folder folder;
  const std::string file = folder.write("file", "x");
  expect_error<DataError>([] { find_data_files({.folder = "/nowhere"}); },
                          {"/nowhere: not found", "expected a folder"});
  expect_error<DataError>([&] { find_data_files({.folder = file}); }, {file + ": is no folder"});
}

TEST(DataFiles, AFolderThatCannotBeLookedIntoIsAnErrorThatSaysWhy) {
  const Folder folder;
  const std::string circle = folder.path("circle"), closed = folder.path("closed");
  std::filesystem::create_symlink("circle", circle);
  expect_error<DataError>([&] { find_data_files({.folder = circle}); }, {circle + ": cannot be looked into: "});
  std::filesystem::create_directory(closed);
  std::filesystem::permissions(closed, std::filesystem::perms::none);
  if (::access(closed.c_str(), R_OK) == 0) return;  // root may
  expect_error<DataError>([&] { find_data_files({.folder = closed}); },
                          {closed + ": cannot be looked into: Permission"});
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
