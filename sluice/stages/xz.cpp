// xz by liblzma: the codec, and the blocks of a file.
#include <fmt/core.h>
#include <lzma.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include <sluice/stages/blocks.hpp>
#include <sluice/stages/codecs.hpp>

namespace sluice::stages {
namespace {

// What liblzma is told that it may take, for dictionaries of so many bytes; and back.
std::uint64_t memory_limit(std::size_t decoder_memory) {
  return std::uint64_t{decoder_memory} + beside_window;
}
std::uint64_t dictionary_of(std::uint64_t memory) {
  return memory - std::min<std::uint64_t>(memory, beside_window);
}

class XzStream {
 public:
  XzStream() = default;
  XzStream(const XzStream&) = delete;
  XzStream& operator=(const XzStream&) = delete;
  ~XzStream() { lzma_end(&stream_); }
  lzma_stream* get() { return &stream_; }
  lzma_stream* operator->() { return &stream_; }

 private:
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

const char* check_name(lzma_check check) {
  switch (check) {
    case LZMA_CHECK_CRC32:
      return "CRC32";
    case LZMA_CHECK_CRC64:
      return "CRC64";
    case LZMA_CHECK_SHA256:
      return "SHA-256";
    default:
      return "reserved";
  }
}

class XzCodec final : public Codec {
 public:
  explicit XzCodec(std::size_t decoder_memory) : decoder_memory_(decoder_memory) {}

  void begin(std::span<const std::uint8_t>) override {
    if (lzma_stream_decoder(xz_.get(), memory_limit(decoder_memory_), LZMA_TELL_UNSUPPORTED_CHECK) != LZMA_OK)
      throw std::bad_alloc();
  }

  CodecStep decode(std::span<const std::uint8_t> in, std::span<std::uint8_t> out) override {
    xz_->next_in = in.data();
    xz_->avail_in = in.size();
    xz_->next_out = out.data();
    xz_->avail_out = out.size();
    const lzma_ret result = lzma_code(xz_.get(), LZMA_RUN);
    CodecStep step{.used = in.size() - xz_->avail_in, .made = out.size() - xz_->avail_out};
    switch (result) {
      case LZMA_OK:
      case LZMA_BUF_ERROR:  // nothing more without more bytes
        break;
      case LZMA_STREAM_END:
        step.ended = true;
        break;
      case LZMA_MEM_ERROR:
        throw std::bad_alloc();
      case LZMA_MEMLIMIT_ERROR:
        refuse_memory("a dictionary", dictionary_of(lzma_memusage(xz_.get())), decoder_memory_, std::uint64_t{1} << 32);
      case LZMA_UNSUPPORTED_CHECK:
        throw RefusedMember(fmt::format(
            "has integrity checks of type {} ({}), which liblzma {} cannot verify: compress it with xz "
            "--check=crc64",
            static_cast<int>(lzma_get_check(xz_.get())), check_name(lzma_get_check(xz_.get())), xz_codec_version()));
      case LZMA_OPTIONS_ERROR:
        step.damage = "options that liblzma does not know";
        break;
      default:
        step.damage = "invalid data";
    }
    return step;
  }

 private:
  const std::size_t decoder_memory_;
  XzStream xz_;
};

struct EndIndex {
  void operator()(lzma_index* index) const { lzma_index_end(index, nullptr); }
};
using Index = std::unique_ptr<lzma_index, EndIndex>;

// Of all streams of a file. nullptr: it has none that could be believed, or a larger one.
Index read_index(const RegularFile& file) {
  XzStream xz;
  lzma_index* found = nullptr;
  if (lzma_file_info_decoder(xz.get(), &found, most_of_block_index, file.size()) != LZMA_OK) throw std::bad_alloc();
  std::vector<std::uint8_t> bytes(4096);
  std::uint64_t at = 0;
  for (;;) {
    if (xz->avail_in == 0) {
      xz->next_in = bytes.data();
      xz->avail_in = file.read(bytes.data(), bytes.size(), at).value_or(0);
      at += xz->avail_in;
      if (xz->avail_in == 0) return nullptr;
    }
    switch (lzma_code(xz.get(), LZMA_RUN)) {
      case LZMA_OK:
        break;
      case LZMA_SEEK_NEEDED:
        at = xz->seek_pos;
        xz->avail_in = 0;
        break;
      case LZMA_STREAM_END:
        return Index(found);
      case LZMA_MEM_ERROR:
        throw std::bad_alloc();
      default:
        return nullptr;
    }
  }
}

// The header of a block: its filters, and what they take.
class BlockHeader {
 public:
  // The first bytes of the block; nothing of it is used where is_good() is false.
  BlockHeader(std::span<const std::uint8_t> start, int check) {
    filters_[0].id = LZMA_VLI_UNKNOWN;
    if (start.empty() || start[0] == 0) return;  // an index
    block_.check = static_cast<lzma_check>(check);
    block_.filters = filters_;
    block_.header_size = lzma_block_header_size_decode(start[0]);
    if (block_.header_size > start.size()) return;
    good_ = lzma_block_header_decode(&block_, nullptr, start.data()) == LZMA_OK;
  }
  BlockHeader(const BlockHeader&) = delete;
  BlockHeader& operator=(const BlockHeader&) = delete;
  ~BlockHeader() {
    for (std::size_t i = 0; good_ && filters_[i].id != LZMA_VLI_UNKNOWN; ++i) std::free(filters_[i].options);
  }

  static constexpr std::size_t most_bytes = LZMA_BLOCK_HEADER_SIZE_MAX;
  bool is_good() const { return good_; }
  lzma_block& block() { return block_; }
  std::uint64_t memory() const { return lzma_raw_decoder_memusage(filters_); }
  // Nothing reaches back further than what is decoded.
  void shrink_dictionary(std::size_t decoded) {
    for (lzma_filter* filter = filters_; filter->id != LZMA_VLI_UNKNOWN; ++filter)
      if (filter->id == LZMA_FILTER_LZMA2) {
        auto& dictionary = static_cast<lzma_options_lzma*>(filter->options)->dict_size;
        dictionary = static_cast<std::uint32_t>(
            std::min<std::uint64_t>(dictionary, std::max<std::uint64_t>(decoded, LZMA_DICT_SIZE_MIN)));
      }
  }

 private:
  lzma_filter filters_[LZMA_FILTERS_MAX + 1];
  lzma_block block_{};
  bool good_ = false;
};

class XzBlocks final : public BlockReader {
 public:
  explicit XzBlocks(Index index) : index_(std::move(index)) { lzma_index_iter_init(&at_, index_.get()); }

  Next next(BlockPlace& place) override {
    if (lzma_index_iter_next(&at_, LZMA_INDEX_ITER_BLOCK)) return Next::end;
    place = {.begin = at_.block.compressed_file_offset,
             .bytes = static_cast<std::size_t>(at_.block.total_size),
             .decoded = static_cast<std::size_t>(at_.block.uncompressed_size),
             .unpadded = at_.block.unpadded_size,
             .check = static_cast<int>(at_.stream.flags->check),
             .exact = true};
    return Next::block;
  }

 private:
  const Index index_;
  lzma_index_iter at_{};
};

class XzBlockDecoder final : public BlockDecoder {
 public:
  explicit XzBlockDecoder(std::size_t decoder_memory) : decoder_memory_(decoder_memory) {}

  std::optional<std::size_t> decode(const BlockPlace& place, std::span<const std::uint8_t> in,
                                    std::uint8_t* out) override {
    BlockHeader header(in, place.check);
    if (!header.is_good() || header.memory() > memory_limit(decoder_memory_)) return std::nullopt;
    if (lzma_block_compressed_size(&header.block(), place.unpadded) != LZMA_OK) return std::nullopt;
    header.shrink_dictionary(place.decoded);
    std::size_t used = header.block().header_size, made = 0;
    const lzma_ret result =
        lzma_block_buffer_decode(&header.block(), nullptr, in.data(), &used, in.size(), out, &made, place.decoded);
    if (result == LZMA_MEM_ERROR) throw std::bad_alloc();
    if (result != LZMA_OK || used != in.size() || made != place.decoded) return std::nullopt;
    return made;
  }

 private:
  const std::size_t decoder_memory_;
};

}  // namespace

std::unique_ptr<Codec> xz_codec(std::size_t decoder_memory) {
  return std::make_unique<XzCodec>(decoder_memory);
}

std::string xz_codec_version() {
  return lzma_version_string();
}

std::unique_ptr<BlockReader> xz_blocks(const RegularFile& file, const BlockLimits& limits) {
  Index index = read_index(file);
  if (!index) return nullptr;
  lzma_index_iter at;
  lzma_index_iter_init(&at, index.get());
  while (!lzma_index_iter_next(&at, LZMA_INDEX_ITER_BLOCK))
    if (at.block.uncompressed_size > limits.most_decoded ||
        at.block.total_size > most_compressed(limits.most_decoded) || !lzma_check_is_supported(at.stream.flags->check))
      return nullptr;
  return std::make_unique<XzBlocks>(std::move(index));
}

std::unique_ptr<BlockDecoder> xz_block_decoder(const BlockLimits& limits) {
  return std::make_unique<XzBlockDecoder>(limits.decoder_memory);
}

std::optional<std::uint64_t> xz_said_bytes(const RegularFile& file) {
  const Index index = read_index(file);
  return index ? std::optional<std::uint64_t>(lzma_index_uncompressed_size(index.get())) : std::nullopt;
}

// What the decoder of each of its blocks takes, at most.
std::optional<std::size_t> xz_decoder_bytes(const RegularFile& file) {
  constexpr std::size_t most_blocks = 4096;
  const Index index = read_index(file);
  if (!index || lzma_index_block_count(index.get()) > most_blocks) return std::nullopt;
  lzma_index_iter at;
  lzma_index_iter_init(&at, index.get());
  std::uint64_t most = 0;
  std::uint8_t start[BlockHeader::most_bytes];
  while (!lzma_index_iter_next(&at, LZMA_INDEX_ITER_BLOCK)) {
    const std::size_t size = file.read(start, sizeof start, at.block.compressed_file_offset).value_or(0);
    BlockHeader header({start, size}, static_cast<int>(at.stream.flags->check));
    if (!header.is_good()) return std::nullopt;
    // More of a dictionary than there are bytes is taken, and not touched.
    most = std::max(most, std::min<std::uint64_t>(header.memory(), at.block.uncompressed_size + beside_window));
  }
  return static_cast<std::size_t>(most);
}

}  // namespace sluice::stages
