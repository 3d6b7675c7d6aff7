// zstd by libzstd: the codec, and the frames of a file.
#include <fmt/core.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <new>
#include <optional>
#include <utility>

#include <sluice/stages/blocks.hpp>
#include <sluice/stages/codecs.hpp>
#include <sluice/stages/zstd_frames.hpp>

namespace sluice::stages {
namespace {

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};
using Context = std::unique_ptr<ZSTD_DCtx, FreeContext>;

Context new_context() {
  Context context(ZSTD_createDCtx());
  if (!context) throw std::bad_alloc();
  return context;
}

std::uint64_t most_window() {
  return std::uint64_t{1} << ZSTD_dParam_getBounds(ZSTD_d_windowLogMax).upperBound;
}

// libzstd wants the limit of windows as a power of two; that it is kept to the byte is seen to here.
int log_of_limit(std::size_t decoder_memory) {
  const ZSTD_bounds bounds = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);
  const auto bits = static_cast<int>(std::bit_width(std::max<std::size_t>(decoder_memory, 2) - 1));
  return std::clamp(bits, bounds.lowerBound, bounds.upperBound);
}

class ZstdCodec final : public Codec {
 public:
  explicit ZstdCodec(std::size_t decoder_memory) : decoder_memory_(decoder_memory) {
    ZSTD_DCtx_setParameter(zstd_.get(), ZSTD_d_windowLogMax, log_of_limit(decoder_memory));
  }

  std::size_t header_bytes(std::span<const std::uint8_t> start) const override { return zstd_header_bytes(start); }

  void begin(std::span<const std::uint8_t> start) override {
    ZSTD_DCtx_reset(zstd_.get(), ZSTD_reset_session_only);
    header_left_ = zstd_header_bytes(start);
    content_.reset(), made_ = 0;
    const auto header = parse_zstd_header(start);
    if (!header) return;  // libzstd will say that something is wrong
    if (const std::uint64_t most = most_window(); header->window > std::min<std::uint64_t>(decoder_memory_, most))
      refuse_memory("a window", header->window, decoder_memory_, most);
    if (header->dictionary != 0)
      throw RefusedMember(
          fmt::format("needs dictionary {}, which is not there: compress it without -D", header->dictionary));
    content_ = header->content;
  }

  // libzstd 1.5.4 decodes a frame in another way where it is given all of it at once, with another verdict on some: so
  // its header comes alone. And it does not see that bytes are missing where the last block is empty.
  CodecStep decode(std::span<const std::uint8_t> in, std::span<std::uint8_t> out) override {
    ZSTD_inBuffer from{in.data(), header_left_ > 0 ? std::min(header_left_, in.size()) : in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const std::size_t result = ZSTD_decompressStream(zstd_.get(), &to, &from);
    if (ZSTD_isError(result) && ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation) throw std::bad_alloc();
    header_left_ -= std::min(header_left_, from.pos);
    made_ += to.pos;
    CodecStep step{.used = from.pos, .made = to.pos, .ended = result == 0};
    if (ZSTD_isError(result) || (step.ended && content_ && made_ != *content_)) step.damage = "invalid data";
    return step;
  }

 private:
  const std::size_t decoder_memory_;
  const Context zstd_ = new_context();
  std::size_t header_left_ = 0;           // of the frame's header, bytes that are not used yet
  std::optional<std::uint64_t> content_;  // that the frame says to have
  std::uint64_t made_ = 0;                // of it
};

class ZstdBlocks final : public BlockReader {
 public:
  ZstdBlocks(const RegularFile& file, const BlockLimits& limits) : frames_(file), limits_(limits) {}

  Next next(BlockPlace& place) override {
    look();
    if (seen_ != ZstdFrames::Next::frame) return seen_ == ZstdFrames::Next::end ? Next::end : Next::unusual;
    place = {.begin = frame_.begin};
    do add(place);
    while (look() == ZstdFrames::Next::frame && frame_.begin == place.begin + place.bytes &&
           place.decoded + frame_.decoded <= limits_.span && place.bytes + bytes() <= most_compressed(limits_.span));
    return Next::block;
  }

 private:
  std::size_t bytes() const { return static_cast<std::size_t>(frame_.end - frame_.begin); }
  void add(BlockPlace& place) {
    place.bytes += bytes();
    place.decoded += static_cast<std::size_t>(frame_.decoded);
    looked_ = false;
  }

  // The next frame that is none of those to be passed over. What is not to be decoded counts as bad.
  ZstdFrames::Next look() {
    if (std::exchange(looked_, true)) return seen_;
    do seen_ = frames_.next(frame_, {.decoded = limits_.most_decoded, .bytes = most_compressed(limits_.most_decoded)});
    while (seen_ == ZstdFrames::Next::frame && frame_.header.skippable);
    if (seen_ != ZstdFrames::Next::frame) return seen_;
    if (frame_.decoded > limits_.most_decoded || frame_.end - frame_.begin > most_compressed(limits_.most_decoded) ||
        frame_.header.window > limits_.decoder_memory || frame_.header.dictionary != 0)
      seen_ = ZstdFrames::Next::bad;
    return seen_;
  }

  ZstdFrames frames_;
  const BlockLimits limits_;
  bool looked_ = false;
  ZstdFrames::Next seen_ = ZstdFrames::Next::end;
  ZstdFrames::Frame frame_{};
};

class ZstdBlockDecoder final : public BlockDecoder {
 public:
  // Several frames at once; that each has as many bytes as its header says, and its checksum, is seen to.
  std::optional<std::size_t> decode(const BlockPlace& place, std::span<const std::uint8_t> in,
                                    std::uint8_t* out) override {
    const std::size_t made = ZSTD_decompressDCtx(zstd_.get(), out, place.decoded, in.data(), in.size());
    if (ZSTD_isError(made) && ZSTD_getErrorCode(made) == ZSTD_error_memory_allocation) throw std::bad_alloc();
    return ZSTD_isError(made) ? std::nullopt : std::optional(made);
  }

 private:
  const Context zstd_ = new_context();
};

}  // namespace

std::unique_ptr<Codec> zstd_codec(std::size_t decoder_memory) {
  return std::make_unique<ZstdCodec>(decoder_memory);
}

std::string zstd_codec_version() {
  return ZSTD_versionString();
}

std::unique_ptr<BlockReader> zstd_blocks(const RegularFile& file, const BlockLimits& limits) {
  return std::make_unique<ZstdBlocks>(file, limits);
}

std::unique_ptr<BlockDecoder> zstd_block_decoder() {
  return std::make_unique<ZstdBlockDecoder>();
}

std::optional<std::uint64_t> zstd_said_bytes(const RegularFile& file) {
  ZstdFrames frames(file);
  std::uint64_t bytes = 0;
  ZstdFrames::Next next;
  for (ZstdFrames::Frame frame; (next = frames.next(frame, {})) == ZstdFrames::Next::frame;) {
    if (!frame.header.skippable && !frame.header.content) return std::nullopt;
    bytes += frame.header.content.value_or(0);
  }
  return next == ZstdFrames::Next::end ? std::optional(bytes) : std::nullopt;
}

// The largest window of all frames, as far as there are bytes for it.
std::optional<std::size_t> zstd_decoder_bytes(const RegularFile& file) {
  constexpr std::size_t most_headers = 4096;
  ZstdFrames frames(file);
  std::uint64_t window = 0;
  ZstdFrames::Next next;
  for (ZstdFrames::Frame frame; (next = frames.next(frame, {.headers = most_headers})) == ZstdFrames::Next::frame;)
    window = std::max(window, std::min(frame.header.window, frame.decoded));
  if (next != ZstdFrames::Next::end) return std::nullopt;
  return static_cast<std::size_t>(window) + beside_window;
}

}  // namespace sluice::stages
