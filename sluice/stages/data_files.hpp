// Where the four files of a job are.
//
// A folder with the four customary names, .gz or plain (.gz first), or files named one by one, or neither: then the
// Fashion-MNIST of Debian's package dataset-fashion-mnist. Files named one by one come before the folder's. Order and
// thread-safety: a free function that looks at the file system. Errors: DataError naming what is not there, and how to
// get it.
//
//   DataFiles files = find_data_files({.folder = "data"});
#pragma once

#include <string>

#include <sluice/stages/input_files.hpp>

namespace sluice::stages {

struct DataFiles {
  InputFiles train_images{}, train_labels{}, test_images{}, test_labels{};
};

struct DataFilesWanted {
  std::string folder{};                                              // empty: default_folder
  DataFiles named{};                                                 // empty ones are looked for in the folder
  std::string default_folder = "/usr/share/datasets/fashion-mnist";  // Debian's dataset-fashion-mnist
};

DataFiles find_data_files(const DataFilesWanted& wanted);

// Only the two to test on; the others are empty.
DataFiles find_test_files(const DataFilesWanted& wanted);

}  // namespace sluice::stages
