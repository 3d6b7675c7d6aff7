#include <sluice/stages/npz_keys.hpp>

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/zip_member.hpp>
#include "tests/support/files.hpp"
#include "tests/support/npy.hpp"
#include "tests/support/zip.hpp"

namespace sluice::stages {
namespace {

using test::expect_error;

constexpr NpzWanted both{.train = true, .test = true}, training{.train = true}, testing_{.test = true},
    test_images{.test = true, .labels = false};

NpzKeys found(const std::vector<std::string>& keys, const NpzWanted& wanted) {
  std::vector<NpzArray> arrays;
  for (const std::string& key : keys) arrays.push_back({key, "5 of uint8"});
  return find_npz_keys("a.npz", arrays, wanted);
}
void expect_found(const std::vector<std::string>& keys, const NpzWanted& wanted,
                  const std::vector<std::string>& expected) {
  const NpzKeys k = found(keys, wanted);
  EXPECT_EQ((std::vector<std::string>{k.train_images, k.train_labels, k.test_images, k.test_labels}), expected);
}
void refused(const std::vector<std::string>& keys, const NpzWanted& wanted,
             std::initializer_list<std::string_view> parts) {
  expect_error<DataError>([&] { found(keys, wanted); }, parts);
}

TEST(NpzKeys, AreFoundByTheirCustomaryNames) {
  expect_found({"x_train", "y_train", "x_test", "y_test"}, both, {"x_train", "y_train", "x_test", "y_test"});
  expect_found({"y_test", "X_test", "Y_train", "X_train"}, both, {"X_train", "Y_train", "X_test", "y_test"});
  expect_found({"train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels"}, both,
               {"train_images", "train_labels", "test_images", "test_labels"});
  expect_found({"training-data", "trainTarget", "TestImgs", "labels.test"}, both,
               {"training-data", "trainTarget", "TestImgs", "labels.test"});
  expect_found({"xtrain", "ytrain", "testing features", "testing classes"}, both,
               {"xtrain", "ytrain", "testing features", "testing classes"});
  expect_found({"x_train", "y_train", "x_test", "y_test"}, training, {"x_train", "y_train", "", ""});
  expect_found({"x_train", "y_train", "x_test", "y_test"}, testing_, {"", "", "x_test", "y_test"});
  expect_found({"x_train", "y_train", "x_test", "y_test"}, test_images, {"", "", "x_test", ""});
  expect_found({"mean", "x_train", "y_train", "names"}, training, {"x_train", "y_train", "", ""});
}

TEST(NpzKeys, WhereOneSetIsWantedNamesWithoutOneDo) {
  for (const auto& [images, labels] :
       {std::pair{"X", "y"}, {"images", "labels"}, {"data", "target"}, {"inputs", "class"}}) {
    expect_found({images, labels}, training, {images, labels, "", ""});
    expect_found({labels, "more", images}, testing_, {"", "", images, labels});
    expect_found({labels, images}, test_images, {"", "", images, ""});
    refused({images, labels}, both, {"none is by name the training images"});
  }
  expect_found({"X", "y", "x_test", "y_test"}, training, {"X", "y", "", ""});
  expect_found({"X", "y", "x_test", "y_test"}, testing_, {"", "", "x_test", "y_test"});
  refused({"X", "y", "x_test"}, testing_, {"none is by name the test labels"});
  refused({"x_train", "y_train"}, testing_, {"none is by name the test images"});
}

TEST(NpzKeys, ThoseToValidateOnHaveTheirNames) {
  const auto validation = [](const std::vector<std::string>& keys) {
    const NpzKeys k = found(keys, {.validation = true});
    return std::vector<std::string>{k.validation_images, k.validation_labels};
  };
  EXPECT_EQ(validation({"train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels"}),
            (std::vector<std::string>{"val_images", "val_labels"}));
  EXPECT_EQ(validation({"x_valid", "y_valid", "x", "y"}), (std::vector<std::string>{"x_valid", "y_valid"}));
  EXPECT_EQ(validation({"X_Validation", "validation.target"}),
            (std::vector<std::string>{"X_Validation", "validation.target"}));
  EXPECT_EQ(validation({"x", "y", "x_test", "y_test"}), (std::vector<std::string>{"x", "y"}));
  refused({"x_train", "y_train", "x_test", "y_test"}, {.validation = true}, {"none is by name the validation images"});
}

TEST(NpzKeys, TheOnlyArrayIsTheImagesWhereNoLabelsAreWanted) {
  expect_found({"arr_0"}, test_images, {"", "", "arr_0", ""});
  expect_found({"y"}, test_images, {"", "", "y", ""});
  refused({"arr_0", "arr_1"}, test_images, {"none is by name the test images"});
  refused({"arr_0"}, testing_, {"none is by name the test images"});
}

TEST(NpzKeys, WhereNoneOrSeveralAreNamedSoTheArraysAreListed) {
  expect_error<DataError>(
      [] {
        find_npz_keys("a.npz", {{"arr_0", "60000 x 28 x 28 of uint8"}, {"arr_1", "60000 of int64"}}, training);
      },
      {"a.npz: has arr_0 (60000 x 28 x 28 of uint8), arr_1 (60000 of int64), and none is by name the training images: "
       "name "
       "them with --images-key and --labels-key"});
  refused({"a"}, {.train = true, .remedy = "guess"}, {"none is by name the training images: guess"});
  refused({"x_train", "train_images", "y_train"}, training, {"and several are by name the training images"});
  refused({"images", "data", "target"}, testing_, {"and several are by name the test images"});
  refused({"x", "y", "labels"}, testing_, {"and several are by name the test labels"});
  refused({}, training, {"a.npz: has no arrays, and none is by name the training images"});
  refused({"x_train", "y_train", "x_val", "y_val"}, both, {"none is by name the test images"});
  std::vector<std::string> many(20, "k");
  many[0] = "\x1b[31m";
  refused(many, training, {"a.npz: has ?[31m (5 of uint8), k (5 of uint8), ", " and 12 more, and none is"});
}

TEST(NpzKeys, AKeyIsAMemberWithoutItsEnding) {
  EXPECT_EQ(npz_member("x_train"), "x_train.npy");
  EXPECT_EQ(npz_member("x_train.npy"), "x_train.npy");
}

TEST(NpzArrays, AreThoseOfAFileWithWhatTheyAre) {
  if (libzip_version().empty()) GTEST_SKIP() << "built without libzip";
  const test::Folder folder;
  const std::string path = folder.write(
      "a.npz", test::zip_file({{.name = "x.npy", .data = test::npy("<f4", "(3, 28, 28)", "")},
                               {.name = "readme.txt", .data = "text"},
                               {.name = "y.npy", .data = test::npy("|u1", "(3,)", "abc", false, 3), .deflated = false},
                               {.name = "text.npy", .data = "hello"},
                               {.name = "short.npy", .data = test::npy("|u1", "(3,)", "").substr(0, 100)},
                               {.name = "empty.npy", .data = ""},
                               {.name = "objects.npy", .data = test::npy("|O", "(3,)", "")},
                               {.name = "secret.npy", .data = "", .flags = 1}}));
  const std::vector<NpzArray> arrays = npz_arrays(path);
  std::vector<std::string> texts;
  for (const NpzArray& array : arrays) texts.push_back(array.key + ": " + array.text);
  EXPECT_EQ(texts, (std::vector<std::string>{"x: 3 x 28 x 28 of float32", "y: 3 of uint8", "text: no array",
                                             "short: cut short", "empty: cut short",
                                             "objects: has values of type '|O': Python objects,...",
                                             "secret: is encrypted, expected a member without ..."}));
  EXPECT_EQ(find_npz_keys(path, arrays, training).train_labels, "y");
}

}  // namespace
}  // namespace sluice::stages
