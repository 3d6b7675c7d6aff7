#include <sluice/stages/readable_file.hpp>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
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

ReadableFile::ReadableFile(std::string path, const std::string& what_to_do) : path_(std::move(path)), file_(path_) {
  if (file_.is_open()) return;
  struct stat status {};
  if (::stat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
    throw DataError(fmt::format("{}: is no regular file, expected one: {}", path_, what_to_do));
  ::close(open_to_read(path_));  // which says why not
  throw DataError(path_ + ": cannot be opened: did it change?");
}

std::size_t ReadableFile::read_at(std::uint8_t* target, std::size_t wanted, std::uint64_t offset) const {
  if (const std::optional<std::size_t> got = file_.read(target, wanted, offset)) return *got;
  throw DataError(fmt::format("{}: cannot be read at byte {}: {}", path_, offset, std::strerror(errno)));
}

}  // namespace sluice::stages
