// bzip2 by libbz2.
#include <bzlib.h>

#include <algorithm>
#include <new>
#include <utility>

#include <sluice/stages/codecs.hpp>

namespace sluice::stages {
namespace {

class Bzip2Codec final : public Codec {
 public:
  ~Bzip2Codec() override { end(); }

  void begin(std::span<const std::uint8_t>) override {
    end();
    bzip2_ = {};
    if (BZ2_bzDecompressInit(&bzip2_, 0, 0) != BZ_OK) throw std::bad_alloc();
    ready_ = true;
  }

  CodecStep decode(std::span<const std::uint8_t> in, std::span<std::uint8_t> out) override {
    constexpr std::size_t most = 1u << 30;  // libbz2 counts in unsigned int
    const auto given = static_cast<unsigned>(std::min(in.size(), most));
    const auto room = static_cast<unsigned>(std::min(out.size(), most));
    // Its interface knows neither const nor unsigned char.
    bzip2_.next_in = const_cast<char*>(reinterpret_cast<const char*>(in.data()));
    bzip2_.avail_in = given;
    bzip2_.next_out = reinterpret_cast<char*>(out.data());
    bzip2_.avail_out = room;
    const int result = BZ2_bzDecompress(&bzip2_);
    if (result == BZ_MEM_ERROR) throw std::bad_alloc();
    CodecStep step{.used = given - bzip2_.avail_in, .made = room - bzip2_.avail_out};
    step.ended = result == BZ_STREAM_END;
    if (!step.ended && result != BZ_OK) step.damage = "invalid data";  // it does not say more
    return step;
  }

 private:
  void end() {
    if (std::exchange(ready_, false)) BZ2_bzDecompressEnd(&bzip2_);
  }

  bz_stream bzip2_{};
  bool ready_ = false;
};

}  // namespace

std::unique_ptr<Codec> bzip2_codec() {
  return std::make_unique<Bzip2Codec>();
}

// Of "1.0.8, 13-Jul-2019".
std::string bzip2_codec_version() {
  const std::string with_date = BZ2_bzlibVersion();
  return with_date.substr(0, with_date.find(','));
}

}  // namespace sluice::stages
