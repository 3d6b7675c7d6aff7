#include <sluice/stages/data_files.hpp>

#include <fmt/core.h>

#include <filesystem>
#include <string>
#include <system_error>

#include <sluice/stages/errors.hpp>

namespace sluice::stages {

namespace {

InputFiles find(const DataFilesWanted& wanted, const InputFiles& named, const char* customary) {
  namespace fs = std::filesystem;
  const std::string folder = wanted.folder.empty() ? wanted.default_folder : wanted.folder;
  if (!named.empty()) return named;
  std::error_code ignored;
  const std::string path = (fs::path(folder) / customary).string();
  for (const std::string& candidate : {path + ".gz", path})
    if (fs::exists(candidate, ignored)) return candidate;
  if (wanted.folder.empty())
    throw DataError(
        fmt::format("{}: not found: install the data set with 'apt-get install dataset-fashion-mnist', or name "
                    "the folder of another one with --data DIR",
                    path + ".gz"));
  if (!fs::is_directory(folder, ignored))
    throw DataError(fmt::format("{}: {}, expected a folder with {} and its siblings", folder,
                                fs::exists(folder, ignored) ? "is no folder" : "not found", customary));
  throw DataError(fmt::format("{}: has no {}, .gz or plain: is it the folder of an IDX data set?", folder, customary));
}

}  // namespace

DataFiles find_data_files(const DataFilesWanted& wanted) {
  return {find(wanted, wanted.named.train_images, "train-images-idx3-ubyte"),
          find(wanted, wanted.named.train_labels, "train-labels-idx1-ubyte"),
          find(wanted, wanted.named.test_images, "t10k-images-idx3-ubyte"),
          find(wanted, wanted.named.test_labels, "t10k-labels-idx1-ubyte")};
}

DataFiles find_test_files(const DataFilesWanted& wanted) {
  return {.test_images = find(wanted, wanted.named.test_images, "t10k-images-idx3-ubyte"),
          .test_labels = find(wanted, wanted.named.test_labels, "t10k-labels-idx1-ubyte")};
}

}  // namespace sluice::stages
