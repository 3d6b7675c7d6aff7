#include <sluice/stages/data_files.hpp>

#include <dirent.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
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

struct Place {
  std::string folder, prefix;
  Set set;
  std::string text() const { return prefix.empty() ? folder : (fs::path(folder) / (prefix + "-...")).string(); }
};

constexpr int most_levels = 2;
constexpr std::size_t most_folders = 1000;

// All complete sets: those of the folder itself, else those of the folders below.
std::vector<Place> places(const std::string& folder, const Slots& wanted) {
  std::vector<Place> found;
  std::vector<fs::path> level{folder}, below;
  for (int depth = 0; depth <= most_levels && found.empty(); ++depth, level = std::exchange(below, {}))
    for (const fs::path& one : level) {
      const std::vector<Entry> entries = entries_of(one);
      for (const auto& [prefix, set] : sets_in(entries))
        if (set.has_all(wanted)) found.push_back({one.string(), prefix, set});
      for (const Entry& entry : entries)
        if (below.size() < most_folders && entry.folder) below.push_back(entry.path);
    }
  // That without a prefix is meant where there are others beside it.
  const auto own = std::find_if(found.begin(), found.end(), [](const Place& p) { return p.prefix.empty(); });
  if (found.size() > 1 && own != found.end() &&
      std::all_of(found.begin(), found.end(), [&](const Place& p) { return p.folder == own->folder; }))
    return {*own};
  return found;
}

[[noreturn]] void fail_missing(const DataFilesWanted& wanted, const std::string& folder, const Slots& slots) {
  const auto missing = [&](const Set& set) {
    std::size_t slot = 0;
    while (slot < slots.size() && !(slots[slot] && !set.has(slot))) ++slot;
    return customary[std::min(slot, customary.size() - 1)];
  };
  std::error_code ignored;
  const Sets sets = sets_in(entries_of(folder));
  const auto own = sets.find("");
  const std::string name = missing(own == sets.end() ? Set{} : own->second);
  if (wanted.folder.empty())
    throw DataError(
        fmt::format("{}: not found: install the data set with 'apt-get install dataset-fashion-mnist', or name "
                    "the folder of another one with --data DIR",
                    (fs::path(folder) / name).string() + ".gz"));
  if (!fs::is_directory(folder, ignored))
    throw DataError(fmt::format("{}: {}, expected a folder with {} and its siblings", folder,
                                fs::exists(folder, ignored) ? "is no folder" : "not found", name));
  throw DataError(fmt::format(
      "{}: has no {}, compressed or plain, and no CSV, .npz or .npy with a name that says what it is (docs/data.md), "
      "nor have the folders below: name the files one by one",
      folder, name));
}

Place find_place(const DataFilesWanted& wanted, const std::string& folder, const Slots& slots) {
  std::vector<Place> found = places(folder, slots);
  if (found.empty()) fail_missing(wanted, folder, slots);
  if (found.size() == 1) return std::move(found.front());
  std::string all;
  constexpr std::size_t most_named = 8;
  for (std::size_t i = 0; i < std::min(found.size(), most_named); ++i)
    all += fmt::format("{}{}", i ? ", " : "", found[i].text());
  throw DataError(fmt::format("{}: has {} data sets ({}{}), expected one: name its folder, or its files one by one",
                              folder, found.size(), all, found.size() > most_named ? ", ..." : ""));
}

// What all members of a gzip file decode to. Its last four bytes say so only of the last one, modulo 2^32.
std::uint64_t decoded_bytes(const std::string& path, std::uint64_t promised) {
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
  const bool compressed = read.ends_with(".gz");
  if (named(other)->compression != plain || (!compressed && named(read)->compression != plain)) return;
  if (!fs::is_regular_file(other, error) || !fs::is_regular_file(read, error)) return;
  const std::uint64_t bytes = fs::file_size(other, error);
  if (error) return;
  if (const std::uint64_t its = compressed ? decoded_bytes(read, bytes) : fs::file_size(read, error); its != bytes)
    throw DataError(
        fmt::format("{}: {} {} bytes, {} beside it has {}, expected the same: which of them is the right one? "
                    "Take the other away",
                    read, compressed ? "decodes to" : "has", its, other, bytes));
}

// ---- formats that have images and labels in one file ----

void put(const ImagesAndLabels& found, InputFiles& images, InputFiles& labels) {
  images = found.images, labels = found.labels;
}

// What was named: one file for both, or files that may be members of a zip.
void take_named(const DataFilesWanted& wanted, DataFiles& files) {
  const auto take = [&](const InputFiles& both, SetPart part, const SetKeys& keys, InputFiles& images,
                        InputFiles& labels) {
    if (!both.empty()) return put(find_in_files(both, part, keys, wanted.decoder_memory), images, labels);
    images = with_member_of_zip(images, part, keys.images, false);
    labels = with_member_of_zip(labels, part, keys.labels, true);
  };
  take(files.train, SetPart::train, wanted.train_keys, files.train_images, files.train_labels);
  take(files.test, SetPart::test, wanted.test_keys, files.test_images, files.test_labels);
}

bool wants(const Slots& missing, SetPart part) {
  return part == SetPart::train ? missing[0] && missing[1] : missing[2] && missing[3];
}

void take(const std::string& train, const std::string& test, const DataFilesWanted& wanted, const Slots& missing,
          DataFiles& files) {
  if (wants(missing, SetPart::train)) files.train = train;
  if (wants(missing, SetPart::test)) files.test = test;
  take_named(wanted, files);
}

// `folder` is a file with all of it.
bool find_in_one_file(const DataFilesWanted& wanted, const std::string& folder, const Slots& missing,
                      DataFiles& files) {
  std::error_code none;
  if (!fs::is_regular_file(folder, none) || fs::file_size(folder, none) == 0) return false;
  if (set_format(folder, wanted.decoder_memory) != SetFormat::zip)
    throw DataError(
        fmt::format("{}: is no folder, and no .npz file, which has data to train and to test on: name files "
                    "with --train and --test",
                    folder));
  take(folder, folder, wanted, missing, files);
  return true;
}

// Without .gz and its like.
std::string without_compression(const std::string& name) {
  for (const std::string_view ending : compressions)
    if (!ending.empty() && name.ends_with(ending)) return name.substr(0, name.size() - ending.size());
  return name;
}

bool may_have_both(const std::string& name) {
  const std::string ending = fs::path(without_compression(name)).extension().string();
  return ending == ".csv" || ending == ".tsv" || ending == ".npz";
}

// NAME with `train` in it -> with `test`.
std::optional<std::string> its_test(const std::string& name) {
  for (const auto& [train, test] : {std::pair{"train", "test"}, {"Train", "Test"}, {"TRAIN", "TEST"}})
    if (const std::size_t at = name.rfind(train); at != name.npos)
      return std::string(name).replace(at, std::string_view(train).size(), test);
  return std::nullopt;
}

struct OtherSet {
  std::string train, test;
};

// Each name once, in the order of `compressions`.
std::map<std::string, std::string> files_by_name(const std::string& folder) {
  std::map<std::string, std::string> all;
  const std::vector<Entry> entries = entries_of(folder);
  for (const std::string_view compression : compressions)
    for (const Entry& entry : entries) {
      const std::string name = entry.path.filename().string(), plain_name = without_compression(name);
      if (name == plain_name + std::string(compression) && !entry.folder)
        all.try_emplace(plain_name, entry.path.string());
    }
  return all;
}

std::vector<OtherSet> other_sets(const std::map<std::string, std::string>& by_name) {
  std::vector<OtherSet> found, alone;
  for (const auto& [name, path] : by_name) {
    if (!may_have_both(name)) continue;
    const auto test = its_test(name);
    if (const auto its = test ? by_name.find(*test) : by_name.end(); its != by_name.end())
      found.push_back({path, its->second});
    else if (name.ends_with(".npz"))
      alone.push_back({path, path});
  }
  return found.empty() ? alone : found;
}

bool find_arrays(const std::map<std::string, std::string>& by_name, const std::string& folder, const Slots& missing,
                 DataFiles& files) {
  std::vector<NpzArray> arrays;
  for (const auto& [name, path] : by_name)
    if (name.ends_with(".npy")) arrays.push_back({name.substr(0, name.size() - 4), path});
  if (arrays.empty()) return false;
  const auto path = [&](const std::string& key) { return by_name.at(key + ".npy"); };
  const NpzKeys keys =
      find_npz_keys(folder, arrays, {.train = missing[0] || missing[1], .test = missing[2] || missing[3]});
  const std::array all{
      std::pair(&files.train_images, &keys.train_images), std::pair(&files.train_labels, &keys.train_labels),
      std::pair(&files.test_images, &keys.test_images), std::pair(&files.test_labels, &keys.test_labels)};
  for (std::size_t i = 0; i < all.size(); ++i)
    if (missing[i]) *all[i].first = path(*all[i].second);
  return true;
}

bool find_other_formats(const DataFilesWanted& wanted, const std::string& folder, const Slots& missing,
                        DataFiles& files) {
  const std::map<std::string, std::string> by_name = files_by_name(folder);
  const std::vector<OtherSet> found = other_sets(by_name);
  if (found.empty()) return find_arrays(by_name, folder, missing, files);
  if (found.size() > 1) {
    std::string all;
    for (const OtherSet& one : found) all += (all.empty() ? "" : ", ") + one.train;
    throw DataError(fmt::format("{}: has {} data sets ({}), expected one: name the files with --train and --test",
                                folder, found.size(), one_line(all, 300)));
  }
  take(found.front().train, found.front().test, wanted, missing, files);
  files.notes.push_back(fmt::format("reading {}{}", found.front().train,
                                    found.front().test == found.front().train ? "" : " and " + found.front().test));
  return true;
}

DataFiles find(const DataFilesWanted& wanted, const Slots& slots) {
  DataFiles files = wanted.named;
  take_named(wanted, files);
  const std::array<InputFiles*, customary.size()> all{&files.train_images, &files.train_labels, &files.test_images,
                                                      &files.test_labels};
  Slots missing{};
  for (std::size_t i = 0; i < all.size(); ++i) missing[i] = slots[i] && all[i]->empty();
  if (std::none_of(missing.begin(), missing.end(), [](bool one) { return one; })) return files;
  const std::string folder = wanted.folder.empty() ? wanted.default_folder : wanted.folder;
  if (find_in_one_file(wanted, folder, missing, files)) return files;
  if (places(folder, missing).empty() && find_other_formats(wanted, folder, missing, files)) return files;
  const Place place = find_place(wanted, folder, missing);
  if (place.folder != folder || !place.prefix.empty()) files.notes.push_back("reading " + place.text());
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!missing[i]) continue;
    const std::vector<std::string> same = place.set.files(i);
    *all[i] = same.front();
    for (std::size_t k = 1; k < same.size(); ++k) {
      check_alike(same.front(), same[k]);
      files.notes.push_back(fmt::format("{} is there, too: {} is read", same[k], same.front()));
    }
  }
  return files;
}

}  // namespace

DataFiles find_data_files(const DataFilesWanted& wanted) {
  return find(wanted, {true, true, true, true});
}

DataFiles find_test_files(const DataFilesWanted& wanted) {
  return find(wanted, {false, false, true, true});
}

}  // namespace sluice::stages
