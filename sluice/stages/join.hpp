// The k-th rows and the k-th labels of two files, as a batch.
//
// (rows, labels) -> a batch of views, which keeps what they lie in. Order and thread-safety: a map, a pure function.
// Errors: DataError naming both files where one has more items than the other, or one of them for images of another
// shape than `wanted`. That the labels are classes was checked where they were read (sluice/stages/parse.hpp).
//
//   auto batches = g.map("batch", Join{.wanted = {.pixels = 784}}, g.zip("pair", rows, labels));
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/batch.hpp>
#include <sluice/stages/rows.hpp>

namespace sluice::stages {

using LabelledRows = std::tuple<Rows, Rows>;  // images, labels

// What images have to be.
struct ImagesWanted {
  std::size_t pixels = 0;                         // of each; 0: any
  std::size_t planes = 1, rows = 0, columns = 0;  // of each; rows of 0: any
  std::string model{};                            // that wants them, for error messages
  std::string text() const;
};

struct Join {
  std::string images{}, labels{};  // paths, for error messages
  ImagesWanted wanted{};
  bool file_by_file = false;  // there are several of both: each has its own labels
  std::size_t rows = 0;       // of a batch, at most, where they are known: to state the bound

  using Output = Batch;
  // What the rows lie in is the input's, which is there as long.
  std::optional<std::size_t> payload_bytes() const {
    if (rows == 0) return std::nullopt;
    return rows * (sizeof(const std::uint8_t*) + sizeof(std::uint16_t) + sizeof(Shared<Bytes>));
  }
  void operator()(const LabelledRows& in, Batch& out) const;
};

// What a DataError says of files that do not have as many images as labels.
std::string not_as_many(const std::string& images, const std::string& labels);
// Throws it where rows and labels are not as many, or files begin at different ones of them.
void check_as_many(const LabelledRows& in, bool file_by_file, const std::string& images, const std::string& labels);
// Throws a DataError where images are not as wanted; rows of as many values without a shape are.
void check_images(const Rows& in, const ImagesWanted& wanted, const std::string& images);

// Rows without labels, as a batch.
struct Unlabelled {
  ImagesWanted wanted{};
  std::string images{};  // path, for error messages

  using Output = Batch;
  void operator()(const Rows& in, Batch& out) const;
};

static_assert(verbs::Map<Join, LabelledRows, Batch> && verbs::Map<Unlabelled, Rows, Batch>);

}  // namespace sluice::stages
