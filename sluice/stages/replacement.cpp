#include <sluice/stages/replacement.hpp>

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <sluice/stages/errors.hpp>

namespace sluice::stages {
namespace {

constexpr const char* previous_suffix = ".previous";

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

[[noreturn]] void cannot(const std::string& path, const char* what) {
  const int error = errno;
  const std::string text =
      fmt::format("{}: {}: {}{}", path, what, std::strerror(error), error == ENOENT ? ": does its folder exist?" : "");
  // What another path would help against, and what only another disk.
  for (const int wrong : {ENOENT, ENOTDIR, EISDIR, ELOOP, ENAMETOOLONG, EACCES, EPERM, EROFS})
    if (error == wrong) throw PathError(text);
  throw WriteError(text);
}

template <class Call>
int uninterrupted(Call&& call) {
  int result;
  do result = call();
  while (result < 0 && errno == EINTR);
  return result;
}

// What a link points to, also where that is not there yet: the link stays, the file behind it is replaced.
std::string behind_links(const std::string& path) {
  namespace fs = std::filesystem;
  fs::path at = path;
  for (int links = 0; links < 40; ++links) {
    struct stat status {};
    if (::lstat(at.c_str(), &status) != 0 && errno != ENOENT && errno != ENOTDIR) cannot(path, "cannot be looked at");
    if (!S_ISLNK(status.st_mode)) break;
    std::error_code error;
    at = at.parent_path() / fs::read_symlink(at, error);
    if (!error) continue;
    errno = error.value();
    cannot(path, "cannot be followed");
  }
  return at.string();
}

bool lock(int file) {
  return uninterrupted([&] { return ::flock(file, LOCK_EX | LOCK_NB); }) == 0;
}

// Takes the temporary file of a writer that died away: nobody holds its lock. False: somebody does, or it cannot be
// told.
bool remove_abandoned(const std::string& name) {
  const int file = uninterrupted([&] { return ::open(name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); });
  if (file < 0) return errno == ENOENT;
  const bool removed = lock(file) && is_at(name, file) && ::unlink(name.c_str()) == 0;
  ::close(file);
  return removed;
}

}  // namespace

bool is_at(const std::string& name, int file) {
  struct stat opened {
  }, there{};
  return ::fstat(file, &opened) == 0 && ::lstat(name.c_str(), &there) == 0 && opened.st_dev == there.st_dev &&
         opened.st_ino == there.st_ino;
}

Replacement::Replacement(const std::string& path) : path_(path), target_(behind_links(path)) {
  struct stat status {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) cannot(path, "cannot be written");  // a circle of links would be replaced, too
  if (exists && !S_ISREG(status.st_mode))
    throw PathError(path + ": " +
                    (S_ISDIR(status.st_mode) ? "is a folder, expected the name of a file"
                                             : "exists and is no regular file, expected the name of a file"));
  take_name(exists ? 0600 : 0666);
  if (exists) keep_mode(status.st_mode & 0777);
}

// The first that no other writer has: what writers that died left behind is taken away, so that there are never more
// than there were writers at one time.
void Replacement::take_name(mode_t mode) {
  for (unsigned others = 0, tries = 0; file_ < 0; ++tries) {
    name_ = fmt::format("{}.sluice-{}.part", target_, others);
    const int file =
        uninterrupted([&] { return ::open(name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode); });
    if (file < 0 && (errno != EEXIST || tries > 1000)) cannot(path_, "cannot be written");
    if (file < 0) {
      if (!remove_abandoned(name_)) ++others;
      continue;
    }
    // Where a file system has no locks, nobody gets one: then what is left behind stays. Who looked at the file before
    // it was locked may have taken it away.
    if ((lock(file) || errno != EWOULDBLOCK) && is_at(name_, file))
      file_ = file;
    else
      ::close(file);
  }
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
  if (uninterrupted([&] { return ::fsync(file_); }) != 0) cannot(path_, "cannot be written to the disk");
  const std::string previous = target_ + previous_suffix, folder = folder_of(target_);
  if (!is_at(name_, file_)) throw WriteError(path_ + ": cannot be written: somebody took its temporary file away");
  const bool kept = older == Older::kept && ::rename(target_.c_str(), previous.c_str()) == 0;
  if (older == Older::kept && !kept && errno != ENOENT) cannot(path_, "cannot be kept as the previous one");
  if (::rename(name_.c_str(), target_.c_str()) != 0) {
    const int error = errno;
    if (kept) ::rename(previous.c_str(), target_.c_str());
    errno = error;
    cannot(path_, "cannot be replaced");
  }
  done_ = true;
  ::close(std::exchange(file_, -1));  // not before: its name is ours as long as it is locked; fsync() has said all
  bring_to_disk(folder);
}

// The names in it.
void Replacement::bring_to_disk(const std::string& folder) {
  constexpr const char* cannot_be = "was written, but its folder cannot be brought to the disk";
  const int file = uninterrupted([&] { return ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (file < 0 && errno == EACCES) return;  // may be written to and not read: nothing can be done
  if (file < 0) cannot(path_, cannot_be);
  const int result = uninterrupted([&] { return ::fsync(file); }), error = errno;
  ::close(file);
  if (result == 0 || error == EINVAL) return;
  errno = error;
  cannot(path_, cannot_be);
}

void Replacement::keep_mode(mode_t mode) {
  if (::fchmod(file_, mode) == 0) return;
  const int error = errno;
  remove();
  errno = error;
  cannot(path_, "cannot be given the rights of the file that it replaces");
}

void Replacement::remove() {
  if (file_ < 0) return;
  if (!done_) ::unlink(name_.c_str());  // while it is locked: then it might be another's
  ::close(std::exchange(file_, -1));
}

std::string previous_version(const std::string& path) {
  return behind_links(path) + previous_suffix;
}

void check_writable(const std::string& path) {
  Replacement{path};
}

}  // namespace sluice::stages
