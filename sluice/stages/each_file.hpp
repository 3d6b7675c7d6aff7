// Several files one after the other, by a source for each.
//
// the chunks of the first file, then those of the second, ..., each with the index of its file. Where `ends` says how
// many decoded bytes of each are wanted, the next begins behind the chunk that reaches them. Order and thread-safety: a
// source; one thread at a time. reset() starts again at the first file. Errors: those of the sources.
//
//   auto chunks = g.source("inflate", EachFile<Inflate>{std::move(two)}, capacity(2));
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/chunk.hpp>

namespace sluice::stages {

// Source: Inflate, InflateWhole, GzipPieces or BlockPieces.
template <class Source>
struct EachFile {
  std::vector<Source> files{};
  std::vector<std::uint64_t> ends{};  // of sources of chunks; empty: all of each file

  using Output = typename Source::Output;
  bool operator()(Output& out) {
    for (; at_ < files.size(); files[at_++].reset(), enough_ = false)
      if (!enough_ && files[at_](out)) {
        if constexpr (requires { out.chunk.file; }) {
          out.chunk.file = at_;
        } else {
          out.file = at_;
          enough_ = !ends.empty() && out.offset + out.size >= ends[at_];
        }
        return true;
      }
    return false;
  }
  void reset() {
    at_ = 0;
    enough_ = false;
    for (Source& file : files) file.reset();
  }
  std::optional<std::size_t> payload_bytes() const {
    std::size_t most = 0;
    for (const Source& file : files) {
      const std::optional<std::size_t> bytes = file.payload_bytes();
      if (!bytes) return std::nullopt;
      most = std::max(most, *bytes);
    }
    return most;
  }
  // Each file's source makes its own when the file is begun, and gives it back behind it.
  std::size_t state_bytes() const {
    std::size_t most = 0;
    if constexpr (requires(const Source& s) { s.state_bytes(); })
      for (const Source& file : files) most = std::max(most, file.state_bytes());
    // What is kept for the next run is kept of each.
    if constexpr (requires(const Source& s) { s.kept_bytes(); })
      for (const Source& file : files) most += file.kept_bytes();
    return most;
  }

  // State of its own, no option.
  std::size_t at_ = 0;
  bool enough_ = false;  // of the file
};

}  // namespace sluice::stages
