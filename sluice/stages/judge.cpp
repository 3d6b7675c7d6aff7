#include <sluice/stages/judge.hpp>

#include <fmt/core.h>

#include <algorithm>

#include <sluice/stages/deflate_piece.hpp>
#include <sluice/stages/errors.hpp>

namespace sluice::stages {

void refuse_changed(const std::string& path, std::uint64_t offset) {
  throw DataError(
      fmt::format("{}: no longer decodes to the {} bytes that it had: was it written meanwhile?", path, offset));
}

bool Judge::operator()(Chunk& out) {
  while (inflate_(out)) {
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, out.size));
    if (n > 0) {
      if (expected_) crc_ = crc32_of({out.data, n}, crc_);
      skip_ -= n;
      if (skip_ == 0 && expected_ && crc_ != *expected_) refuse_changed(inflate_.path, skipped_);
    }
    out.data += n, out.size -= n, out.offset += n;
    if (out.size > 0) return true;
  }
  if (skip_ > 0) refuse_changed(inflate_.path, skipped_);
  return false;
}

}  // namespace sluice::stages
