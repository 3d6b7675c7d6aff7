// How the system knows files, to tell later whether they are still the same: by size, times and place on the disk.
//
// Order and thread-safety: a plain value that looks at the file system; one thread. Errors: check_unchanged() throws a
// stages::DataError that names the file.
//
//   FileStamps stamps;
//   stamps.add("train-images.gz");
//   ... stamps.check_unchanged();
#pragma once

#include <string>
#include <vector>

namespace sluice::apps {

class FileStamps {
 public:
  void add(const std::string& path);
  // Throws where a file was replaced or written over since it was added; other rights and another name are no change.
  void check_unchanged() const;
  // Compares equal from one run to the next where the files are the same. A file whose time was set back by who copied
  // it is told by the time of its entry, which other rights and names change as well.
  std::string lasting() const;

 private:
  struct Stamp {
    std::string path, now, lasting;
  };
  std::vector<Stamp> stamps_;
};

}  // namespace sluice::apps
