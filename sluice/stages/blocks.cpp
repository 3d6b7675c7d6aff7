#include <sluice/stages/blocks.hpp>

#include <array>
#include <utility>

namespace sluice::stages {
namespace {

std::unique_ptr<BlockReader> reader_of(Compression compression, [[maybe_unused]] const RegularFile& file,
                                       [[maybe_unused]] const BlockLimits& limits) {
  switch (compression) {
#ifdef SLUICE_LZMA
    case Compression::xz:
      return xz_blocks(file, limits);
#endif
#ifdef SLUICE_ZSTD
    case Compression::zstd:
      return zstd_blocks(file, limits);
#endif
    default:
      return nullptr;
  }
}

std::unique_ptr<BlockDecoder> decoder_of(Compression compression, [[maybe_unused]] const BlockLimits& limits) {
  switch (compression) {
#ifdef SLUICE_LZMA
    case Compression::xz:
      return xz_block_decoder(limits);
#endif
#ifdef SLUICE_ZSTD
    case Compression::zstd:
      return zstd_block_decoder();
#endif
    default:
      return nullptr;
  }
}

}  // namespace

Compression compression_of(const RegularFile& file) {
  std::array<std::uint8_t, 6> start{};
  const std::size_t size = file.is_open() ? file.read(start.data(), start.size(), 0).value_or(0) : 0;
  return told_by({start.data(), size}).value_or(Compression::none);
}

std::optional<std::uint64_t> said_bytes(const RegularFile& file) {
  switch (compression_of(file)) {
#ifdef SLUICE_LZMA
    case Compression::xz:
      return xz_said_bytes(file);
#endif
#ifdef SLUICE_ZSTD
    case Compression::zstd:
      return zstd_said_bytes(file);
#endif
    default:
      return std::nullopt;
  }
}

BlockFile::BlockFile(const std::string& name, const BlockLimits& limits)
    : RegularFile(name), path(name), limits_(limits), compression_(compression_of(*this)) {
  reader_ = reader_of(compression_, *this, limits_);
  if (!reader_) return;
  std::array<BlockPlace, 2> first;
  for (BlockPlace& place : first)
    if (reader_->next(place) != BlockReader::Next::block) return;
  ahead_ = {first[1], first[0]};
  has_blocks_ = true;
}

BlockReader::Next BlockFile::next(BlockPlace& place) {
  if (ahead_.empty()) return reader_->next(place);
  place = ahead_.back();
  ahead_.pop_back();
  return BlockReader::Next::block;
}

std::optional<std::size_t> BlockFile::decode(const BlockPlace& place, std::uint8_t* target) {
  std::unique_ptr<Work> work = take_work();
  std::uint8_t* const in = work->input.reserve(place.bytes);
  std::optional<std::size_t> made;
  if (read(in, place.bytes, place.begin) == place.bytes) made = work->decoder->decode(place, {in, place.bytes}, target);
  give_back(std::move(work));
  return made;
}

std::unique_ptr<BlockFile::Work> BlockFile::take_work() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Work> work = std::move(idle_.back());
      idle_.pop_back();
      return work;
    }
  }
  auto work = std::make_unique<Work>();
  work->decoder = decoder_of(compression_, limits_);
  return work;
}

void BlockFile::give_back(std::unique_ptr<Work> work) {
  const std::lock_guard lock(mutex_);
  if (!finished_) idle_.push_back(std::move(work));
}

void BlockFile::finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
  idle_.clear();
  reader_.reset();
}

}  // namespace sluice::stages
