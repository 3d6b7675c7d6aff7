#include <sluice/stages/data_files.hpp>

#include <dirent.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <sluice/stages/blocks.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/npz_keys.hpp>
#include <sluice/stages/one_line.hpp>

namespace sluice::stages {
namespace {

namespace fs = std::filesystem;

constexpr std::array customary{"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                               "t10k-labels-idx1-ubyte"};
// Of two files of one name the first is read. The empty one is that of a plain file.
constexpr std::array compressions{".gz", ".zst", ".xz", ".bz2", ""};
constexpr std::size_t plain = 4;  // of them

// Which of the four a file is, by its name.
struct Named {
  std::string prefix{};
  std::size_t slot = 0;         // of `customary`
  std::size_t compression = 0;  // of `compressions`
};

// What stands behind the last '-' or '.', which is taken away, in small letters.
std::string last_word(std::string_view& name) {
  const std::size_t at = name.find_last_of("-.");
  std::string word(at == name.npos ? name : name.substr(at + 1));
  name = at == name.npos ? "" : name.substr(0, at);
  for (char& c : word)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return word;
}

// path: of a file, or its name alone.
std::optional<Named> named(const std::string& path) {
  std::string_view name = std::string_view(path).substr(path.find_last_of('/') + 1);
  Named found{.compression = plain};
  for (std::size_t i = 0; i < compressions.size(); ++i)
    if (const std::string_view ending = compressions[i]; i != plain && name.ends_with(ending)) {
      found.compression = i;
      name.remove_suffix(ending.size());
      break;
    }
  const std::string type = last_word(name), rank = last_word(name), kind = last_word(name), part = last_word(name);
  if (type != "ubyte" && type != "int") return std::nullopt;
  if (rank.size() != 4 || !rank.starts_with("idx") || rank.back() < '1' || rank.back() > '9') return std::nullopt;
  if ((kind != "images" && kind != "labels") || (part != "train" && part != "t10k" && part != "test"))
    return std::nullopt;
  found.slot = (part == "train" ? 0u : 2u) + (kind == "labels" ? 1u : 0u);
  found.prefix = name;
  return found;
}

using Slots = std::array<bool, customary.size()>;

// The files of one prefix in a folder.
class Set {
 public:
  void add(const Named& file, const std::string& path) {
    auto& all = paths_[file.slot];
    const auto behind = [&](const auto& other) { return other.first > file.compression; };
    all.insert(std::find_if(all.begin(), all.end(), behind), {file.compression, path});
  }
  bool has(std::size_t slot) const { return !paths_[slot].empty(); }
  bool has_all(const Slots& wanted) const {
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (wanted[i] && !has(i)) return false;
    return true;
  }
  // Those of one slot; the first is read.
  std::vector<std::string> files(std::size_t slot) const {
    std::vector<std::string> all;
    for (const auto& [compression, path] : paths_[slot]) all.push_back(path);
    return all;
  }

 private:
  std::array<std::vector<std::pair<std::size_t, std::string>>, customary.size()> paths_{};
};

using Sets = std::map<std::string, Set>;  // by prefix

// What is looked for.
struct Job {
  const DataFilesWanted& wanted;
  bool trains;  // and does not only test
  Slots missing{};
  std::string folder{};

  bool misses_train() const { return missing[0] || missing[1]; }
  bool misses_test() const { return missing[2] || missing[3]; }
};

struct Entry {
  bool folder;
  fs::path path;
  auto operator<=>(const Entry&) const = default;  // a file comes before a folder of the same name
};

// What cannot be looked at is not there: who needs it says so. Not by std::filesystem::directory_iterator: that of
// libstdc++ 12.2 ends the program where there is no memory for it, by a noexcept within.
std::vector<Entry> entries_of(const fs::path& folder) {
  std::vector<Entry> all;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  std::error_code none;
  while (const dirent* const one = open ? ::readdir(open.get()) : nullptr) {
    const std::string_view name = one->d_name;
    if (name == "." || name == "..") continue;
    fs::path path = folder / name;
    const bool is_folder = fs::is_directory(path, none);
    all.push_back({is_folder, std::move(path)});
  }
  std::sort(all.begin(), all.end());
  return all;
}

Sets sets_in(const std::vector<Entry>& entries) {
  Sets sets;
  std::error_code none;
  for (const Entry& entry : entries) {
    const std::string name = entry.path.filename().string();
    const std::optional<Named> its = named(name);
    if (!its) continue;
    // A folder of a file's name has this file within.
    const fs::path path = entry.folder ? entry.path / name : entry.path;
    if (fs::exists(path, none) && !fs::is_directory(path, none)) sets[its->prefix].add(*its, path.string());
  }
  return sets;
}

// Files of one name and other compressions, in the order of `compressions`: the first is read.
using Same = std::vector<std::string>;

// A set that was found.
struct Place {
  std::string folder;
  std::string text;              // what messages call it
  const char* format;            // of its files, for people
  bool customary = false;        // by the four names without a prefix
  Set set{};                     // of files that have images or labels
  Same train{}, test{};          // of files that have both
  const char* passed_over = "";  // another format, of which there is a set beside it
};

// Without .gz and its like.
std::string without_compression(const std::string& name) {
  for (const std::string_view ending : compressions)
    if (!ending.empty() && name.ends_with(ending)) return name.substr(0, name.size() - ending.size());
  return name;
}

bool may_have_both(const std::string& name) {
  return name.ends_with(".csv") || name.ends_with(".tsv") || name.ends_with(".npz");
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 3> parts{
    {{"train", "test"}, {"Train", "Test"}, {"TRAIN", "TEST"}}};

// NAME with `train` in it -> with `test`.
std::optional<std::string> its_test(const std::string& name) {
  for (const auto& [train, test] : parts)
    if (const std::size_t at = name.rfind(train); at != name.npos)
      return std::string(name).replace(at, train.size(), test);
  return std::nullopt;
}

// `latest` and `contest` are none.
bool is_test(const std::string& name) {
  return std::any_of(parts.begin(), parts.end(), [&](const auto& part) {
    const std::size_t at = name.rfind(part.second);
    return at == 0 || (at != name.npos && !(name[at - 1] >= 'a' && name[at - 1] <= 'z'));
  });
}

using FilesByName = std::map<std::string, Same>;  // without .gz and its like

FilesByName files_by_name(const std::vector<Entry>& entries) {
  FilesByName all;
  for (const std::string_view compression : compressions)
    for (const Entry& entry : entries) {
      const std::string name = entry.path.filename().string(), plain_name = without_compression(name);
      if (entry.folder || name != plain_name + std::string(compression)) continue;
      if (!compression.empty() && plain_name.ends_with(".npz")) continue;  // which is not read
      all[plain_name].push_back(entry.path.string());
    }
  return all;
}

std::vector<Place> idx_sets(const Job& job, const std::string& folder, const std::vector<Entry>& entries) {
  std::vector<Place> found;
  for (const auto& [prefix, set] : sets_in(entries)) {
    const bool own = prefix.empty();
    if (set.has_all(job.missing))
      found.push_back({.folder = folder,
                       .text = own ? folder : (fs::path(folder) / (prefix + "-...")).string(),
                       .format = "IDX",
                       .customary = own,
                       .set = set});
  }
  return found;
}

// Files with images and labels, by their names.
std::vector<Place> paired_sets(const Job& job, const std::string& folder, const FilesByName& by_name) {
  std::map<std::string, Place> all;  // by the name of the one to test on
  for (const auto& [name, same] : by_name) {
    if (!may_have_both(name)) continue;
    if (const auto test = its_test(name)) {
      Place& place = all[*test];
      place.train = same;
      if (const auto its = by_name.find(*test); its != by_name.end()) place.test = its->second;
    } else if (is_test(name)) {
      all[name].test = same;
    }
  }
  std::vector<Place> found;
  for (auto& [name, place] : all) {
    if ((job.misses_train() && place.train.empty()) || (job.misses_test() && place.test.empty())) continue;
    place.folder = folder;
    place.format = "CSV or .npz";
    place.text = job.misses_train() ? place.train.front() : place.test.front();
    found.push_back(std::move(place));
  }
  return found;
}

std::vector<NpzArray> arrays_in(const FilesByName& by_name) {
  std::vector<NpzArray> arrays;
  for (const auto& [name, same] : by_name)
    if (name.ends_with(".npy")) arrays.push_back({name.substr(0, name.size() - 4), same.front()});
  return arrays;
}

// Throws a DataError where their names do not say what they are.
Place array_set(const Job& job, const std::string& folder, const FilesByName& by_name) {
  const NpzKeys keys = find_npz_keys(
      folder, arrays_in(by_name),
      {.train = job.misses_train(),
       .test = job.misses_test(),
       .remedy = job.trains ? "name the files with --train-images, --train-labels, --test-images and --test-labels"
                            : "name the files with --images and --labels"});
  Place place{.folder = folder, .text = folder, .format = ".npy"};
  const std::array all{&keys.train_images, &keys.train_labels, &keys.test_images, &keys.test_labels};
  for (std::size_t slot = 0; slot < all.size(); ++slot)
    if (job.missing[slot]) {
      const Same& same = by_name.at(*all[slot] + ".npy");
      for (std::size_t i = 0; i < same.size(); ++i) place.set.add({.slot = slot, .compression = i}, same[i]);
    }
  return place;
}

std::vector<Place> array_sets(const Job& job, const std::string& folder, const FilesByName& by_name) {
  if (arrays_in(by_name).empty()) return {};
  try {
    return {array_set(job, folder, by_name)};
  } catch (const DataError&) {
    return {};  // whose names do not fit: who finds nothing else says so
  }
}

// Of one folder the sets of the first format that there are any of.
std::vector<Place> sets_of(const Job& job, const std::string& folder, const std::vector<Entry>& entries) {
  const FilesByName by_name = files_by_name(entries);
  std::vector<Place> found;
  for (const std::vector<Place>& some :
       {idx_sets(job, folder, entries), paired_sets(job, folder, by_name), array_sets(job, folder, by_name)}) {
    if (found.empty())
      found = some;
    else if (!some.empty())
      for (Place& place : found) place.passed_over = some.front().format;
  }
  return found;
}

constexpr int most_levels = 2;
constexpr std::size_t most_folders = 1000;

// All complete sets: those of the folder itself, else those of the folders below.
std::vector<Place> places(const Job& job) {
  std::vector<Place> found;
  std::vector<fs::path> level{job.folder}, below;
  for (int depth = 0; depth <= most_levels && found.empty(); ++depth, level = std::exchange(below, {}))
    for (const fs::path& one : level) {
      const std::vector<Entry> entries = entries_of(one);
      for (Place& place : sets_of(job, one.string(), entries)) found.push_back(std::move(place));
      for (const Entry& entry : entries)
        if (below.size() < most_folders && entry.folder) below.push_back(entry.path);
    }
  // That without a prefix is meant where there are others beside it.
  const auto own = std::find_if(found.begin(), found.end(), [](const Place& p) { return p.customary; });
  if (found.size() > 1 && own != found.end() &&
      std::all_of(found.begin(), found.end(), [&](const Place& p) { return p.folder == own->folder; }))
    return {*own};
  return found;
}

[[noreturn]] void fail_missing(const Job& job) {
  const auto missing = [&](const Set& set) {
    std::size_t slot = 0;
    while (slot < job.missing.size() && !(job.missing[slot] && !set.has(slot))) ++slot;
    return customary[std::min(slot, customary.size() - 1)];
  };
  const std::string& folder = job.folder;
  const Sets sets = sets_in(entries_of(folder));
  const auto own = sets.find("");
  const std::string name = missing(own == sets.end() ? Set{} : own->second);
  if (job.wanted.folder.empty())
    throw DataError(
        fmt::format("{}: not found: install the data set with 'apt-get install dataset-fashion-mnist', or fetch it "
                    "with 'sluice fetch fashion-mnist' and name its folder with --data fashion-mnist, or that of "
                    "another one with --data DIR",
                    (fs::path(folder) / name).string() + ".gz"));
  std::error_code why;
  const fs::file_status status = fs::status(folder, why);
  if (fs::is_directory(status) && ::access(folder.c_str(), R_OK | X_OK) != 0)
    why.assign(errno, std::generic_category());
  if (status.type() == fs::file_type::none || (fs::is_directory(status) && why))
    throw DataError(fmt::format("{}: cannot be looked into: {}", folder, why.message()));
  if (!fs::is_directory(status))
    throw DataError(fmt::format("{}: {}, expected a folder with {} and its siblings", folder,
                                fs::exists(status) ? "is no folder" : "not found", name));
  throw DataError(fmt::format(
      "{}: has no {}, compressed or plain, and no CSV, .npz or .npy with a name that says what it is (docs/data.md), "
      "nor have the folders below: name the files one by one",
      folder, name));
}

Place only(std::vector<Place> found, const std::string& folder) {
  if (found.size() == 1) return std::move(found.front());
  std::string all;
  constexpr std::size_t most_named = 8;
  for (std::size_t i = 0; i < std::min(found.size(), most_named); ++i)
    all += fmt::format("{}{}", i ? ", " : "", one_line(found[i].text));
  throw DataError(
      fmt::format("{}: has {} data sets ({}{}), expected one: name its folder, or its files one by one "
                  "(see --help)",
                  folder, found.size(), all, found.size() > most_named ? ", ..." : ""));
}

Place find_place(const Job& job) {
  std::vector<Place> found = places(job);
  if (!found.empty()) return only(std::move(found), job.folder);
  const FilesByName by_name = files_by_name(entries_of(job.folder));
  for (const auto& [name, same] : by_name)
    if (name.ends_with(".npz"))
      found.push_back({.folder = job.folder, .text = same.front(), .format = ".npz", .train = same, .test = same});
  if (!found.empty()) return only(std::move(found), job.folder);
  if (!arrays_in(by_name).empty()) return array_set(job, job.folder, by_name);
  fail_missing(job);
}

// What all members of a gzip file decode to. Its last four bytes say so only of the last one, modulo 2^32.
std::uint64_t gunzipped_bytes(const std::string& path, std::uint64_t promised) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::array<char, 4> trailer{};
  if (file.tellg() >= 18 && file.seekg(-4, std::ios::end).read(trailer.data(), trailer.size())) {
    std::uint32_t size = 0;
    for (unsigned b = 0; b < 4; ++b) size |= std::uint32_t{static_cast<unsigned char>(trailer[b])} << 8 * b;
    if (size == static_cast<std::uint32_t>(promised)) return promised;
  }
  std::uint64_t bytes = 0;
  Inflate inflate{.path = path};
  for (Chunk chunk; inflate(chunk);) bytes += chunk.size;
  return bytes;
}

// Throws a DataError where two files for one place cannot have the same contents.
void check_alike(const std::string& read, const std::string& other) {
  std::error_code error;
  const Compression compression = named_compression(read);
  if (named_compression(other) != Compression::none) return;
  if (!fs::is_regular_file(other, error) || !fs::is_regular_file(read, error)) return;
  const std::uint64_t bytes = fs::file_size(other, error);
  if (error) return;
  const std::optional<std::uint64_t> its = compression == Compression::none   ? fs::file_size(read, error)
                                           : compression == Compression::gzip ? gunzipped_bytes(read, bytes)
                                                                              : said_bytes(RegularFile(read));
  if (its && *its != bytes)
    throw DataError(
        fmt::format("{}: {} {} bytes, {} beside it has {}, expected the same: which of them is the right one? "
                    "Take the other away",
                    read, compression == Compression::none ? "has" : "decodes to", *its, other, bytes));
}

// The first of them, and a note of each of the others.
std::string first_of(const Same& same, DataFiles& files) {
  for (std::size_t i = 1; i < same.size(); ++i) {
    check_alike(same.front(), same[i]);
    files.notes.push_back(fmt::format("{} is there, too: {} is read", same[i], same.front()));
  }
  return same.front();
}

// What was named: one file for both, or files that may be members of a zip.
void take_named(const DataFilesWanted& wanted, DataFiles& files) {
  const auto take = [&](const InputFiles& both, SetPart part, const SetKeys& keys, InputFiles& images,
                        InputFiles& labels) {
    if (both.empty()) {
      images = with_member_of_zip(images, part, keys.images, false);
      labels = with_member_of_zip(labels, part, keys.labels, true);
      return;
    }
    const ImagesAndLabels found = find_in_files(both, part, keys, wanted.decoder_memory);
    images = found.images, labels = found.labels;
  };
  take(files.train, SetPart::train, wanted.train_keys, files.train_images, files.train_labels);
  take(files.test, SetPart::test, wanted.test_keys, files.test_images, files.test_labels);
  take(files.validation, SetPart::validation, wanted.validation_keys, files.validation_images, files.validation_labels);
  if (files.validation_images.empty() != files.validation_labels.empty())
    throw DataError(fmt::format(
        "{}: is named without its {}: name them with --validation-{} FILE",
        (files.validation_images.empty() ? files.validation_labels : files.validation_images).name(),
        files.validation_images.empty() ? "images" : "labels", files.validation_images.empty() ? "images" : "labels"));
}

// What is missing, of files that have images and labels.
void take_both(const Job& job, const std::string& train, const std::string& test, DataFiles& files) {
  const auto take = [&](const std::string& path, SetPart part, const SetKeys& keys, bool misses_images,
                        bool misses_labels, InputFiles& both, InputFiles& images, InputFiles& labels) {
    if (!misses_images && !misses_labels) return;
    const ImagesAndLabels found = find_in_files(path, part, keys, job.wanted.decoder_memory);
    if (misses_images && misses_labels)
      both = path;
    else if (found.images.is_table())
      throw DataError(
          fmt::format("{}: is a table, whose rows have their labels with them, and only {} are missing: "
                      "name images and labels, or neither",
                      path, misses_images ? "images" : "labels"));
    if (misses_images) images = found.images;
    if (misses_labels) labels = found.labels;
  };
  const Slots& m = job.missing;
  take(train, SetPart::train, job.wanted.train_keys, m[0], m[1], files.train, files.train_images, files.train_labels);
  take(test, SetPart::test, job.wanted.test_keys, m[2], m[3], files.test, files.test_images, files.test_labels);
  if (!files.train.empty() && files.train_images == files.test_images)
    throw DataError(
        fmt::format("{}: has one set of images and labels, expected one to train on and one to test on: "
                    "name another file with --test, or the same with --train and --test",
                    train));
}

// The folder is a file with all of it.
bool find_in_one_file(const Job& job, DataFiles& files) {
  const std::string& folder = job.folder;
  std::error_code none;
  if (!fs::is_regular_file(folder, none) || fs::file_size(folder, none) == 0) return false;
  if (set_format(folder, job.wanted.decoder_memory) != SetFormat::zip)
    throw DataError(
        fmt::format("{}: is no folder, and no .npz file, which has data to train and to test on: name "
                    "files with {}",
                    folder, job.trains ? "--train and --test" : "--test"));
  take_both(job, folder, folder, files);
  return true;
}

void take_place(const Job& job, const Place& place, const std::array<InputFiles*, customary.size()>& all,
                DataFiles& files) {
  if (!place.train.empty() || !place.test.empty()) {
    const std::string train = job.misses_train() ? first_of(place.train, files) : "",
                      test = job.misses_test() ? first_of(place.test, files) : "";
    const bool two = !train.empty() && !test.empty() && train != test;
    files.notes.push_back("reading " + (two ? train + " and " + test : train.empty() ? test : train));
    take_both(job, train, test, files);
  } else {
    if (place.folder != job.folder || place.text != job.folder) files.notes.push_back("reading " + place.text);
    for (std::size_t i = 0; i < all.size(); ++i)
      if (job.missing[i]) *all[i] = first_of(place.set.files(i), files);
  }
  if (*place.passed_over)
    files.notes.push_back(fmt::format("{}: its {} files are read, and not its {} files, which are a set, too",
                                      place.folder, place.format, place.passed_over));
}

// Beside files that were named nothing is taken that nobody has named.
[[noreturn]] void fail_without_partner(const Job& job, const std::string& named) {
  const Slots& missing = job.missing;
  const auto slot = static_cast<std::size_t>(std::find(missing.begin(), missing.end(), true) - missing.begin());
  const bool is_train = slot < 2, is_images = slot % 2 == 0;
  const std::string part = is_train ? "train" : "test";
  if (is_images && missing[slot + 1])
    throw DataError(fmt::format(
        "{0}: is named without a {1} set: name one with --{2} FILE (or --{2}-images and --{2}-labels), or a folder "
        "with --data DIR",
        named, is_train ? "training" : "test", part));
  const char* const what = is_images ? "images" : "labels";
  throw DataError(fmt::format("{}: is named without its {}: name them with --{}{} FILE, or a folder with --data DIR",
                              named, what, job.trains ? part + "-" : "", what));
}

DataFiles find(const DataFilesWanted& wanted, bool trains) {
  DataFiles files = wanted.named;
  take_named(wanted, files);
  const std::array<InputFiles*, customary.size()> all{&files.train_images, &files.train_labels, &files.test_images,
                                                      &files.test_labels};
  Job job{.wanted = wanted, .trains = trains, .folder = wanted.folder.empty() ? wanted.default_folder : wanted.folder};
  const InputFiles* named = nullptr;
  for (std::size_t i = 0; i < all.size(); ++i) {
    job.missing[i] = (trains || i >= 2) && all[i]->empty();
    if (!all[i]->empty() && !named) named = all[i];
  }
  if (!job.misses_train() && !job.misses_test()) return files;
  if (wanted.folder.empty() && named) fail_without_partner(job, named->name());
  if (!find_in_one_file(job, files)) take_place(job, find_place(job), all, files);
  return files;
}

}  // namespace

DataFiles find_data_files(const DataFilesWanted& wanted) {
  return find(wanted, true);
}

DataFiles find_test_files(const DataFilesWanted& wanted) {
  return find(wanted, false);
}

}  // namespace sluice::stages
