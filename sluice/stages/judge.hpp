// The rest of a file by the decoder that judges, where a faster one has handed on the beginning.
//
// Inflate, from the beginning of the file, without its first decoded bytes: those that were handed on. With their CRC
// that they are the same is seen to. Order and thread-safety: a source; one thread at a time. Errors: Inflate's, and a
// DataError where the file no longer decodes to what was handed on of it.
//
//   Judge rest(Inflate{.path = path}, handed_on, crc);
//   while (rest(chunk)) ...
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <sluice/stages/chunk.hpp>
#include <sluice/stages/inflate.hpp>

namespace sluice::stages {

class Judge {
 public:
  Judge(Inflate inflate, std::uint64_t skipped, std::optional<std::uint32_t> crc)
      : inflate_(std::move(inflate)), skip_(skipped), skipped_(skipped), expected_(crc) {}
  bool operator()(Chunk& out);

 private:
  Inflate inflate_;
  std::uint64_t skip_, skipped_;
  std::optional<std::uint32_t> expected_;
  std::uint32_t crc_ = 0;
};

// Where a file was not the one that it is said to have been. Throws DataError.
[[noreturn]] void refuse_changed(const std::string& path, std::uint64_t offset);

}  // namespace sluice::stages
