// The checksum of a model file or a checkpoint (sluice/stages/model_file.hpp), put right.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/stages/digest.hpp>

namespace sluice::fuzz {

// Nothing, where there is no room for one or the right one is there.
inline std::optional<std::vector<std::uint8_t>> with_right_checksum(const std::uint8_t* data, std::size_t size) {
  constexpr std::string_view key = "\"sluice.sha256\":\"";
  constexpr std::ptrdiff_t digits = 64;
  std::vector<std::uint8_t> file(data, data + size);
  const auto found = std::search(file.begin(), file.end(), key.begin(), key.end());
  if (file.end() - found < static_cast<std::ptrdiff_t>(key.size()) + digits) return std::nullopt;
  const auto place = found + static_cast<std::ptrdiff_t>(key.size());
  std::fill_n(place, digits, std::uint8_t{'0'});
  stages::Sha256 sum;
  sum.add(file.data(), file.size());
  const std::string checksum = sum.hex();
  std::copy(checksum.begin(), checksum.end(), place);
  if (std::equal(file.begin(), file.end(), data)) return std::nullopt;
  return file;
}

}  // namespace sluice::fuzz
