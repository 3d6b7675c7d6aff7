// What decodes a compressed file: a codec for each way of compressing, behind one interface.
//
// A file is members one behind the other, each of which is decoded for itself: gzip members, bzip2 streams, xz streams,
// zstd frames (skippable ones among them). How it is compressed is told by its first bytes. A codec is given bytes
// where they are, and decodes them to where they will stay; what is read, waited for and said of a file as a whole is
// Inflate's (inflate.hpp). gzip is decoded by zlib, bzip2 by libbz2, xz by liblzma, zstd by libzstd; all but zlib may
// not have been built in. What a format has to verify its contents by is verified.
// Order and thread-safety: a codec is one thread's at a time; the functions are pure. Errors: a step says what is wrong
// with the bytes; RefusedMember for a sound member that is not decoded, and std::bad_alloc.
//
//   const auto codec = make_codec(told_by(start).value_or(Compression::none));
//   codec->begin(start);
//   while (!step.ended) step = codec->decode(in.subspan(used += step.used), out.subspan(made += step.made));
//
// Format: RFC 1952 (gzip); the manual of bzip2 1.0.8; the .xz file format 1.2.1, 2.1.1 (stream header), 2.2 (stream
// padding); RFC 8878, 3.1.1 (zstd frames), 3.1.2 (skippable frames).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sluice::stages {

enum class Compression : std::uint8_t { none, gzip, bzip2, xz, zstd };

// What may stand behind the last member: any number of zeros; zeros in fours, between members as well; nothing.
enum class Padding : std::uint8_t { zeros, fours_of_zeros, nothing };

struct CompressionFacts {
  std::string_view name;       // "xz"
  std::string_view article;    // "an"
  std::string_view member;     // "xz stream"
  std::string_view extension;  // ".xz"
  std::string_view magic;      // that a member begins with
  std::size_t magic_bytes;     // by which one is told: a digit may follow the magic
  Padding padding;
  std::string_view tool, library;  // "xz -d", "liblzma"
};
// Not of none.
const CompressionFacts& facts_of(Compression compression);
// "none" for none.
std::string_view compression_name(Compression compression);
// How a file of this name should be compressed: by what it ends in.
Compression named_compression(std::string_view path);

// Whether a member of `compression` begins with these bytes; nothing: that shows with more of them.
std::optional<bool> begins_as(Compression compression, std::span<const std::uint8_t> start);
// How what begins so is compressed; nothing: that shows with more bytes.
std::optional<Compression> told_by(std::span<const std::uint8_t> start);

// A sound member that is not decoded: what its text says of it.
class RefusedMember : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct CodecStep {
  std::size_t used = 0, made = 0;  // bytes
  bool ended = false;              // the member
  const char* damage = nullptr;    // what is wrong with the bytes, in words
};

class Codec {
 public:
  Codec() = default;
  Codec(const Codec&) = delete;
  Codec& operator=(const Codec&) = delete;
  virtual ~Codec() = default;

  // How much of a member begin() has to see, as far as its beginning tells.
  virtual std::size_t header_bytes(std::span<const std::uint8_t>) const { return 0; }
  // A member that starts so; none of it is used yet.
  virtual void begin(std::span<const std::uint8_t> start) = 0;
  // As far as the bytes and the room go. Without bytes: what it has taken and not handed on yet.
  virtual CodecStep decode(std::span<const std::uint8_t> in, std::span<std::uint8_t> out) = 0;
};

// Memory that a zstd window or an xz dictionary may take, in bytes.
inline constexpr std::size_t usual_decoder_memory = std::size_t{128} << 20;

// nullptr: it was not built in, or nothing is compressed.
std::unique_ptr<Codec> make_codec(Compression compression, std::size_t decoder_memory = usual_decoder_memory);

// The version of the library that decodes it; empty: it was not built in.
std::string codec_version(Compression compression);

// `what` ("a window") is of so many bytes, which is more than it may take, or than its library ever takes.
[[noreturn]] void refuse_memory(std::string_view what, std::uint64_t bytes, std::size_t decoder_memory,
                                std::uint64_t most_of_library);

}  // namespace sluice::stages
