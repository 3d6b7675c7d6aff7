// A file that comes in pieces, from the network, over several runs: it lies in PATH.part until it is verified.
//
// bytes in order -> PATH, once commit() has returned; until then PATH is what it was. What has come stays in PATH.part
// when the object goes, for the next one to go on with; an empty one is taken away. Order and thread-safety: one
// thread; one object a path, in all processes: PATH.part is locked. Errors: stages::WriteError naming the path: the
// disk is full, somebody else writes it, ...; stages::PathError where the path is wrong.
//
//   PartFile part(path);
//   part.append(data, size);
//   if (part.sha256() == expected) part.commit();
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice::apps {

class PartFile {
 public:
  explicit PartFile(const std::string& path);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  const std::string& name() const { return name_; }  // PATH.part
  std::uint64_t size() const { return size_; }
  void append(const void* data, std::size_t size);
  void empty();  // begins anew
  std::string sha256() const;
  void commit();

 private:
  void open();
  const std::string path_, name_;
  int file_ = -1;
  std::uint64_t size_ = 0;
};

// Of a file that is there. Errors: stages::DataError.
std::string sha256_of(const std::string& path);

}  // namespace sluice::apps
