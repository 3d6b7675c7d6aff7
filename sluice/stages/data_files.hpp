// Where the four files of a job are.
//
// A folder with the four customary names, .gz or plain (.gz first), or files named one by one, or neither: then the
// Fashion-MNIST of Debian's package dataset-fashion-mnist. A file named one by one comes before the folder's, and may
// be several, with commas between. Order and thread-safety: a free function that looks at the file system. Errors:
// DataError naming what is not there, and how to get it.
//
//   DataFiles files = find_data_files({.folder = "data"});
#pragma once

#include <string>
#include <vector>

namespace sluice::stages {

struct DataFiles {
  std::string train_images{}, train_labels{}, test_images{}, test_labels{};
};

struct DataFilesWanted {
  std::string folder{};                                              // empty: default_folder
  DataFiles named{};                                                 // empty ones are looked for in the folder
  std::string default_folder = "/usr/share/datasets/fashion-mnist";  // Debian's dataset-fashion-mnist
};

DataFiles find_data_files(const DataFilesWanted& wanted);

// Only the two to test on; the others are empty.
DataFiles find_test_files(const DataFilesWanted& wanted);

// "a,b" -> the two; as many as there are commas and one more.
std::vector<std::string> between_commas(const std::string& text);

// "a.gz,b.gz" -> the two, to be read one after the other; a text that is the name of a file is that file.
std::vector<std::string> file_list(const std::string& text);

}  // namespace sluice::stages
