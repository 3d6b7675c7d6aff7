#include <sluice/stages/readable_file.hpp>

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <sluice/stages/errors.hpp>

namespace sluice::stages {

int open_to_read(const std::string& path) {
  int file;
  do file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  while (file < 0 && errno == EINTR);
  if (file < 0)
    throw DataError(fmt::format("{}: cannot be opened: {}{}", path, std::strerror(errno),
                                errno == ENOENT ? ": is the path right?" : ""));
  struct stat status {};
  if (::fstat(file, &status) == 0 && S_ISDIR(status.st_mode)) {
    ::close(file);
    throw DataError(path + ": is a folder, expected a file");
  }
  return file;
}

bool has_holes(const struct stat& status) {
  return status.st_size > (1 << 20) && status.st_blocks > 0 && status.st_blocks < status.st_size / 512;
}

ReadableFile::ReadableFile(std::string path, const std::string& what_to_do) : path_(std::move(path)) {
  // A pipe must not even be opened: whoever writes into it would lose its reader.
  if (::stat(path_.c_str(), &status_) == 0 && !S_ISREG(status_.st_mode) && !S_ISDIR(status_.st_mode))
    throw DataError(fmt::format("{}: is no regular file, expected one: {}", path_, what_to_do));
  file_ = open_to_read(path_);
  ::fstat(file_, &status_);
}

ReadableFile::~ReadableFile() {
  if (file_ >= 0) ::close(file_);
}

std::size_t ReadableFile::read_at(std::uint8_t* target, std::size_t wanted, std::uint64_t offset) const {
  std::size_t got = 0;
  while (got < wanted) {
    const ssize_t n = ::pread(file_, target + got, wanted - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      throw DataError(fmt::format("{}: cannot be read at byte {}: {}", path_, offset + got, std::strerror(errno)));
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  return got;
}

}  // namespace sluice::stages
