#include "apps/fetch/part_file.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <vector>

#include <sluice/stages/digest.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/replacement.hpp>

namespace sluice::apps {
namespace {

[[noreturn]] void cannot(const std::string& name, const char* what) {
  const int error = errno;
  const std::string text = fmt::format("{}: {}: {}", name, what, std::strerror(error));
  for (const int wrong : {ENOENT, ENOTDIR, EISDIR, ELOOP, ENAMETOOLONG, EACCES, EPERM, EROFS})
    if (error == wrong) throw stages::PathError(text);
  throw stages::WriteError(text);
}

// Nothing: it cannot be read.
std::optional<std::string> sha256_of(int file) {
  stages::Sha256 digest;
  std::vector<char> bytes(std::size_t{1} << 20);
  for (off_t at = 0;;) {
    const ssize_t n = ::pread(file, bytes.data(), bytes.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) return digest.hex();
    digest.add(bytes.data(), static_cast<std::size_t>(n));
    at += n;
  }
}

}  // namespace

std::string sha256_of(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const std::optional<std::string> hex = file < 0 ? std::nullopt : sha256_of(file);
  const int error = errno;
  if (file >= 0) ::close(file);
  if (!hex) throw stages::DataError(fmt::format("{}: cannot be read: {}", path, std::strerror(error)));
  return *hex;
}

PartFile::PartFile(const std::string& path) : path_(path), name_(path + ".part") {
  try {
    open();
  } catch (...) {
    if (file_ >= 0) ::close(file_);
    throw;
  }
}

void PartFile::open() {
  struct stat opened {};
  do {
    if (file_ >= 0) ::close(file_);
    file_ = ::open(name_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (file_ < 0) cannot(name_, "cannot be written");
    // Where a file system has no locks, nobody gets one.
    if (::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      throw stages::WriteError(name_ + ": another process is fetching it");
    if (::fstat(file_, &opened) != 0) cannot(name_, "cannot be looked at");
    if (!S_ISREG(opened.st_mode)) throw stages::PathError(name_ + ": is no regular file: take it away");
    // Whoever had it may have given it its name meanwhile.
  } while (!stages::is_at(name_, file_));
  size_ = static_cast<std::uint64_t>(opened.st_size);
}

PartFile::~PartFile() {
  if (file_ < 0) return;
  if (size_ == 0) ::unlink(name_.c_str());  // while it is locked
  ::close(file_);
}

void PartFile::append(const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::pwrite(file_, at, size, static_cast<off_t>(size_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) cannot(name_, "cannot be written");
    at += n, size -= static_cast<std::size_t>(n), size_ += static_cast<std::uint64_t>(n);
  }
}

void PartFile::empty() {
  if (::ftruncate(file_, 0) != 0) cannot(name_, "cannot be written");
  size_ = 0;
}

std::string PartFile::sha256() const {
  const std::optional<std::string> hex = sha256_of(file_);
  if (!hex) cannot(name_, "cannot be read");
  return *hex;
}

void PartFile::commit() {
  if (::fsync(file_) != 0) cannot(name_, "cannot be written to the disk");
  if (::rename(name_.c_str(), path_.c_str()) != 0) cannot(path_, "cannot be given its name");
  ::close(file_);
  file_ = -1;
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  const int names = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (names < 0) return;  // may be written to and not read: nothing can be done
  const int result = ::fsync(names), error = errno;
  ::close(names);
  errno = error;
  if (result != 0 && error != EINVAL) cannot(path_, "was written, but its folder cannot be brought to the disk");
}

}  // namespace sluice::apps
