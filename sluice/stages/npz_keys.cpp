#include <sluice/stages/npz_keys.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <sluice/stages/array_header.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/one_line.hpp>
#include <sluice/stages/zip_member.hpp>

namespace sluice::stages {
namespace {

constexpr std::string_view npy = ".npy";

enum class Set { train, test, validation, any };
enum class Role { images, labels };

// What a key says of its array.
struct Meaning {
  Set set;
  Role role;
  friend bool operator==(const Meaning&, const Meaning&) = default;
};

std::optional<Role> role_of(std::string_view word) {
  constexpr std::array<std::string_view, 9> images{"x",    "image",    "images", "img",    "imgs",
                                                   "data", "features", "inputs", "samples"};
  constexpr std::array<std::string_view, 7> labels{"y", "label", "labels", "target", "targets", "class", "classes"};
  if (std::find(images.begin(), images.end(), word) != images.end()) return Role::images;
  if (std::find(labels.begin(), labels.end(), word) != labels.end()) return Role::labels;
  return std::nullopt;
}

// Small letters, without separators.
std::string folded(const std::string& key) {
  std::string text;
  for (const char c : key)
    if (c != '_' && c != '-' && c != '.' && c != ' ') text += static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return text;
}

std::optional<Meaning> meaning_of(const std::string& key) {
  constexpr std::array<std::pair<std::string_view, Set>, 7> sets{{{"train", Set::train},
                                                                  {"training", Set::train},
                                                                  {"test", Set::test},
                                                                  {"testing", Set::test},
                                                                  {"val", Set::validation},
                                                                  {"valid", Set::validation},
                                                                  {"validation", Set::validation}}};
  const std::string text = folded(key);
  const std::string_view word = text;
  if (const auto role = role_of(word)) return Meaning{Set::any, *role};
  for (const auto& [name, set] : sets) {
    if (word.starts_with(name))
      if (const auto role = role_of(word.substr(name.size()))) return Meaning{set, *role};
    if (word.ends_with(name))
      if (const auto role = role_of(word.substr(0, word.size() - name.size()))) return Meaning{set, *role};
  }
  return std::nullopt;
}

class Finder {
 public:
  Finder(const std::string& path, const std::vector<NpzArray>& arrays, const NpzWanted& wanted)
      : path_(path), arrays_(arrays), wanted_(wanted) {}

  void find(Set set, std::string& images, std::string& labels) const {
    const bool only_one = int{wanted_.train} + int{wanted_.test} + int{wanted_.validation} == 1;
    const bool named = !keys({set, Role::images}).empty() || !keys({set, Role::labels}).empty();
    if (only_one && !named && !wanted_.labels && arrays_.size() == 1) {
      images = arrays_.front().key;
      return;
    }
    const Set from = only_one && !named ? Set::any : set;
    images = only({from, Role::images}, set);
    if (wanted_.labels) labels = only({from, Role::labels}, set);
  }

 private:
  std::vector<std::string> keys(const Meaning& meaning) const {
    std::vector<std::string> all;
    for (const NpzArray& array : arrays_)
      if (meaning_of(array.key) == meaning) all.push_back(array.key);
    return all;
  }

  // The one that means it; `set` is the wanted one.
  std::string only(const Meaning& meaning, Set set) const {
    const std::vector<std::string> all = keys(meaning);
    if (all.size() != 1) refuse(meaning.role, set, !all.empty());
    return all.front();
  }

  [[noreturn]] void refuse(Role role, Set set, bool several) const {
    constexpr std::size_t most = 8;
    std::string all;
    for (std::size_t i = 0; i < std::min(most, arrays_.size()); ++i)
      all += fmt::format("{}{} ({})", i ? ", " : "", one_line(arrays_[i].key, 40), arrays_[i].text);
    if (arrays_.size() > most) all += fmt::format(" and {} more", arrays_.size() - most);
    throw DataError(fmt::format("{}: has {}, and {} by name the {} {}: {}", path_, all.empty() ? "no arrays" : all,
                                several ? "several are" : "none is",
                                set == Set::train  ? "training"
                                : set == Set::test ? "test"
                                                   : "validation",
                                role == Role::images ? "images" : "labels", wanted_.remedy));
  }

  const std::string& path_;
  const std::vector<NpzArray>& arrays_;
  const NpzWanted& wanted_;
};

// What a member is, by its header; or what is wrong with it.
std::string text_of(const std::string& path, const std::string& member) {
  const std::string name = zip_member_name(path, member);
  try {
    ZipMember source{.path = path, .member = member, .chunk_bytes = 256, .read_bytes = 4096};
    std::vector<std::uint8_t> header;
    for (Chunk chunk; source(chunk);) {
      std::span<const std::uint8_t> data(chunk.data, chunk.size);
      if (!take_array_header(header, data, name)) continue;
      return is_array(header) ? array_text(parse_array_header(header, name)) : "no array";
    }
    return "cut short";
  } catch (const DataError& error) {
    const std::string text = error.what();
    return one_line(text.substr(std::min(text.size(), name.size() + 2)), 40);
  }
}

}  // namespace

NpzKeys find_npz_keys(const std::string& path, const std::vector<NpzArray>& arrays, const NpzWanted& wanted) {
  const Finder finder(path, arrays, wanted);
  NpzKeys keys;
  if (wanted.train) finder.find(Set::train, keys.train_images, keys.train_labels);
  if (wanted.test) finder.find(Set::test, keys.test_images, keys.test_labels);
  if (wanted.validation) finder.find(Set::validation, keys.validation_images, keys.validation_labels);
  return keys;
}

std::vector<NpzArray> npz_arrays(const std::string& path) {
  constexpr std::size_t most_read = 256;  // each opens the file
  std::vector<NpzArray> arrays;
  for (const ZipEntry& entry : zip_entries(path))
    if (entry.name.ends_with(npy))
      arrays.push_back({entry.name.substr(0, entry.name.size() - npy.size()),
                        arrays.size() < most_read ? text_of(path, entry.name) : "not looked at"});
  return arrays;
}

std::string npz_member(const std::string& key) {
  return key.ends_with(npy) ? key : key + std::string(npy);
}

}  // namespace sluice::stages
