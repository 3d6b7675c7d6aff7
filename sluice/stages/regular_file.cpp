#include <sluice/stages/regular_file.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace sluice::stages {

RegularFile::RegularFile(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  do file_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  while (file_ < 0 && errno == EINTR);
  if (file_ < 0 || ::fstat(file_, &status) != 0) return;
  stamp = Stamp::of(status);
  has_holes_ = status.st_size > (1 << 20) && status.st_blocks > 0 && status.st_blocks < status.st_size / 512;
}

RegularFile::~RegularFile() {
  if (file_ >= 0) ::close(file_);
}

bool RegularFile::has_changed() const {
  struct stat status {};
  return ::fstat(file_, &status) != 0 || !(Stamp::of(status) == stamp);
}

std::optional<std::size_t> RegularFile::read(std::uint8_t* target, std::size_t wanted, std::uint64_t offset) const {
  std::size_t got = 0;
  while (got < wanted) {
    const ssize_t n = ::pread(file_, target + got, wanted - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return std::nullopt;
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  return got;
}

}  // namespace sluice::stages
