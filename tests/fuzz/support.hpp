// What the fuzz targets share. A target is one function that is given bytes; it ends the process if a promise is
// broken, whatever the bytes are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/support/folder.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace sluice::fuzz {

inline void expect(bool holds, const std::string& promise, const std::string& details = {}) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n%s\n", promise.c_str(), details.c_str());
  std::abort();
}

// The error of a file names it, and what the file holds neither makes several lines of it nor fills the screen.
inline void check_error(const std::string& text, const std::string& path) {
  expect(text.starts_with(path + ": "), "an error names the file", text);
  expect(std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 127; }),
         "an error is one line of plain text", text);
  expect(text.size() < path.size() + 600, "an error is short", text);
}

// Numbers that follow from the input: the bytes of a corpus file are then nothing but a file of the kind it is named
// after, and the same file is always cut in the same way.
class Derived {
 public:
  Derived(const std::uint8_t* data, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) state_ = (state_ ^ data[i]) * 0x100000001b3;  // FNV-1a
  }
  // 0 .. most
  std::size_t up_to(std::size_t most) {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return static_cast<std::size_t>(state_ >> 33) % (most + 1);
  }
  // 1 .. most, small ones as often as large ones.
  std::size_t size_up_to(std::size_t most) {
    std::size_t bits = 0;
    while (most >> (bits + 1)) ++bits;
    const std::size_t size = std::size_t{1} << up_to(bits);
    return std::min(most, size + up_to(size - 1));
  }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325;
};

using test::Folder;  // scripts/fuzz has it in memory

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace sluice::fuzz
