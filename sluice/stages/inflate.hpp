// A file, compressed by gzip, bzip2, xz or zstd, or plain (told by its content), as a stream of decoded chunks of
// bounded size.
//
// path -> chunks in order, each at most chunk_bytes long, decoded by the format's own library (codec.hpp) where they
// will stay. Several members one behind the other (bzip2 streams, xz streams, zstd frames) are one file; behind the
// last one of gzip or bzip2 there may be zeros, of xz zeros in fours, between streams as well. Order and thread-safety:
// a source; one thread at a time. reset() starts again at the file's beginning. A chunk's memory is used again once
// nobody holds it; a consumer that keeps the handle keeps the bytes in place. Memory: beside chunks what the decoder
// holds, for which decoder_memory is the limit, whatever the file says. Errors: DataError naming file and offset in it:
// a file that is missing, a folder, empty or unreadable; content that is not compressed under a name in .gz, .bz2, .xz
// or .zst; a member that is damaged (what the format has to verify it by is verified) or cut short; bytes after the
// last member that are no member; a zstd window or an xz dictionary above decoder_memory; a zstd dictionary; xz checks
// that liblzma does not know; a compression that was not built in. std::invalid_argument for an option out of range.
//
//   auto chunks = g.source("inflate", Inflate{.path = "train-images-idx3-ubyte.gz"}, capacity(2));
//
// Format: RFC 1952 (gzip), RFC 1951 (deflate); bzip2; the .xz file format 1.2.1; RFC 8878 (zstd): see codec.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/chunk.hpp>
#include <sluice/stages/codec.hpp>

namespace sluice::stages {

struct Inflate {
  std::string path;
  std::size_t chunk_bytes = 256 * 1024;  // decoded, at most; >= 1
  std::size_t read_bytes = 128 * 1024;   // of the file at a time; >= 1
  int wake = -1;         // a descriptor: when it becomes readable, a wait for a pipe ends with an error; -1: none
  int input = -1;        // a descriptor to be read, which stays open; `path` is only what it is called; -1: none
  bool at_once = false;  // a chunk ends where a pipe would have to be waited for
  std::size_t decoder_memory = usual_decoder_memory;  // bytes of a zstd window or an xz dictionary, at most
  std::uint64_t begin = 0;  // bytes before that need not come: of a plain file, which is read from there, they do not

  using Output = Chunk;
  bool operator()(Chunk& out);
  void reset() { state_.reset(); }
  std::size_t payload_bytes() const { return chunk_bytes; }
  std::size_t state_bytes() const;  // looks at the headers of a file that is there (decoder_bytes.hpp)

  // State of its own, no options.
  class State;
  struct Closer {
    void operator()(State* state) const;
  };
  std::unique_ptr<State, Closer> state_{};
};

static_assert(verbs::Source<Inflate, Chunk>);

}  // namespace sluice::stages
