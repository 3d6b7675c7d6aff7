#include "apps/job/file_stamps.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <sluice/stages/errors.hpp>

namespace sluice::apps {
namespace {

constexpr const char* gone = "gone";

std::string stamp(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return gone;
  return fmt::format("{} {} {} {}.{:09}", s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
}

std::string lasting_stamp(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return gone;
  return fmt::format("{} {}.{:09} {}.{:09}\n", s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec, s.st_ctim.tv_sec,
                     s.st_ctim.tv_nsec);
}

}  // namespace

void FileStamps::add(const std::string& path) {
  stamps_.push_back({path, stamp(path), lasting_stamp(path)});
}

void FileStamps::check_unchanged() const {
  for (const Stamp& one : stamps_)
    if (stamp(one.path) != one.now)
      throw stages::DataError(one.path +
                              ": is not as it was when the run began, expected the same file in every epoch");
}

std::string FileStamps::lasting() const {
  std::string all;
  for (const Stamp& one : stamps_) all += one.lasting;
  return all;
}

}  // namespace sluice::apps
