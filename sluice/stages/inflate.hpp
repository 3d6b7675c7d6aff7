// A file, gzip-compressed or plain (told by its content), as a stream of decoded chunks of bounded size.
//
// path -> chunks in order, each at most chunk_bytes long, decoded by zlib where they will stay.
// Order and thread-safety: a source; one thread at a time. reset() starts again at the file's beginning.
// A chunk's memory is used again once nobody holds it; a consumer that keeps the handle keeps the bytes in place.
// Errors: DataError naming file and offset in it: a file that is missing, a folder, empty or unreadable; content that
// is no gzip under a name in .gz; a member that is damaged (CRC and length are verified) or cut short; bytes after the
// last member that are no member. std::invalid_argument for an option out of range.
//
//   auto chunks = g.source("inflate", Inflate{.path = "train-images-idx3-ubyte.gz"}, capacity(2));
//
// Format: RFC 1952 (gzip), several members one after the other; RFC 1951 (deflate).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/chunk.hpp>

namespace sluice::stages {

struct Inflate {
  std::string path;
  std::size_t chunk_bytes = 256 * 1024;  // decoded, at most; >= 1
  std::size_t read_bytes = 128 * 1024;   // of the file at a time; >= 1
  int wake = -1;         // a descriptor: when it becomes readable, a wait for a pipe ends with an error; -1: none
  int input = -1;        // a descriptor to be read, which stays open; `path` is only what it is called; -1: none
  bool at_once = false;  // a chunk ends where a pipe would have to be waited for

  using Output = Chunk;
  bool operator()(Chunk& out);
  void reset() { state_.reset(); }
  std::size_t payload_bytes() const { return chunk_bytes; }
  std::size_t state_bytes() const { return read_bytes + 48 * 1024; }  // a window of zlib, its tables

  // State of its own, no options.
  class State;
  struct Closer {
    void operator()(State* state) const;
  };
  std::unique_ptr<State, Closer> state_{};
};

static_assert(verbs::Source<Inflate, Chunk>);

}  // namespace sluice::stages
