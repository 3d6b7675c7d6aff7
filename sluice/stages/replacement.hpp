// A file that replaces another only when it is complete and on the disk.
//
// path, bytes in order -> the file at `path`, once commit() has returned. Until then they lie in a temporary file in
// the same folder, which goes with the object; whatever fails, the older file is as it was and nothing else is left
// behind. A path that is a link stays one: what it points to is replaced. The older file's rights are kept, and, if
// asked for, the older file itself under another name; a crash between the two renames leaves it there alone.
// A writer that is killed leaves its temporary file, PATH.sluice-0.part or of a higher number, behind; the next one at
// this path takes it away, so that there are never more of them than there were writers at one time. (They are told
// from those in use by a lock: where the file system has none, they stay.) Order and thread-safety: one thread at a
// time. Several writers at a path, in any processes: none disturbs another, each file that appears there is whole, and
// the last one stays. Errors: WriteError naming the path: the disk is full, ...; PathError where the path is wrong: its
// folder is missing, it is a folder or no regular file, ...
//
//   Replacement file(path);
//   file.write(bytes.data(), bytes.size());
//   file.commit();
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

namespace sluice::stages {

class Replacement {
 public:
  explicit Replacement(const std::string& path);
  ~Replacement() { remove(); }
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;

  void write(const void* data, std::size_t size);
  enum class Older { dropped, kept };
  void commit(Older older = Older::dropped);  // kept: as previous_version(path)

 private:
  void take_name(mode_t mode);
  void keep_mode(mode_t mode);
  void bring_to_disk(const std::string& folder);
  void remove();

  const std::string path_;    // as it was asked for, for error messages
  const std::string target_;  // behind its links
  std::string name_;
  int file_ = -1;
  bool done_ = false;
};

// Where the older file is kept: beside it, with `.previous` behind its name.
std::string previous_version(const std::string& path);

// Whether this is still the name of the file that is open: another process may have taken it away or renamed it.
bool is_at(const std::string& name, int file);

// Throws WriteError if a file could not be written at this path. Leaves nothing behind and touches no file there.
void check_writable(const std::string& path);

}  // namespace sluice::stages
