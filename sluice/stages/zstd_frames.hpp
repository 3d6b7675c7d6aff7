// The frames of a zstd file, one after the other, by the headers of frames and blocks: nothing is decoded.
//
// file -> frames, in order, without what is in them. Order and thread-safety: one thread at a time. Errors: none; what
// is no whole frame is said to be bad.
//
//   ZstdFrames frames(file);
//   for (ZstdFrames::Frame frame; frames.next(frame, {}) == ZstdFrames::Next::frame;) ...
//
// Format: RFC 8878, 3.1.1 (zstd frames), 3.1.2 (skippable frames).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include <sluice/stages/regular_file.hpp>
#include <sluice/stages/zstd_frame.hpp>

namespace sluice::stages {

class ZstdFrames {
 public:
  explicit ZstdFrames(const RegularFile& file) : file_(file) {}

  struct Frame {
    ZstdHeader header{};
    std::uint64_t begin = 0, end = 0;  // in the file
    std::uint64_t decoded = 0;         // bytes, at most
  };
  // Where it is given up to look for the end of a frame.
  struct Limits {
    std::uint64_t decoded = std::numeric_limits<std::uint64_t>::max();
    std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();  // of the file
    std::size_t headers = std::numeric_limits<std::size_t>::max();    // of all frames so far, and of their blocks
  };
  // bad: no frame, or not all of it. beyond: one of the limits.
  enum class Next { frame, end, bad, beyond };
  Next next(Frame& frame, const Limits& limits);

 private:
  std::span<const std::uint8_t> look(std::uint64_t at, std::size_t wanted);

  const RegularFile& file_;
  std::uint64_t at_ = 0;     // of the next frame
  std::size_t headers_ = 0;  // looked at
  std::array<std::uint8_t, 4096> bytes_{};
  std::uint64_t begin_ = 0;  // of them, in the file
  std::size_t size_ = 0;
};

}  // namespace sluice::stages
