#include "apps/load.hpp"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <sluice/stages/each_file.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/idx.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/inflate_whole.hpp>
#include <sluice/stages/parse.hpp>
#include "apps/input.hpp"

namespace sluice::apps {
namespace {

using namespace stages;

//  inflate.train-images -> parse.train-images -> collect.train-images
//                       -> digest.train-images                        (for checkpoints)
//  and the same for the other three, side by side
template <IdxKind kind, class Inflater, class Collector>
void wire(Graph& g, const std::string& what, EachFile<Inflater> inflate, const std::vector<std::string>& paths,
          std::size_t item_bytes, Collector& collector, Digest* digest) {
  // What an image's elements keep is a whole chunk. Only a wiring that is to state its bound looks for it.
  const std::size_t chunk_bytes = item_bytes ? inflate.payload_bytes().value_or(0) : 0;
  ParseIdx<kind> parse{.paths = paths, .item_bytes = chunk_bytes ? item_bytes : 0};
  if (chunk_bytes) parse.chunk_bytes = chunk_bytes;
  const bool whole = std::is_same_v<Inflater, InflateWhole>;
  auto chunks = g.source("inflate." + what, std::move(inflate), capacity(whole ? 1 : 2));
  auto elements = g.expand("parse." + what, parse, chunks, capacity(whole ? 1 : 4));
  const bool kept = std::is_same_v<Collector, CollectImages> || std::is_same_v<Collector, CollectLabels>;
  g.sink((kept ? "collect." : "check.") + what, std::ref(collector), elements);
  if (digest) g.sink("digest." + what, std::ref(*digest), chunks);
}

template <IdxKind kind, class Collector>
void wire(Graph& g, const std::string& what, const std::string& path, const std::string& decoder, int wake,
          std::size_t item_bytes, Collector& collector, Digest* digest) {
  collector.path = path;
  const std::vector<std::string> paths = file_list(path);
  if (decoder == "libdeflate") {
    EachFile<InflateWhole> inflate;
    for (const std::string& one : paths) inflate.files.push_back({.path = one, .kind = kind, .wake = wake});
    wire<kind>(g, what, std::move(inflate), paths, item_bytes, collector, digest);
  } else {
    EachFile<Inflate> inflate;
    for (const std::string& one : paths) inflate.files.push_back({.path = one, .wake = wake});
    wire<kind>(g, what, std::move(inflate), paths, item_bytes, collector, digest);
  }
}

// Of files that are too large to be read for it: their sizes, and how each begins and ends, as they are stored.
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
    const std::uintmax_t size = std::filesystem::file_size(path), end = std::min(size, most);
    const std::string text = std::to_string(size) + "\n";
    digest.add(text.data(), text.size());
    std::ifstream file(path, std::ios::binary);
    add(file, path, 0, end);
    add(file, path, size - end, end);
  }
  return digest.hex();
}

// What is another when the file was replaced or written over, and the same when it got other rights or another name.
std::string known_of(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return "gone";
  return fmt::format("{} {} {} {}.{:09}", s.st_dev, s.st_ino, s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
}

// The same from one run to the next, where the time of the contents may have been set back by who copied them: by the
// time of the entry. Other rights and names change it as well.
std::string known_later_of(const std::string& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return "gone";
  return fmt::format("{} {}.{:09} {}.{:09}\n", s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec, s.st_ctim.tv_sec,
                     s.st_ctim.tv_nsec);
}

}  // namespace

Images look_at(const std::string& images, std::size_t classes) {
  const std::vector<std::string> paths = file_list(images);
  const IdxShape first = header_of(IdxKind::images, paths.front());
  Images all;
  all.shape.rows = static_cast<std::size_t>(first.rows);
  all.shape.columns = static_cast<std::size_t>(first.columns);
  all.shape.stored = first.type;
  all.shape.classes = classes ? classes : 10;
  all.shape.path = images;
  for (const std::string& path : paths) {
    const IdxShape shape = header_of(IdxKind::images, path);
    check_same_items(IdxKind::images, shape, path, first, paths.front());
    all.count += static_cast<std::size_t>(shape.count);
  }
  return all;
}

Loading::Loading(const DataFiles& files, const Options& options, const Threads& threads, std::size_t image_bytes,
                 int wake)
    : o_(options), files_(files), graph_("load", threads) {
  const std::string decoder = o_.effective_decoder();
  const std::size_t label_bytes = image_bytes ? sizeof(float) : 0;
  const auto digest = [&](std::size_t i) { return o_.keeps_checkpoints() && !o_.stream ? &digests_[i] : nullptr; };
  const auto labels = [&](const char* what, const std::string& path, auto& collector, std::size_t i) {
    wire<IdxKind::labels>(graph_, what, path, decoder, wake, label_bytes, collector, digest(i));
  };
  if (o_.stream) {
    train_counts_.classes = test_counts_.classes = o_.classes;
    labels("train-labels", files.train_labels, train_counts_, 1);
    wire<IdxKind::images>(graph_, "test-images", files.test_images, decoder, wake, image_bytes, test_dropped_, nullptr);
    labels("test-labels", files.test_labels, test_counts_, 3);
    return;
  }
  wire<IdxKind::images>(graph_, "train-images", files.train_images, decoder, wake, image_bytes, train_images_,
                        digest(0));
  labels("train-labels", files.train_labels, train_labels_, 1);
  wire<IdxKind::images>(graph_, "test-images", files.test_images, decoder, wake, image_bytes, test_images_, digest(2));
  labels("test-labels", files.test_labels, test_labels_, 3);
}

void Loading::run() {
  if (o_.stream) return look();
  graph_.run();
  train_ = make_data_set(std::move(train_images_), std::move(train_labels_),
                         o_.classes ? std::optional(o_.classes) : std::nullopt);
  test_ = make_data_set(std::move(test_images_), std::move(test_labels_), train_.classes);
  check_same_size(train_, test_);
  data_ = {train_, train_.size(), test_.size(), &train_, &test_, {}};
  if (o_.keeps_checkpoints())
    for (std::size_t i = 0; i < digests_.size(); ++i) data_.digests[i] = digests_[i].hex();
}

void Loading::look() {
  const std::array all = {files_.train_images, files_.train_labels, files_.test_images, files_.test_labels};
  std::string files;
  for (std::size_t i = 0; i < all.size(); ++i)
    for (const std::string& path : file_list(all[i])) {
      std::error_code error;
      if (!std::filesystem::exists(path, error)) continue;  // said by who reads it
      if (!std::filesystem::is_regular_file(path, error))
        throw DataError(path + ": is no regular file, expected one with --stream, which reads it in every epoch");
      as_found_[i / 2].emplace_back(path, known_of(path));
      if (i < 2) files += known_later_of(path);
    }
  Images train = look_at(files_.train_images, o_.classes), test = look_at(files_.test_images, o_.classes);
  check_same_size(train.shape, test.shape);
  graph_.run();
  train.shape.classes = o_.classes ? o_.classes : counted_classes(train_counts_.highest);
  test.shape.classes = train.shape.classes;
  check_counted(train.shape, train.count, train_counts_);
  check_counted(test.shape, test.count, test_counts_);
  data_ = {train.shape, train.count, test.count, nullptr, nullptr, {}};
  data_.files = std::move(files);
  if (o_.keeps_checkpoints())
    for (std::size_t i = 0; i < all.size(); ++i) data_.digests[i] = digest_of_ends(file_list(all[i]));
}

void Loading::check_unchanged(const Known& files) {
  for (const auto& [path, known] : files)
    if (known_of(path) != known)
      throw DataError(path + ": is not as it was when the run began, expected the same file in every epoch");
}

}  // namespace sluice::apps
