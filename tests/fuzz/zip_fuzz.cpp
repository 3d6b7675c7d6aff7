// Zip: the bytes are a file. Whatever the sizes of chunks and reads, and whether it is taken whole, each member has the
// same verdict and decodes to the same bytes, no more than its directory promises; and memory follows the size of the
// file. So it is, too, when the checksum that a changed member comes to is what the directory says.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <sluice/stages/errors.hpp>
#include <sluice/stages/npz_keys.hpp>
#include <sluice/stages/zip_member.hpp>
#include "tests/fuzz/support.hpp"

namespace sluice::fuzz {
namespace {

using namespace stages;

struct Outcome {
  std::string bytes, error;
};

Outcome outcome(ZipMember source, std::size_t most_capacity) {
  Outcome o;
  try {
    for (Chunk chunk; source(chunk);) {
      expect(chunk.size > 0 && chunk.offset == o.bytes.size(), "a chunk says where it is");
      expect(chunk.owner->capacity <= most_capacity, "memory follows the file");
      o.bytes.append(chunk.data, chunk.data + chunk.size);
    }
  } catch (const DataError& error) {
    o.error = error.what();
    check_error(o.error, source.path);
  }
  return o;
}

std::string without_numbers(std::string text) {
  std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
  return text;
}

// The checksum that a member has instead of another one, where its error says so.
struct Checksums {
  std::uint32_t found, expected;
};
std::optional<Checksums> checksums_of(const std::string& error) {
  const std::string before = "its checksum is ", between = ", expected ";
  const std::size_t at = error.find(before);
  if (at == std::string::npos) return std::nullopt;
  const char* const text = error.c_str() + at + before.size();
  return Checksums{static_cast<std::uint32_t>(std::strtoul(text, nullptr, 16)),
                   static_cast<std::uint32_t>(std::strtoul(text + 8 + between.size(), nullptr, 16))};
}

std::string bytes_of(std::uint32_t number) {
  std::string text;
  for (unsigned shift = 0; shift < 32; shift += 8) text += static_cast<char>(number >> shift & 0xff);
  return text;
}

// The error of the first member that has another checksum than it should.
std::optional<Checksums> read(const std::string& path, std::size_t size, Derived& derived) {
  std::vector<ZipEntry> entries;
  try {
    entries = zip_entries(path);
    expect(npz_arrays(path).size() <= entries.size(), "arrays are members");
  } catch (const DataError& error) {
    check_error(error.what(), path);
    return std::nullopt;
  }
  std::optional<Checksums> other;
  for (const ZipEntry& entry : entries) {
    constexpr std::size_t most = 1 << 16;  // so that a bomb in chunks of one byte does not take minutes
    const Outcome usual = outcome({.path = path, .member = entry.name}, 256 * 1024);
    expect(usual.bytes.size() <= entry.size && usual.bytes.size() <= 1032 * size, "no more than is promised");
    expect(!usual.error.empty() || usual.bytes.size() == entry.size, "and no less");
    if (!other) other = checksums_of(usual.error);
    for (const bool whole : {false, true}) {
      const std::size_t chunk_bytes = usual.bytes.size() > most ? most : derived.size_up_to(3000);
      const Outcome o = outcome({.path = path,
                                 .member = entry.name,
                                 .whole = whole,
                                 .chunk_bytes = chunk_bytes,
                                 .read_bytes = derived.size_up_to(500)},
                                std::max(chunk_bytes, 1032 * size));
      expect(without_numbers(o.error) == without_numbers(usual.error), "one verdict", o.error + "\n" + usual.error);
      expect(!o.error.empty() || o.bytes == usual.bytes, "the same bytes");
    }
  }
  return other;
}

}  // namespace
}  // namespace sluice::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::fuzz;
  static const Folder folder;
  Derived derived(data, size);
  std::string file(text_of(data, size));
  const auto wrong = read(folder.write("file", file), size, derived);
  if (!wrong) return 0;
  const std::string from = bytes_of(wrong->expected), to = bytes_of(wrong->found);
  for (std::size_t at = file.find(from); at != std::string::npos; at = file.find(from, at + 1)) file.replace(at, 4, to);
  read(folder.write("file", file), size, derived);
  return 0;
}
