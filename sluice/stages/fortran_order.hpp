// Arrays in Fortran order, whose first index changes fastest, as the same arrays in C order.
//
// FortranFile: path of a plain .npy file -> chunks of the .npy file that NumPy would have written of the same array in
// C order. A source. Rows are put together out of all places of the file, a block at a time: it holds one block and
// hands out one, each of block_bytes or, where that is larger, of one row.
// InCOrder: chunks of any files, in order -> the same chunks, but of arrays in Fortran order those of the file in C
// order: a header, and the whole array in one chunk, as soon as its last byte has come. An expand. Then the array is in
// memory twice.
// Where the order makes no difference (one size, or all but one are 1) an array is in C order already.
//
// Order and thread-safety: one thread at a time; reset() starts again. A chunk's memory is used again once nobody holds
// it. Errors: DataError naming the file: ReadableFile's and array_header.hpp's; one that is shorter or longer than its
// header promises; of FortranFile what is no array in Fortran order. std::invalid_argument for blocks of 0 bytes.
//
//   auto chunks = g.source("read", FortranFile{.path = "x.npy"}, capacity(2));
//   auto chunks = g.expand("in_order", InCOrder{.paths = {path}}, g.source("inflate", Inflate{.path = path}));
//
// Format: sluice/stages/npy.hpp; NumPy's page "numpy.ndarray, internal memory layout".
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/array_header.hpp>
#include <sluice/stages/chunk.hpp>

namespace sluice::stages {

struct FortranFile {
  std::string path;
  std::size_t block_bytes = std::size_t{8} << 20;  // of rows at a time; >= 1

  using Output = Chunk;
  bool operator()(Chunk& out);
  void reset() { state_.reset(); }
  // Reads the header of a file that is there.
  std::optional<std::size_t> payload_bytes() const;
  std::size_t state_bytes() const { return payload_bytes().value_or(0); }

  // State of its own, no options.
  class State;
  struct Closer {
    void operator()(State* state) const;
  };
  std::unique_ptr<State, Closer> state_{};
};

struct InCOrder {
  std::vector<std::string> paths;  // of the files, for error messages

  using Output = Chunk;
  void push(const Chunk& chunk);
  bool pull(Chunk& out);
  void finish() { end_of_file(); }
  void reset() { state_ = {}; }

  // State of its own, no options.
  struct State {
    std::size_t file = 0;
    std::vector<std::uint8_t> start{};          // of the file, until its order is known
    std::optional<ArrayHeader> array{};         // that is being collected
    bool passed_on = false;                     // the file is, as it is
    std::uint64_t promised = 0, collected = 0;  // bytes of it
    std::vector<Chunk> parts{};                 // of the array
    std::deque<Chunk> ready{};                  // to be pulled
  };
  const std::string& path() const { return paths[state_.file]; }
  void collect(const Chunk& chunk);
  void end_of_file();
  void put_in_order();
  State state_{};
};

// `count` rows of `sizes` values each, of `bytes` bytes: in `from` value by value, the rows of one after the other; in
// `to` row by row.
void rows_in_c_order(const std::uint8_t* from, std::size_t count, std::span<const std::uint64_t> sizes,
                     std::size_t bytes, std::uint8_t* to);

static_assert(verbs::Source<FortranFile, Chunk> && verbs::Expand<InCOrder, Chunk, Chunk>);

}  // namespace sluice::stages
