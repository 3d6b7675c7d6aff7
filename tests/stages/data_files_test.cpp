#include <sluice/stages/data_files.hpp>

#include <gtest/gtest.h>

#include <filesystem>

#include <sluice/stages/errors.hpp>
#include "tests/support/files.hpp"

namespace sluice::stages {
namespace {

using sluice::test::expect_error;
using sluice::test::Folder;

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
  const std::string compressed = folder.write(std::string(names[0]) + ".gz", "x");
  const DataFiles files = find_data_files({.folder = folder.path()});
  EXPECT_EQ(files.train_images, compressed);
  EXPECT_EQ(files.train_labels, folder.path(names[1]));
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
                            {folder.path() + ": has no ", missing});
  }
}

}  // namespace
}  // namespace sluice::stages
