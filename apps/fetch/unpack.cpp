#include "apps/fetch/unpack.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <string_view>
#include <system_error>

#include <sluice/stages/chunk.hpp>
#include <sluice/stages/errors.hpp>
#include <sluice/stages/inflate.hpp>
#include <sluice/stages/replacement.hpp>
#include <sluice/stages/zip_member.hpp>

namespace sluice::apps {
namespace {

using stages::DataError;
using Bytes = std::vector<std::uint8_t>;
using Interrupted = std::function<bool()>;

constexpr std::array emnist_selections{"balanced", "byclass", "bymerge", "digits", "letters", "mnist"};
constexpr std::array emnist_files{"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                  "test-images-idx3-ubyte.gz", "test-labels-idx1-ubyte.gz"};

// "letters/emnist-letters-train-images-idx3-ubyte.gz"
std::vector<std::string> emnist_names() {
  std::vector<std::string> all;
  for (const std::string selection : emnist_selections)
    for (const char* file : emnist_files) all.push_back(fmt::format("{0}/emnist-{0}-{1}", selection, file));
  return all;
}

void heed(const Interrupted& interrupted) {
  if (interrupted()) throw UnpackInterrupted();
}

void unpack_emnist(const std::string& archive, const std::string& folder, const Interrupted& interrupted) {
  for (const std::string& name : emnist_names()) {
    const std::filesystem::path path = std::filesystem::path(folder) / name;
    std::error_code error;
    if (std::filesystem::create_directories(path.parent_path(), error); error)
      throw stages::PathError(fmt::format("{}: cannot be made: {}", path.parent_path().string(), error.message()));
    stages::Replacement file(path.string());
    stages::ZipMember member{.path = archive, .member = "gzip/" + path.filename().string()};
    for (stages::Chunk chunk; member(chunk);) {
      heed(interrupted);
      file.write(chunk.data, chunk.size);
    }
    file.commit();
  }
}

// What a compressed file decodes to, in pieces of any size.
class Decoded {
 public:
  Decoded(std::string path, const Interrupted& interrupted)
      : inflate_{.path = std::move(path)}, interrupted_(interrupted) {}

  // False: there are not so many bytes any more.
  bool read(std::uint8_t* to, std::uint64_t bytes) {
    while (bytes > 0) {
      if (at_ == chunk_.size) {
        heed(interrupted_);
        at_ = chunk_.size = 0;
        if (!inflate_(chunk_)) return false;
        continue;
      }
      const auto some = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, chunk_.size - at_));
      if (to) to = std::copy_n(chunk_.data + at_, some, to);
      at_ += some, bytes -= some;
    }
    return true;
  }
  bool skip(std::uint64_t bytes) { return read(nullptr, bytes); }

 private:
  stages::Inflate inflate_;
  const Interrupted& interrupted_;
  stages::Chunk chunk_;
  std::size_t at_ = 0;
};

constexpr std::size_t tar_block = 512;
constexpr std::uint64_t most_member = std::uint64_t{64} << 20;  // a batch has 30 MB

std::uint64_t octal(const std::uint8_t* field, std::size_t size, const std::string& archive) {
  std::string_view text(reinterpret_cast<const char*>(field), size);
  text = text.substr(0, text.find('\0'));
  while (text.starts_with(' ')) text.remove_prefix(1);
  std::uint64_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value, 8).ec != std::errc())
    throw DataError(archive + ": is no tar file, expected one");
  return value;
}

// Of all bytes, where its own are blanks: what all kinds of tar have.
std::uint64_t checksum(const std::array<std::uint8_t, tar_block>& header) {
  std::uint64_t sum = 8 * std::uint64_t{' '};
  for (std::size_t i = 0; i < header.size(); ++i) sum += i >= 148 && i < 156 ? 0u : header[i];
  return sum;
}

// The regular files of a tar file by their last names.
std::map<std::string, Bytes> tar_members(const std::string& archive, const Interrupted& interrupted) {
  std::map<std::string, Bytes> all;
  Decoded tar(archive, interrupted);
  std::array<std::uint8_t, tar_block> header{};
  while (tar.read(header.data(), header.size()) && header[0] != 0) {
    if (octal(header.data() + 148, 8, archive) != checksum(header))
      throw DataError(archive + ": is no tar file, expected one");
    const std::string_view name(reinterpret_cast<const char*>(header.data()), 100);
    const std::filesystem::path path(name.substr(0, name.find('\0')));
    const std::uint64_t size = octal(header.data() + 124, 12, archive),
                        padded = (size + tar_block - 1) / tar_block * tar_block;
    const bool regular = header[156] == '0' || header[156] == 0;
    bool whole;
    if (regular && size <= most_member) {
      Bytes& bytes = all[path.filename().string()];
      bytes.resize(static_cast<std::size_t>(size));
      whole = tar.read(bytes.data(), size) && tar.skip(padded - size);
    } else {
      whole = tar.skip(padded);
    }
    if (!whole) throw DataError(fmt::format("{}: ends within {}", archive, path.string()));
  }
  return all;
}

constexpr std::size_t planes = 3, side = 32, image_bytes = planes * side * side, record_bytes = 1 + image_bytes;

Bytes idx_header(std::initializer_list<std::size_t> sizes) {
  Bytes header{0, 0, 8, static_cast<std::uint8_t>(sizes.size())};  // of bytes
  for (const std::size_t size : sizes)
    for (const int shift : {24, 16, 8, 0}) header.push_back(static_cast<std::uint8_t>(size >> shift));
  return header;
}

void write(const std::string& path, const Bytes& bytes) {
  stages::Replacement file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

const Bytes& member(const std::map<std::string, Bytes>& members, const std::string& name, const std::string& archive) {
  const auto found = members.find(name);
  if (found == members.end()) throw DataError(fmt::format("{}: has no {}", archive, name));
  return found->second;
}

void unpack_cifar_10(const std::string& archive, const std::string& folder, const Interrupted& interrupted) {
  const std::map<std::string, Bytes> members = tar_members(archive, interrupted);
  const auto put = [&](const char* part, const std::vector<std::string>& batches) {
    std::size_t count = 0;
    for (const std::string& name : batches) {
      const std::size_t size = member(members, name, archive).size();
      if (size == 0 || size % record_bytes != 0)
        throw DataError(fmt::format("{}: {} has {} bytes, expected records of {}", archive, name, size, record_bytes));
      count += size / record_bytes;
    }
    stages::Replacement images(fmt::format("{}/{}-images-idx4-ubyte", folder, part));
    const Bytes header = idx_header({count, planes, side, side});
    images.write(header.data(), header.size());
    Bytes labels = idx_header({count});
    for (const std::string& name : batches) {
      heed(interrupted);
      const Bytes& batch = member(members, name, archive);
      for (std::size_t record = 0; record < batch.size(); record += record_bytes) {
        labels.push_back(batch[record]);
        images.write(batch.data() + record + 1, image_bytes);
      }
    }
    images.commit();
    write(fmt::format("{}/{}-labels-idx1-ubyte", folder, part), labels);
  };
  put("train", {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"});
  put("t10k", {"test_batch.bin"});
  write(folder + "/batches.meta.txt", member(members, "batches.meta.txt", archive));
}

}  // namespace

std::vector<std::string> files_of(const DataSet& set) {
  switch (set.kept) {
    case DataSet::Kept::emnist:
      return emnist_names();
    case DataSet::Kept::cifar_10:
      return {"train-images-idx4-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx4-ubyte", "t10k-labels-idx1-ubyte",
              "batches.meta.txt"};
    case DataSet::Kept::as_they_are:
      break;
  }
  std::vector<std::string> all;
  for (const PublishedFile& file : set.files) all.push_back(file.name);
  return all;
}

std::string cannot_unpack(const DataSet& set) {
  if (set.kept == DataSet::Kept::emnist && stages::libzip_version().empty())
    return "comes as a zip file, and this program was built without libzip";
  return "";
}

void unpack(const DataSet& set, const std::string& archive, const std::string& folder, const Interrupted& interrupted) {
  if (set.kept == DataSet::Kept::emnist) unpack_emnist(archive, folder, interrupted);
  if (set.kept == DataSet::Kept::cifar_10) unpack_cifar_10(archive, folder, interrupted);
}

}  // namespace sluice::apps
