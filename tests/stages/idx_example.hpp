// IDX files for tests, and the way from files to a data set.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sluice/stages/dataset.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/parse.hpp>
#include "tests/support/drive.hpp"
#include "tests/support/files.hpp"
#include "tests/support/gzip.hpp"

namespace sluice::stages::testing {

using sluice::test::contents_of;
using sluice::test::drive;
using sluice::test::expect_error;
using sluice::test::Folder;
using sluice::test::gzip;

// A header: magic and sizes, big-endian.
inline std::string header(std::initializer_list<std::uint32_t> words) {
  std::string bytes;
  for (const auto word : words)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(word >> shift & 0xff);
  return bytes;
}

// `count` bytes, not all alike.
inline std::string pixels(std::size_t count) {
  std::string bytes(count, '\0');
  std::uint32_t state = 1;
  for (auto& byte : bytes) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

// Few values, in runs that come again: blocks of them have codes of their own, and reach back.
inline std::string of_few_values(std::size_t size, std::uint64_t seed = 1) {
  std::string bytes = sluice::test::noise(size, seed);
  for (char& b : bytes) b = static_cast<char>(static_cast<unsigned char>(b) % 11 * 9);
  for (std::size_t i = 500; i + 90 < size; i += 400) bytes.replace(i, 90, bytes, i / 2, 90);
  return bytes;
}

// Where an error is seen depends on how much zlib is given at a time.
inline std::string without_numbers(std::string text) {
  std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
  return text;
}

inline std::string images_file(std::uint32_t count, std::uint32_t rows, std::uint32_t columns) {
  return header({0x00000803, count, rows, columns}) + pixels(std::size_t{count} * rows * columns);
}

// Labels 0, 1, .. classes - 1, 0, ..
inline std::string labels_file(std::uint32_t count, std::uint32_t classes) {
  std::string bytes = header({0x00000801, count});
  for (std::uint32_t i = 0; i < count; ++i) bytes += static_cast<char>(i % classes);
  return bytes;
}

using Sizes = std::vector<std::size_t>;

// A decoded stream, cut into chunks at given places.
class Pieces {
 public:
  using Output = Chunk;
  Pieces(std::string bytes, std::vector<std::size_t> sizes) : bytes_(std::move(bytes)), sizes_(std::move(sizes)) {}
  Pieces(std::string bytes, std::size_t size) : bytes_(std::move(bytes)), sizes_(bytes_.size() / size + 1, size) {}

  bool operator()(Chunk& out) {
    if (next_ == sizes_.size()) return false;
    const std::size_t size = std::min(sizes_[next_++], bytes_.size() - offset_);
    auto* target = out.owner.renew().reserve(size + 1);
    std::copy_n(bytes_.data() + offset_, size, target);
    out.data = target;
    out.size = size;
    out.offset = offset_;
    offset_ += size;
    return true;
  }
  std::size_t given() const { return next_; }
  void reset() { next_ = offset_ = 0; }

 private:
  std::string bytes_;
  std::vector<std::size_t> sizes_;
  std::size_t next_ = 0, offset_ = 0;
};

struct ReadSizes {
  std::size_t chunk_bytes = 256 * 1024, read_bytes = 128 * 1024;
};

inline std::string decoded(const std::string& path, ReadSizes sizes = {}) {
  std::string bytes;
  drive(Inflate{.path = path, .chunk_bytes = sizes.chunk_bytes, .read_bytes = sizes.read_bytes},
        [&](const Chunk& chunk) { bytes.append(chunk.data, chunk.data + chunk.size); });
  return bytes;
}

//  images -> inflate -> parse -> collect -+
//                                         +-> make_data_set
//  labels -> inflate -> parse -> collect -+
inline DataSet load(const std::string& images, const std::string& labels, std::optional<std::size_t> classes = {},
                    ReadSizes sizes = {}) {
  CollectImages image_table{.files = images};
  CollectLabels label_table{.files = labels};
  drive(Inflate{.path = images, .chunk_bytes = sizes.chunk_bytes, .read_bytes = sizes.read_bytes},
        ParseImages{.paths = {images}}, std::ref(image_table));
  drive(Inflate{.path = labels, .chunk_bytes = sizes.chunk_bytes, .read_bytes = sizes.read_bytes},
        ParseLabels{.paths = {labels}}, std::ref(label_table));
  return make_data_set(std::move(image_table), std::move(label_table), classes);
}

inline std::string pixels_of(const DataSet& set) {
  std::string bytes;
  for (const auto* image : set.images) bytes.append(image, image + set.pixels());
  return bytes;
}

}  // namespace sluice::stages::testing
