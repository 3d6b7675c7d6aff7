// A member of a zip file, as a stream of decoded chunks of bounded size, or as one chunk.
//
// path and the member's name -> chunks in order, each at most chunk_bytes long; stored and deflated members, decoded by
// zlib. With `whole` it is one chunk of the size that the directory promises, decoded in one call by libdeflate: taken
// only where deflate can make so much of so many bytes, and touched only as it is decoded. Whatever does not decode to
// just that is left to the chunks, whose verdict and words hold, and so is everything in a file with holes, or deflated
// where the library was built without libdeflate. Size and CRC-32 are verified both ways, and of a member that goes on
// beyond its promise no more is decoded.
// Order and thread-safety: a source; one thread at a time. reset() starts again at the member's beginning. A chunk's
// memory is used again once nobody holds it.
// Errors: DataError naming file and member: no regular file (the directory is at the end of a zip file, which so cannot
// be read from a pipe); no zip file; a part of a split one; no such member, or two of the name; an encrypted one, or
// one that is compressed in another way; a directory that lies, damage. Any file, where the library was built without
// libzip. std::invalid_argument for an option out of range.
//
//   auto chunks = g.source("unzip", ZipMember{.path = "mnist.npz", .member = "x_train.npy"}, capacity(2));
//
// The directory is libzip's to read. Format: PKWARE's APPNOTE.TXT 6.3.10 (ZIP64: 4.3.14, 4.5.3); RFC 1951 (deflate).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/chunk.hpp>

namespace sluice::stages {

// The version of libzip that this library was built with; empty: with none.
std::string libzip_version();

// By the first 4 bytes, of a zip file that has members.
bool is_zip(const std::uint8_t* start);

struct ZipEntry {
  std::string name;
  std::uint64_t size = 0, stored = 0;  // bytes, decoded and in the file
  std::uint32_t crc = 0;
  std::uint16_t method = 0;  // of compression: 0 stored, 8 deflated
  bool encrypted = false;
};

// The members of a file, in the order of its directory. Errors: those above of the file.
std::vector<ZipEntry> zip_entries(const std::string& path);

// What messages call a member: "mnist.npz: x_train.npy".
std::string zip_member_name(const std::string& path, const std::string& member);

struct ZipMember {
  std::string path;
  std::string member;
  bool whole = false;
  std::size_t chunk_bytes = 256 * 1024;  // decoded, at most, where it is not whole; >= 1
  std::size_t read_bytes = 128 * 1024;   // of the file at a time; >= 1

  using Output = Chunk;
  bool operator()(Chunk& out);
  void reset() { state_.reset(); }
  // With `whole` the directory of a file that is there is read.
  std::optional<std::size_t> payload_bytes() const;
  std::size_t state_bytes() const { return read_bytes + 48 * 1024; }  // a window of zlib, its tables

  // State of its own, no options.
  class State;
  struct Closer {
    void operator()(State* state) const;
  };
  std::unique_ptr<State, Closer> state_{};
};

static_assert(verbs::Source<ZipMember, Chunk>);

}  // namespace sluice::stages
