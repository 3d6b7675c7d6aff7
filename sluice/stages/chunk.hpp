// A run of decoded bytes of a file, and the handle that keeps them where they are.
//
// data (size bytes) lies in `owner`; offset is its place in the decoded stream.
// Order and thread-safety: a plain value. Whoever must keep the bytes copies the handle; when nobody has, the stage
// that made the chunk uses the memory again (Shared::renew).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include <sluice/stages/shared.hpp>

namespace sluice::stages {

struct ReleaseBytes {
  std::size_t size = 0;
  void operator()(std::uint8_t* data) const;
};

// Uninitialised memory (sluice/stages/huge_pages.hpp) that grows only by being replaced.
struct Bytes {
  std::unique_ptr<std::uint8_t[], ReleaseBytes> data;
  std::size_t capacity = 0;

  // At least this much; what was in it is lost if it grows.
  std::uint8_t* reserve(std::size_t size);
};

// Decoded bytes of a file that are wanted. Who makes its chunks may leave out what is before `begin`, and ends with the
// chunk that reaches `end`.
struct ByteRange {
  std::uint64_t begin = 0, end = ~std::uint64_t{0};
};

struct Chunk {
  Shared<Bytes> owner;
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  std::uint64_t offset = 0;  // of data[0] in the decoded stream
  std::size_t file = 0;      // of several one after the other (sluice/stages/each_file.hpp); offset is in it
};

}  // namespace sluice::stages
