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
#include "apps/job/read_table.hpp"
#include "apps/job/state.hpp"
#include "apps/job/transform.hpp"

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

template <ItemKind kind, class Sink>
void check(Graph& g, const std::string& what, const InputFiles& files, const ReadItems& how, Sink& sink) {
  g.sink("check." + what, std::ref(sink), read_items<kind>(g, what, files, how).elements);
}

constexpr std::size_t rows_of_a_run = 64;  // that are measured

}  // namespace

void FileScan::Measured::add(const std::uint8_t* row, Pixel type, std::size_t pixels) {
  if (all.empty()) all.emplace_back(pixels);
  all.front().add(row, type);
}

void FileScan::Measured::operator()(const Rows& rows) {
  for (const std::uint8_t* row : rows.at) add(row, rows.type, static_cast<std::size_t>(rows.shape.pixels()));
}

void FileScan::Counted::operator()(const TableRows& rows) {
  table(rows);
  if (!measures) return;
  const std::size_t features = rows.layout->features.size();
  const std::size_t bytes = features * (rows.type == Pixel::uint8 ? 1 : sizeof(float));
  for (std::size_t i = 0; i < rows.count; ++i) measured.add(rows.data + i * bytes, rows.type, features);
}

//  pieces.train-labels -> inflate.train-labels -> parse.train-labels -> check.train-labels
//  and the same for the two of the test set, side by side; with --standardize
//  pieces.train-images -> inflate.train-images -> parse.train-images -> rows.train-images -> measure.train-images
//  of a table
//  pieces.train -> inflate.train -> cut.train -> parse.train -> count.train
FileScan::FileScan(const DataFiles& files, const DataSettings& settings, const Threads& threads)
    : files_(files), settings_(settings), graph_("load", threads) {
  train_part_.images = files.train_images, train_part_.labels = files.train_labels;
  test_part_.images = files.test_images, test_part_.labels = files.test_labels;
  train_part_.table = settings_.table, test_part_.table = table_like(settings_, files.train_images);
  wire("train", true, train_part_);
  wire("test", false, test_part_);
}

void FileScan::wire(const std::string& what, bool is_train, Part& part) {
  if (part.images.is_table()) {
    part.counted.table.totals.files = part.images;
    part.counted.measures = is_train && settings_.transforms();
    graph_.sink("count." + what, std::ref(part.counted),
                read_table(graph_, what, part.images, part.table, settings_.read).rows);
    return;
  }
  part.counted_labels.files = part.labels;
  part.counted_labels.classes = settings_.classes;
  check<ItemKind::labels>(graph_, what + "-labels", part.labels, settings_.read, part.counted_labels);
  if (!is_train)
    check<ItemKind::images>(graph_, what + "-images", part.images, settings_.read, part.dropped);
  else if (settings_.standardize)
    graph_.sink("measure." + what + "-images", std::ref(part.measured),
                read_rows<ItemKind::images>(graph_, what + "-images", part.images, rows_of_a_run, settings_.read));
}

LabelledSet FileScan::in_files(const Part& part) const {
  const ImagesHeader header = images_header(part.images, settings_.classes, settings_);
  LabelledSet set(header.shape, header.count());
  set.counts = header.counts;
  for (std::size_t i = 0; i < part.images.paths().size(); ++i)
    set.known.push_back(std::make_shared<stages::KnownPieces>());
  return set;
}

LabelledSet FileScan::table_in_files(const Part& part, const TableClasses& classes) const {
  const TableTotals& totals = part.counted.table.totals;
  const Pixel type = totals.all_bytes ? Pixel::uint8 : Pixel::float32;
  LabelledSet set(shape_of(totals, type), static_cast<std::size_t>(totals.rows));
  set.one_file = true;
  for (std::size_t i = 0; i < totals.first_rows.size(); ++i)
    set.counts.push_back((i + 1 < totals.first_rows.size() ? totals.first_rows[i + 1] : totals.rows) -
                         totals.first_rows[i]);
  set.table = part.table;
  set.table.layout = totals.layout;
  set.table.classes = std::make_shared<TableClasses>(classes);
  set.table.type = type;
  set.table.row_bytes = std::max<std::size_t>(1, totals.longest_row);
  return set;
}

LabelledSet FileScan::set_of(const Part& part, const TableClasses& classes) const {
  FileStamps files = stamps(part.images, part.labels);
  LabelledSet set = part.images.is_table() ? table_in_files(part, classes) : in_files(part);
  set.images = part.images, set.labels = part.labels;
  set.stamps = std::move(files);
  set.decoder = settings_.read.decoder, set.index = settings_.read.index;
  set.decoder_memory = settings_.read.decoder_memory;
  set.label_column = settings_.read.label_column;
  set.decoded = std::make_shared<DecodedBytes>();
  set.shape.classes = classes.count;
  return set;
}

// What can be said before anything is read: of files that cannot be read again, and of images that do not fit.
void FileScan::look_at_headers() const {
  for (const Part* part : {&train_part_, &test_part_}) stamps(part->images, part->labels);
  if (!train_part_.images.is_table() && !test_part_.images.is_table())
    check_alike(in_files(train_part_).shape, in_files(test_part_).shape, settings_);
}

const JobData& FileScan::run() {
  look_at_headers();
  const Clock::time_point begin = Clock::now();
  graph_.run();
  const double seconds = seconds_since(begin);
  const TableTotals& of_train = train_part_.counted.table.totals;
  const bool is_table = train_part_.images.is_table();
  TableClasses classes =
      is_table ? classes_of(of_train, settings_.classes) : TableClasses{.words = {}, .count = settings_.classes};
  if (classes.count == 0)
    classes.count = is_table ? classes.words.size() : counted_classes(train_part_.counted_labels.highest);
  LabelledSet train = set_of(train_part_, classes), test = set_of(test_part_, classes);
  check_alike(train.shape, test.shape, settings_);
  if (train.one_file && test.one_file) check_same_features(of_train, test_part_.counted.table.totals);
  TableFacts facts;
  if (is_table) facts = facts_of(of_train, classes, train.shape.type());
  if (facts.bytes && test.one_file) test.table.type = Pixel::uint8;  // where it is not, the test says so
  for (auto [part, set] : {std::pair(&train_part_, &train), {&test_part_, &test}}) {
    if (!part->images.is_table()) {
      check_counted(set->shape, set->images, set->counts, part->counted_labels);
      continue;
    }
    const TableTotals& totals = part->counted.table.totals;
    totals.labels.class_of_code(classes, part->images, *totals.layout);
    facts.notes.push_back(describe(totals, classes, settings_.table.missing));
  }
  if (is_table || test.one_file || settings_.transforms())
    facts.notes.push_back(fmt::format("gone through once before the first step, in {:.1f} s", seconds));
  data_ = {std::move(train), std::move(test), {}, std::move(facts), settings_.read.decoded, {}};
  if (settings_.transforms()) {
    data_.transform = transform_by(is_table ? train_part_.counted.measured.all : train_part_.measured.all, settings_,
                                   data_.table, data_.train.shape.path);
    for (LabelledSet* set : {&data_.train, &data_.test}) set->transform_by(data_.transform);
  }
  if (settings_.digests) {
    const std::array all = {files_.train_images, files_.train_labels, files_.test_images, files_.test_labels};
    for (std::size_t i = 0; i < all.size(); ++i) data_.digests[i] = digest_of_ends(all[i].paths());
  }
  return data_;
}

}  // namespace sluice::apps
