// Numbers and texts one behind the other, as files have them: the most significant byte first.
//
// bytes -> fields, from the front; what is not there is 0 or empty, and whole() says so. Order and thread-safety: plain
// values. Errors: none.
//
//   Fields fields(bytes);
//   const std::uint64_t count = fields.number(8);
//   if (!fields.whole()) ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::stages {

inline void put_field(std::string& bytes, std::uint64_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
}

class Fields {
 public:
  explicit Fields(std::string_view bytes) : left_(bytes) {}
  // size: 1 to 8 bytes.
  std::uint64_t number(std::size_t size) {
    std::uint64_t n = 0;
    for (const char byte : text(size)) n = n << 8 | static_cast<std::uint8_t>(byte);
    return n;
  }
  std::string_view text(std::uint64_t size) {
    if (size > left_.size()) {
      whole_ = false;
      return {};
    }
    const std::string_view field = left_.substr(0, static_cast<std::size_t>(size));
    left_.remove_prefix(field.size());
    return field;
  }
  bool whole() const { return whole_; }
  std::size_t left() const { return left_.size(); }

 private:
  std::string_view left_;
  bool whole_ = true;
};

}  // namespace sluice::stages
