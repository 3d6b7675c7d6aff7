// The header of a safetensors file: which tensors it holds, of what type and shape, and where.
//
// The first bytes of a file -> its tensors in the order of the header, and its metadata; of any program's file. Sound
// are a header that begins with '{' and is JSON, each tensor as long as type and shape say, and no byte behind the
// header that belongs to none or to two of them. A type that is not known here has the length that it says.
// Order and thread-safety: free functions, plain values. Errors: DamagedError naming the file, what was found and what
// was expected; DataError where it cannot be opened or read.
//
//   for (const StoredTensor& tensor : look_at_safetensors("model.safetensors").tensors) use(tensor.name);
//
// Source: the safetensors format: 8 bytes length of the header, little-endian; the header, a JSON object of
// {"NAME": {"dtype": TYPE, "shape": [...], "data_offsets": [BEGIN, END]}} and of strings in "__metadata__", which may
// be padded by blanks; the tensors' bytes, row-major and little-endian, without holes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::stages {

using Metadata = std::map<std::string, std::string>;

struct StoredTensor {
  std::string name;
  std::string type;                  // as the header calls it: "F32"
  std::vector<std::uint64_t> shape;  // none: a single value
  std::uint64_t begin = 0, end = 0;  // of the bytes behind the header

  std::string shape_text() const;  // "[10,784]"
};

struct SafetensorsHeader {
  std::vector<StoredTensor> tensors;
  Metadata metadata;
  std::size_t data = 0;  // where the bytes of tensors begin in the file

  const StoredTensor* find(std::string_view name) const;  // nullptr: there is none
};

inline constexpr std::uint64_t most_safetensors_header = 100'000'000;  // bytes, as the format's own library has it

// start: of the file, with the whole header in it. file_bytes: of the whole file.
SafetensorsHeader parse_safetensors(const std::string& path, std::string_view start, std::uint64_t file_bytes);
// Reads no more of a regular file than its header.
SafetensorsHeader look_at_safetensors(const std::string& path);

}  // namespace sluice::stages
