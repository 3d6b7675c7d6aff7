#include <sluice/stages/zstd_frames.hpp>

#include <algorithm>
#include <optional>

namespace sluice::stages {

// What is there from `at` on, of the bytes that are wanted, and perhaps more.
std::span<const std::uint8_t> ZstdFrames::look(std::uint64_t at, std::size_t wanted) {
  if (at < begin_ || at + wanted > begin_ + size_) {
    begin_ = at;
    size_ = file_.read(bytes_.data(), bytes_.size(), at).value_or(0);
  }
  return std::span<const std::uint8_t>(bytes_.data(), size_).subspan(static_cast<std::size_t>(at - begin_));
}

ZstdFrames::Next ZstdFrames::next(Frame& frame, const Limits& limits) {
  constexpr std::size_t most_of_header = 18, checksum_bytes = 4;
  if (at_ == file_.size()) return Next::end;
  if (headers_ >= limits.headers) return Next::beyond;
  const auto header = parse_zstd_header(look(at_, most_of_header));
  if (!header) return Next::bad;
  frame = {.header = *header, .begin = at_};
  std::uint64_t at = at_ + header->bytes;
  ++headers_;
  for (bool last = header->skippable; !last; ++headers_) {
    if (frame.decoded > limits.decoded || at - at_ > limits.bytes || headers_ >= limits.headers) return Next::beyond;
    const auto bytes = look(at, zstd_block_header_bytes);
    if (bytes.size() < zstd_block_header_bytes) return Next::bad;
    const auto block = parse_zstd_block(bytes.data(), header->window);
    if (!block) return Next::bad;
    at += zstd_block_header_bytes + block->bytes;
    frame.decoded += block->decoded;
    last = block->last;
  }
  at += header->skippable ? header->skipped : header->checksum ? checksum_bytes : 0;
  if (at > file_.size()) return Next::bad;
  if (header->content) frame.decoded = std::min(frame.decoded, *header->content);
  frame.end = at_ = at;
  return Next::frame;
}

}  // namespace sluice::stages
