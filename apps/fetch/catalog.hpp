// The data sets that `sluice fetch` knows: where they lie, and what a published source states of each of their files.
//
// name -> a set, or nullptr. Sizes and digests are those of the source that is named with them; none was computed from
// a file that somebody sent. Order and thread-safety: constants. Errors: none.
//
//   if (const DataSet* set = find_data_set("mnist")) for (const PublishedFile& file : set->files) ...
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sluice::apps {

struct PublishedFile {
  std::string name;
  std::uint64_t bytes;
  std::string sha256;  // lower-case hexadecimal digits
};

struct DataSet {
  std::string name, what;
  std::vector<std::string> mirrors;  // folders on the web, the first to be asked first
  std::string digests;               // who states sizes and digests, and where
  std::vector<PublishedFile> files;
  enum class Kept { as_they_are, emnist, cifar_10 };
  Kept kept = Kept::as_they_are;  // or what is made of the one file (apps/fetch/unpack.hpp)
  std::string data = "";          // below the folder: what --data takes
  std::string flags = "";         // that train needs besides
  std::string remark = "";        // for people, of the result
};

std::span<const DataSet> data_sets();
const DataSet* find_data_set(const std::string& name);

}  // namespace sluice::apps
