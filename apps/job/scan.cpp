#include "apps/job/scan.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <system_error>
#include <utility>
#include <vector>

#include <sluice/stages/digest.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/idx.hpp>
#include "apps/job/input.hpp"

namespace sluice::apps {
namespace {

using namespace stages;

// What is known of files that are too large to be read for it: their sizes, and how each begins and ends, as they are
// stored.
std::string digest_of_ends(const std::vector<std::string>& paths) {
  constexpr std::uintmax_t most = 64 * 1024;
  Sha256 digest;
  std::string bytes;
  const auto add = [&](std::ifstream& file, const std::string& path, std::uintmax_t from, std::uintmax_t size) {
    bytes.resize(static_cast<std::size_t>(size));
    file.seekg(static_cast<std::streamoff>(from));
    if (!file.read(bytes.data(), static_cast<std::streamsize>(size)))
      throw DataError(path + ": cannot be read to its end: did it change?");
    digest.add(bytes.data(), bytes.size());
  };
  for (const std::string& path : paths) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(path, error), end = std::min(size, most);
    if (error) throw DataError(fmt::format("{}: cannot be looked at: {}", path, error.message()));
    const std::string text = std::to_string(size) + "\n";
    digest.add(text.data(), text.size());
    std::ifstream file(path, std::ios::binary);
    add(file, path, 0, end);
    add(file, path, size - end, end);
  }
  return digest.hex();
}

FileStamps stamps(const InputFiles& images, const InputFiles& labels) {
  FileStamps all;
  for (const InputFiles* files : {&images, &labels})
    for (const std::string& path : files->paths()) {
      std::error_code error;
      if (!std::filesystem::exists(path, error)) continue;  // said by who reads it
      if (!std::filesystem::is_regular_file(path, error))
        throw DataError(path + ": is no regular file, expected one with --stream, which reads it in every epoch");
      all.add(path);
    }
  return all;
}

LabelledSet in_files(const InputFiles& images, const InputFiles& labels, FileStamps stamps,
                     const DataSettings& settings) {
  const ImagesHeader header = images_header(images, settings.classes);
  LabelledSet set(header.shape, header.count());
  set.counts = header.counts;
  set.images = images, set.labels = labels;
  set.stamps = std::move(stamps);
  set.decoder = settings.read.decoder, set.index = settings.read.index;
  set.decoded = std::make_shared<DecodedBytes>();
  for (std::size_t i = 0; i < images.paths().size(); ++i) set.known.push_back(std::make_shared<stages::KnownPieces>());
  return set;
}

template <ItemKind kind, class Sink>
void check(Graph& g, const std::string& what, const InputFiles& files, const ReadItems& how, Sink& sink) {
  g.sink("check." + what, std::ref(sink), read_items<kind>(g, what, files, how).elements);
}

}  // namespace

void FileScan::Measured::operator()(const Rows& rows) {
  if (moments.features() == 0) moments = Moments(static_cast<std::size_t>(rows.shape.pixels()));
  for (const std::uint8_t* row : rows.at) moments.add(row, rows.type);
}

//  pieces.train-labels -> inflate.train-labels -> parse.train-labels -> check.train-labels
//  and the same for the two of the test set, side by side; with --standardize
//  pieces.train-images -> inflate.train-images -> parse.train-images -> rows.train-images -> measure.train-images
FileScan::FileScan(const DataFiles& files, const DataSettings& settings, const Threads& threads)
    : files_(files), settings_(settings), graph_("load", threads) {
  train_labels_.files = files.train_labels, test_labels_.files = files.test_labels;
  train_labels_.classes = test_labels_.classes = settings.classes;
  check<ItemKind::labels>(graph_, "train-labels", files.train_labels, settings.read, train_labels_);
  check<ItemKind::images>(graph_, "test-images", files.test_images, settings.read, test_images_);
  check<ItemKind::labels>(graph_, "test-labels", files.test_labels, settings.read, test_labels_);
  if (!settings.standardize) return;
  constexpr std::size_t rows = 64;  // of a run
  graph_.sink("measure.train-images", std::ref(train_images_),
              read_rows<ItemKind::images>(graph_, "train-images", files.train_images, rows, settings.read));
}

const JobData& FileScan::run() {
  FileStamps of_train = stamps(files_.train_images, files_.train_labels),
             of_test = stamps(files_.test_images, files_.test_labels);
  LabelledSet train = in_files(files_.train_images, files_.train_labels, std::move(of_train), settings_),
              test = in_files(files_.test_images, files_.test_labels, std::move(of_test), settings_);
  check_same_size(train.shape, test.shape);
  graph_.run();
  train.shape.classes = settings_.classes ? settings_.classes : counted_classes(train_labels_.highest);
  test.shape.classes = train.shape.classes;
  check_counted(train.shape, train.images, train.counts, train_labels_);
  check_counted(test.shape, test.images, test.counts, test_labels_);
  data_ = {std::move(train), std::move(test), {}, settings_.read.decoded, {}};
  if (settings_.standardize) {
    const Moments& found = train_images_.moments;
    data_.transform = {.fill = {}, .mean = found.means(), .deviation = found.deviations()};
    for (LabelledSet* set : {&data_.train, &data_.test}) set->transform_by(data_.transform);
  }
  if (settings_.digests) {
    const std::array all = {files_.train_images, files_.train_labels, files_.test_images, files_.test_labels};
    for (std::size_t i = 0; i < all.size(); ++i) data_.digests[i] = digest_of_ends(all[i].paths());
  }
  return data_;
}

}  // namespace sluice::apps
