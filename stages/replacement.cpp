#include "stages/replacement.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "stages/errors.hpp"

namespace sluice::stages {
namespace {

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

// What a link points to, also where that is not there yet: the link stays, the file behind it is replaced.
std::string behind_links(std::string path) {
  namespace fs = std::filesystem;
  std::error_code error;
  for (int links = 0; links < 40 && fs::is_symlink(fs::symlink_status(path, error)); ++links)
    path = (fs::path(path).parent_path() / fs::read_symlink(path, error)).string();
  return path;
}

[[noreturn]] void cannot(const std::string& path, const char* what) {
  const int error = errno;
  throw WriteError(
      fmt::format("{}: {}: {}{}", path, what, std::strerror(error), error == ENOENT ? ": does its folder exist?" : ""));
}

}  // namespace

Replacement::Replacement(const std::string& path) : path_(path), target_(behind_links(path)) {
  struct stat status {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (!exists && errno == ELOOP) cannot(path, "cannot be written");  // else the circle would be replaced
  if (exists && !S_ISREG(status.st_mode))
    throw WriteError(path + ": " +
                     (S_ISDIR(status.st_mode) ? "is a folder, expected the name of a file"
                                              : "exists and is no regular file, expected the name of a file"));
  for (unsigned attempt = 0; file_ < 0; ++attempt) {
    name_ = fmt::format("{}.{}-{}.part", target_, ::getpid(), attempt);
    file_ = ::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file_ < 0 && errno != EINTR && (errno != EEXIST || attempt > 1000)) cannot(path, "cannot be written");
  }
  if (exists) keep_mode(status.st_mode & 0777);
}

void Replacement::write(const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::write(file_, at, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) cannot(path_, "cannot be written");
    at += n, size -= static_cast<std::size_t>(n);
  }
}

void Replacement::commit(Older older) {
  if (::fsync(file_) != 0) cannot(path_, "cannot be written to the disk");
  if (::close(std::exchange(file_, -1)) != 0) cannot(path_, "cannot be written");
  const std::string previous = previous_version(target_);
  const bool kept = older == Older::kept && ::rename(target_.c_str(), previous.c_str()) == 0;
  if (older == Older::kept && !kept && errno != ENOENT) cannot(path_, "cannot be kept as the previous one");
  if (::rename(name_.c_str(), target_.c_str()) != 0) {
    const int error = errno;
    if (kept) ::rename(previous.c_str(), target_.c_str());
    errno = error;
    cannot(path_, "cannot be replaced");
  }
  done_ = true;
  const int folder = ::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;  // may be written to and not read: the file is there, if perhaps not yet after a power cut
  const int result = ::fsync(folder), error = errno;
  ::close(folder);
  if (result != 0 && error != EINVAL) {
    errno = error;
    cannot(path_, "was written, but its folder cannot be brought to the disk");
  }
}

void Replacement::keep_mode(mode_t mode) {
  if (::fchmod(file_, mode) == 0) return;
  const int error = errno;
  remove();
  errno = error;
  cannot(path_, "cannot be given the rights of the file that it replaces");
}

void Replacement::remove() {
  if (file_ >= 0) ::close(std::exchange(file_, -1));
  if (!done_) ::unlink(name_.c_str());
}

std::string previous_version(const std::string& path) {
  return behind_links(path) + ".previous";
}

void check_writable(const std::string& path) {
  Replacement{path};
}

}  // namespace sluice::stages
