#include <sluice/stages/array_header.hpp>

#include <fmt/format.h>

#include <algorithm>

#include <sluice/stages/idx.hpp>
#include <sluice/stages/npy.hpp>

namespace sluice::stages {

std::optional<std::uint64_t> ArrayHeader::element_bytes() const {
  if (std::find(sizes.begin(), sizes.end(), 0u) != sizes.end()) return 0;
  std::uint64_t all = element_type_bytes(type);
  for (const std::uint64_t size : sizes)
    if (__builtin_mul_overflow(all, size, &all)) return std::nullopt;
  return all;
}

bool ArrayHeader::is_reordered() const {
  return fortran_order && std::count_if(sizes.begin(), sizes.end(), [](std::uint64_t size) { return size > 1; }) > 1;
}

std::string sizes_text(std::span<const std::uint64_t> sizes) {
  return fmt::format("{}", fmt::join(sizes, " x "));
}

std::string array_text(const ArrayHeader& header) {
  const char* const type = element_type_name(header.type);
  return header.sizes.empty() ? fmt::format("a single {}", type)
                              : fmt::format("{} of {}", sizes_text(header.sizes), type);
}

bool is_array(std::span<const std::uint8_t> start) {
  return start.size() >= array_start_bytes && (is_npy(start) || any_idx_header_bytes(start.data()));
}

std::size_t array_header_bytes(std::span<const std::uint8_t> start, const std::string& path) {
  if (!is_array(start)) return array_start_bytes;
  return is_npy(start) ? npy_header_bytes(start, path) : *any_idx_header_bytes(start.data());
}

bool take_array_header(std::vector<std::uint8_t>& header, std::span<const std::uint8_t>& data,
                       const std::string& path) {
  for (;;) {
    const std::size_t wanted = array_header_bytes(header, path);
    if (header.size() >= wanted) return true;
    const auto taken = data.first(std::min(data.size(), wanted - header.size()));
    if (taken.empty()) return false;
    header.insert(header.end(), taken.begin(), taken.end());
    data = data.subspan(taken.size());
  }
}

ArrayHeader parse_array_header(std::span<const std::uint8_t> header, const std::string& path) {
  return is_npy(header) ? parse_npy_header(header, path) : parse_any_idx_header(header.data());
}

}  // namespace sluice::stages
