// Where the four files of a job are.
//
// A folder with files of the customary names, or files named one by one, or neither: then the Fashion-MNIST of Debian's
// package dataset-fashion-mnist. Files named one by one come before the folder's, and have no partner by default.
// Customary are
//   [PREFIX-]train-images-idx3-ubyte   and train-labels-idx1-ubyte, t10k-images-..., t10k-labels-...
// as MNIST, Fashion-MNIST and KMNIST have them, with `test` for `t10k`, a dot for the last dash but one, a prefix
// (emnist-letters-, qmnist-), compressed (.gz, .bz2, .xz, .zst) or plain, also where each lies in a folder of its own
// name, as Kaggle unpacks them. Or a set whose images and labels are in one file (set_format.hpp): named as `train` and
// `test`; or a folder's
//   NAME with `train` in it, and the same name with `test`   .csv or .tsv, compressed or plain, or .npz
//   x_train.npy, y_train.npy, x_test.npy, y_test.npy         as npz_keys.hpp calls them, compressed or plain
// of which the first format that there is is taken. All of that is also looked for up to two levels below, as
// torchvision's FashionMNIST/raw. Where there is none of it
//   NAME.npz, and no other one                               with arrays to train and to test on
// in the folder itself; or, in place of a folder, such a file.
// Order and thread-safety: free functions that look at the file system. Errors: DataError naming what is not there, and
// how to get it; several sets where one was to be found; a compressed file beside a plain one of another size, as far
// as its own is known without decoding it (gzip, xz, zstd with the size in its frames); one set to train and to test
// on.
//
//   DataFiles files = find_data_files({.folder = "data"});
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include <sluice/stages/codec.hpp>
#include <sluice/stages/input_files.hpp>
#include <sluice/stages/set_format.hpp>

namespace sluice::stages {

struct DataFiles {
  InputFiles train_images{}, train_labels{}, test_images{}, test_labels{};
  InputFiles train{}, test{};  // files that have both, where they were named so; the four above say the same
  InputFiles validation_images{}, validation_labels{}, validation{};  // the same of what is named to choose by
  std::vector<std::string> notes{};  // what was chosen that nobody had named: for people

  // Of images and of labels, of every set.
  std::vector<InputFiles> all() const {
    return {train_images, train_labels, test_images, test_labels, validation_images, validation_labels};
  }
};

struct DataFilesWanted {
  std::string folder{};                                              // empty: default_folder
  DataFiles named{};                                                 // empty ones are looked for in the folder
  std::size_t decoder_memory = usual_decoder_memory;                 // as Inflate's
  SetKeys train_keys{}, test_keys{}, validation_keys{};              // of arrays in .npz files
  std::string default_folder = "/usr/share/datasets/fashion-mnist";  // Debian's dataset-fashion-mnist
};

DataFiles find_data_files(const DataFilesWanted& wanted);

// Only the two to test on; the others are empty.
DataFiles find_test_files(const DataFilesWanted& wanted);

}  // namespace sluice::stages
