// Shuffled batches of a stream of rows that is too long to be held: each row drawn at random from a buffer of the next.
//
// (rows, labels), in order -> batches of batch_size, the last maybe fewer. The buffer is filled first; then the row at
// a random place of it goes into the batch, and the next of the stream takes its place. A row may so be up to `rows`
// places before its own, and any number behind it. Where all rows fit into the buffer, every order is as likely.
// The order is a function of (seed, epoch, rows) and the length of the stream: which row is drawn k-th depends on
// nothing else. Pixels are copied, into the buffer and into the batch.
// Of a lane (lanes.hpp) the stream is the rows of that lane, and the k-th batch what the lane has in step k, of no rows
// perhaps, with its place among the row blocks of the step; the draws are a function of the lane, too.
// The buffer is one piece of memory, rows x the bytes of an image; the caller sees to it that it is not larger than the
// stream. Order and thread-safety: an expand; one thread at a time. epoch() between runs. Errors: DataError, see Join;
// also where a stream has more than `most_rows`, or fewer than the lane; std::invalid_argument for rows or batch_size
// of 0, or a first row within a batch.
//
//   ShuffleBuffer shuffle{.rows = 20'000, .batch_size = 256, .seed = 0};
//   auto batches = g.expand("shuffle", std::ref(shuffle), g.zip("pair", rows, labels), capacity(2));
//   shuffle.epoch(1), g.run();
//   shuffle.epoch(2, 5 * 256), g.run();  // without its first five batches
//
// Source: the shuffle buffer of TensorFlow's tf.data.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/batch.hpp>
#include <sluice/stages/chunk.hpp>
#include <sluice/stages/huge_pages.hpp>
#include <sluice/stages/join.hpp>
#include <sluice/stages/lanes.hpp>
#include <sluice/stages/shared.hpp>

namespace sluice::stages {

struct ShuffleBuffer {
  std::size_t rows = 20'000;     // of the buffer, 1 .. 2^32 - 1
  std::size_t batch_size = 256;  // rows, at least 1
  std::uint64_t seed = 0;
  std::string images{}, labels{};    // paths, for error messages
  bool file_by_file = false;         // as Join's
  std::size_t pixels = 0;            // of an image; 0: any
  std::size_t most_rows = SIZE_MAX;  // of the stream, where it is known: no batch has more
  std::size_t item_bytes = 0;        // of an image in memory, where it is known: to state the bound
  std::optional<Lanes> lanes{};      // batches are parts of its steps, of its batch_size; nothing: they are whole
  std::size_t lane = 0;              // then: which one this is

  using Output = Batch;
  void push(const LabelledRows& in);
  bool pull(Batch& out);
  void finish() { finished_ = true; }
  // Of an epoch whose stream has `total` rows, from its row `first` on (of all lanes): the rows of the stream that it
  // needs are these, in order, and all from `from` on.
  struct Needed {
    std::vector<std::uint64_t> held;
    std::uint64_t from = 0;
    bool any(std::uint64_t begin, std::uint64_t end) const;  // of rows begin to end, without that
  };
  Needed needed(std::uint64_t number, std::uint64_t first, std::uint64_t total) const;
  // The next run: an epoch, from its row `first` on (of all lanes), a multiple of batch_size.
  void epoch(std::uint64_t number, std::uint64_t first = 0);
  void reset();
  std::optional<std::size_t> payload_bytes() const {
    if (!item_bytes) return std::nullopt;
    return bytes_taken(most_of_a_batch() * item_bytes) +
           most_of_a_batch() * (sizeof(const std::uint8_t*) + sizeof(std::uint16_t)) + sizeof(Shared<Bytes>);
  }
  // The buffer, and the batch that is not complete.
  std::size_t state_bytes() const {
    return bytes_taken(rows * item_bytes) + rows * (bytes_of(item_bytes) - item_bytes) + payload_bytes().value_or(0);
  }
  // What a row in the buffer takes: image, label and place.
  static std::size_t bytes_of(std::size_t image_bytes) {
    return image_bytes + sizeof(std::uint16_t) + sizeof(std::uint32_t);
  }

  std::size_t most_of_a_batch() const { return std::min(lanes ? lanes->most_in_step() : batch_size, most_rows); }

  // State of its own, no options.
  std::size_t rows_of_a_step() const { return lanes ? lanes->batch_size : batch_size; }
  std::uint64_t draws_before(std::uint64_t row) const { return lanes ? lanes->rows_before(lane, row) : row; }
  void fill();
  void draw(std::uint8_t* batch);
  bool complete(std::size_t count);
  std::uint32_t place(std::uint64_t epoch, std::uint64_t draw, std::size_t places,
                      std::array<std::uint32_t, 1024>& words) const;
  std::uint64_t epoch_ = 0, first_ = 0;
  std::uint64_t skipped_ = 0;  // draws before the first batch
  std::uint64_t step_ = 0;     // of the batch that is not complete
  std::size_t due_ = 0;        // its rows; of no lane the last has maybe fewer
  LabelledRows in_{};
  std::uint64_t given_ = 0;  // rows, so far
  std::size_t next_ = 0;     // of in_
  std::size_t item_ = 0;     // bytes of a row
  Bytes slots_{};
  Column<std::uint16_t> slot_labels_{};
  Column<std::uint32_t> order_{};  // place -> slot
  std::size_t filled_ = 0;         // places
  std::uint64_t drawn_ = 0;
  std::array<std::uint32_t, 1024> words_{};
  Batch building_{};
  std::uint8_t* memory_ = nullptr;  // of its rows
  Pool<Bytes> batches_{};
  bool finished_ = false;
};

static_assert(verbs::Expand<ShuffleBuffer, LabelledRows, Batch>);

}  // namespace sluice::stages
