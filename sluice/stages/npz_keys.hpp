// Which arrays of an .npz file (a zip file of .npy members) are images and labels, by their customary names.
//
// what arrays there are -> the keys of those that are wanted. A key is the name of a member without ".npy". Capital
// letters and separators (_ - . and spaces) make no difference; a name is one of
//
//   images   x, image(s), img(s), data, features, inputs, samples
//   labels   y, label(s), target(s), class(es)
//
// with train(ing), test(ing) or val(id)(ation) before it or behind it: x_train, train_images, X-test. Where one set is
// wanted and no array is named after it, names without either are taken: X and y, images and labels, data and target;
// and where no labels are wanted, the only array that there is. Order and thread-safety: find_npz_keys is a pure
// function. Errors: DataError naming the file, its arrays and what is wanted, where none or several are named so
// (arr_0, say, as numpy.savez calls arrays without a name); of npz_arrays those of sluice/stages/zip_member.hpp.
//
//   const NpzKeys keys = find_npz_keys("mnist.npz", npz_arrays("mnist.npz"), {.train = true, .test = true});
//   ZipMember{.path = "mnist.npz", .member = npz_member(keys.train_images)}   // "x_train.npy"
#pragma once

#include <string>
#include <vector>

namespace sluice::stages {

struct NpzArray {
  std::string key;
  std::string text;  // what it is, for people: "60000 x 28 x 28 of uint8"
};

struct NpzWanted {
  bool train = false, test = false, validation = false;                 // sets
  bool labels = true;                                                   // of them, not images alone
  const char* remedy = "name them with --images-key and --labels-key";  // of an error
};

// Empty: not wanted.
struct NpzKeys {
  std::string train_images, train_labels, test_images, test_labels, validation_images, validation_labels;
};

NpzKeys find_npz_keys(const std::string& path, const std::vector<NpzArray>& arrays, const NpzWanted& wanted);

// Those of a file, in the order of its directory; the headers of the first 256 are read. Other members are passed over.
std::vector<NpzArray> npz_arrays(const std::string& path);

// With ".npy", where a key does not have it already.
std::string npz_member(const std::string& key);

}  // namespace sluice::stages
