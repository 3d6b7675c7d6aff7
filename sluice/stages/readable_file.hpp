// Files to be read: opened so that nobody is waited for, and regular ones read at any place, with an error for whatever
// keeps them from it (RegularFile tells of none).
//
// Order and thread-safety: of a ReadableFile read_at() on any number of threads. Errors: DataError naming the file: it
// is missing, a folder, may not be read; no regular file (a pipe, say), where one is needed.
//
//   const ReadableFile file("x.npy");
//   file.read_at(memory, size, offset);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <sluice/stages/regular_file.hpp>

namespace sluice::stages {

// A descriptor of the file, whoever closes it; what may make a reader wait (a pipe, a terminal) is opened without
// waiting for its other end.
int open_to_read(const std::string& path);

class ReadableFile {
 public:
  // what_to_do: behind the error of what is no regular file.
  explicit ReadableFile(std::string path, const std::string& what_to_do = "save it as a file first");

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return file_.size(); }
  bool has_holes() const { return file_.has_holes(); }

  // The bytes from `offset` on; fewer where the file ends.
  std::size_t read_at(std::uint8_t* target, std::size_t wanted, std::uint64_t offset) const;

 private:
  std::string path_;
  RegularFile file_;
};

}  // namespace sluice::stages
