// A regular file that is open to be read anywhere in it.
//
// path -> bytes at any offset. What is no regular file is not even opened: whoever writes into a pipe would lose its
// reader. Order and thread-safety: the const functions on any number of threads. Errors: none; what cannot be read is
// nothing.
//
//   const RegularFile file("a.xz");
//   if (file.is_open()) file.read(header, sizeof header, 0);
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace sluice::stages {

// What tells that a file is the one that it was.
struct Stamp {
  dev_t device{};
  ino_t inode{};
  off_t size = 0;
  timespec changed{};
  static Stamp of(const struct stat& s) { return {s.st_dev, s.st_ino, s.st_size, s.st_mtim}; }
  friend bool operator==(const Stamp& a, const Stamp& b) {
    return a.device == b.device && a.inode == b.inode && a.size == b.size && a.changed.tv_sec == b.changed.tv_sec &&
           a.changed.tv_nsec == b.changed.tv_nsec;
  }
};

class RegularFile {
 public:
  explicit RegularFile(const std::string& path);
  RegularFile(const RegularFile&) = delete;
  RegularFile& operator=(const RegularFile&) = delete;
  ~RegularFile();
  bool is_open() const { return file_ >= 0; }
  std::uint64_t size() const { return static_cast<std::uint64_t>(stamp.size); }
  bool has_changed() const;  // since it was opened
  // Which take no room on a disk, and would in memory. Of a small file, or where a file system counts nothing, this
  // does not say much.
  bool has_holes() const { return has_holes_; }

  // The bytes from `offset` on; fewer where the file ends. Nothing: they cannot be read.
  std::optional<std::size_t> read(std::uint8_t* target, std::size_t wanted, std::uint64_t offset) const;

  Stamp stamp;

 private:
  int file_ = -1;
  bool has_holes_ = false;
};

}  // namespace sluice::stages
