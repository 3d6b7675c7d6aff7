#include "apps/ranks/host_memory.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

namespace sluice::apps {
namespace {

using nlohmann::ordered_json;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::byte* map(int file, std::size_t bytes, int access) {
  void* const mapped = ::mmap(nullptr, bytes, access, MAP_SHARED | MAP_POPULATE, file, 0);
  if (mapped == MAP_FAILED) fail("memory that the processes of a host share");
  return static_cast<std::byte*>(mapped);
}

}  // namespace

HostMemory& HostMemory::operator=(HostMemory&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(pages_, other.pages_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

HostMemory::~HostMemory() {
  if (pages_) ::munmap(pages_, bytes_);
  if (file_ >= 0) ::close(file_);
}

HostMemory HostMemory::make(const char* name) {
  HostMemory made;
  made.file_ = ::memfd_create(name, MFD_CLOEXEC);
  if (made.file_ < 0) fail("memory that the processes of a host share");
  return made;
}

void HostMemory::resize(std::size_t bytes) {
  if (::ftruncate(file_, static_cast<off_t>(bytes)) != 0) fail("memory that the processes of a host share");
  bytes_ = bytes;
}

std::byte* HostMemory::write(std::size_t bytes) {
  resize(bytes);
  return pages_ = map(file_, bytes, PROT_READ | PROT_WRITE);
}

ordered_json HostMemory::offer() const {
  struct stat status {};
  if (::fstat(file_, &status) != 0) fail("memory that the processes of a host share");
  return {{"file", fmt::format("/proc/{}/fd/{}", ::getpid(), file_)},
          {"device", status.st_dev},
          {"number", status.st_ino},
          {"bytes", bytes_}};
}

HostMemory HostMemory::see(const ordered_json& offer) {
  HostMemory seen;
  const std::string file = offer.at("file");
  // Elsewhere the number may be another process's, and what it has open anything: nothing that would have to be waited
  // for.
  const int opened = ::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (opened < 0) throw OutOfReach(fmt::format("{}: {}", file, std::generic_category().message(errno)));
  seen.file_ = opened;
  struct stat status {};
  if (::fstat(opened, &status) != 0 || offer.at("device") != status.st_dev || offer.at("number") != status.st_ino ||
      offer.at("bytes") != status.st_size)
    throw OutOfReach(fmt::format("{}: is something else", file));
  seen.bytes_ = offer.at("bytes");
  if (seen.bytes_ > 0) seen.pages_ = map(opened, seen.bytes_, PROT_READ);
  // The pages stay without it.
  seen.file_ = -1;
  ::close(opened);
  return seen;
}

}  // namespace sluice::apps
