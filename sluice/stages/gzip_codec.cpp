// gzip by zlib.
#include <zlib.h>

#include <algorithm>
#include <new>

#include <sluice/stages/codecs.hpp>

namespace sluice::stages {
namespace {

class GzipCodec final : public Codec {
 public:
  ~GzipCodec() override {
    if (ready_) inflateEnd(&zlib_);
  }

  void begin(std::span<const std::uint8_t>) override {
    if ((ready_ ? inflateReset(&zlib_) : inflateInit2(&zlib_, 15 + 16)) != Z_OK) throw std::bad_alloc();
    ready_ = true;
  }

  CodecStep decode(std::span<const std::uint8_t> in, std::span<std::uint8_t> out) override {
    constexpr std::size_t most = 1u << 30;  // zlib counts in unsigned int
    const auto given = static_cast<unsigned>(std::min(in.size(), most));
    const auto room = static_cast<unsigned>(std::min(out.size(), most));
    zlib_.next_in = const_cast<Bytef*>(in.data());  // zlib's interface knows no const
    zlib_.avail_in = given;
    zlib_.next_out = out.data();
    zlib_.avail_out = room;
    const int result = ::inflate(&zlib_, Z_NO_FLUSH);
    if (result == Z_MEM_ERROR) throw std::bad_alloc();
    CodecStep step{.used = given - zlib_.avail_in, .made = room - zlib_.avail_out};
    step.ended = result == Z_STREAM_END;
    if (!step.ended && result != Z_OK && !(result == Z_BUF_ERROR && given == 0))
      step.damage = zlib_.msg ? zlib_.msg : "invalid data";
    return step;
  }

 private:
  z_stream zlib_{};
  bool ready_ = false;
};

}  // namespace

std::unique_ptr<Codec> gzip_codec() {
  return std::make_unique<GzipCodec>();
}

std::string gzip_codec_version() {
  return zlibVersion();
}

}  // namespace sluice::stages
