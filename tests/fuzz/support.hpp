// What the fuzz targets share. A target is one function that is given bytes; it ends the process if a promise is
// broken, whatever the bytes are.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace sluice::fuzz {

inline void expect(bool holds, const std::string& promise, const std::string& details = {}) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n%s\n", promise.c_str(), details.c_str());
  std::abort();
}

// Of a file: it is named, and what the file holds neither makes several lines of it nor fills the screen.
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

// A folder that is gone afterwards. scripts/fuzz has it in memory.
class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-fuzz-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string path(const char* name) const { return path_ + "/" + name; }

  std::string write(const char* name, const std::uint8_t* data, std::size_t size) const {
    const std::string file_path = path(name);
    const int file = ::open(file_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const bool written = file >= 0 && ::write(file, data, size) == static_cast<ssize_t>(size);
    if (file < 0 || ::close(file) != 0 || !written) throw std::runtime_error("cannot write " + file_path);
    return file_path;
  }

 private:
  std::string path_;
};

}  // namespace sluice::fuzz
