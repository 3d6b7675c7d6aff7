// A small data set to train on: 500 images of 6 x 7 pixels in 3 classes, 200 to test on. Learnable: each class lights
// up a third of the pixels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/apps/program.hpp"
#include "tests/support/files.hpp"
#include "tests/support/gzip.hpp"

namespace sluice::apps::testing {

using test::Folder;

inline constexpr std::uint32_t rows = 6, columns = 7;
inline constexpr std::uint8_t classes = 3;
inline constexpr std::size_t train_count = 500, test_count = 200;

inline std::vector<std::uint8_t> label_bytes(std::size_t count) {
  std::vector<std::uint8_t> labels(count);
  for (std::size_t i = 0; i < count; ++i) labels[i] = static_cast<std::uint8_t>(i * 7 % 11 % classes);
  return labels;
}

inline std::string pixel_bytes(std::size_t count, std::uint64_t seed) {
  std::string pixels = test::noise(count * rows * columns, seed);
  const std::vector<std::uint8_t> labels = label_bytes(count);
  for (std::size_t i = 0; i < pixels.size(); ++i)
    if (i % classes != labels[i / (rows * columns)])
      pixels[i] = static_cast<char>(static_cast<unsigned char>(pixels[i]) / 3);
  return pixels;
}

inline std::string train_images() {
  return test::idx_images(pixel_bytes(train_count, 1), rows, columns);
}
inline std::string train_labels() {
  return test::idx_labels(label_bytes(train_count));
}
inline std::string test_images() {
  return test::idx_images(pixel_bytes(test_count, 2), rows, columns);
}
inline std::string test_labels() {
  return test::idx_labels(label_bytes(test_count));
}

class SmallData {
 public:
  SmallData() {
    folder_.write("train-images-idx3-ubyte.gz", test::gzip(train_images()));
    folder_.write("train-labels-idx1-ubyte.gz", test::gzip(train_labels()));
    folder_.write("t10k-images-idx3-ubyte.gz", test::gzip(test_images()));
    folder_.write("t10k-labels-idx1-ubyte.gz", test::gzip(test_labels()));
  }
  const Folder& folder() const { return folder_; }
  std::string path(const std::string& name) const { return folder_.path(name); }

  // `train` with these data and small batches, so that there are several steps.
  Arguments train() const { return {"train", "--data", folder_.path(), "--batch-size", "100", "--epochs", "2"}; }

 private:
  Folder folder_;
};

}  // namespace sluice::apps::testing
