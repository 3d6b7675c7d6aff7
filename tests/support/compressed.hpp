// Members of every compression as bytes, each made by the library of its format: as far as these are there.
//
//   compressed(Compression::xz, "text") + compressed(Compression::xz, "")   // two streams, the second empty
//   xz("text", {.check = 4, .block = 100}), zstd("text", {.size = false}), raw_zstd("text", 0x20)
#pragma once

#ifdef SLUICE_BZIP2
#include <bzlib.h>
#endif
#ifdef SLUICE_LZMA
#include <lzma.h>
#endif
#ifdef SLUICE_ZSTD
#include <zstd.h>
#endif
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include <sluice/stages/codec.hpp>
#include "tests/support/gzip.hpp"

namespace sluice::test {

using stages::Compression;

inline std::vector<Compression> compressions() {
  std::vector<Compression> all{Compression::gzip};
  for (const Compression one : {Compression::bzip2, Compression::xz, Compression::zstd})
    if (!stages::codec_version(one).empty()) all.push_back(one);
  return all;
}

#ifdef SLUICE_BZIP2
// One stream, whose blocks have 100 kB.
inline std::string bzip2(const std::string& bytes) {
  std::string in = bytes, out(bytes.size() + bytes.size() / 50 + 600, '\0');
  auto size = static_cast<unsigned>(out.size());
  if (BZ2_bzBuffToBuffCompress(out.data(), &size, in.data(), static_cast<unsigned>(in.size()), 1, 0, 0) != BZ_OK)
    throw std::runtime_error("libbz2");
  out.resize(size);
  return out;
}
#endif

#ifdef SLUICE_LZMA
struct Xz {
  int check = LZMA_CHECK_CRC64;
  std::size_t block = 0;                  // decoded bytes of a block; 0: all of them
  std::uint32_t dictionary = 256 * 1024;  // bytes
  bool sizes = true;                      // in the headers of blocks, as xz -T has them
};

// One stream.
inline std::string xz(const std::string& bytes, const Xz& how = {}) {
  lzma_options_lzma options;
  lzma_lzma_preset(&options, 1);
  options.dict_size = how.dictionary;
  lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
  lzma_stream stream = LZMA_STREAM_INIT;
  lzma_mt threads{};
  threads.threads = 1, threads.block_size = how.block, threads.filters = filters;
  threads.check = static_cast<lzma_check>(how.check);
  const bool by_threads = how.sizes && how.block > 0;
  const lzma_ret begun = by_threads ? lzma_stream_encoder_mt(&stream, &threads)
                                    : lzma_stream_encoder(&stream, filters, static_cast<lzma_check>(how.check));
  if (begun != LZMA_OK) throw std::runtime_error("liblzma");
  std::string out(bytes.size() + bytes.size() / 2 + 1000 + (how.block ? bytes.size() / how.block * 100 : 0), '\0');
  stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
  stream.avail_out = out.size();
  stream.next_in = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const std::size_t step = how.block && !by_threads ? how.block : bytes.size() + 1;
  lzma_ret result = LZMA_OK;
  for (std::size_t at = 0; result == LZMA_OK; at += step) {
    const bool last = at + step >= bytes.size();
    stream.avail_in = last ? bytes.size() - at : step;
    do result = lzma_code(&stream, last ? LZMA_FINISH : LZMA_FULL_FLUSH);
    while (result == LZMA_OK);
    if (result == LZMA_STREAM_END && !last) result = LZMA_OK;
  }
  out.resize(out.size() - stream.avail_out);
  lzma_end(&stream);
  if (result != LZMA_STREAM_END) throw std::runtime_error("liblzma");
  return out;
}

inline std::string crc_of(const std::string& bytes) {
  std::string out;
  const auto crc = crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<unsigned>(bytes.size()));
  for (unsigned shift = 0; shift < 32; shift += 8) out += static_cast<char>(crc >> shift & 0xff);
  return out;
}

// The same stream of one block, whose header says that its dictionary has 2^28 bytes.
inline std::string with_huge_dictionary(std::string stream) {
  constexpr std::size_t header = 12;  // of the stream
  const std::size_t size = (static_cast<std::size_t>(static_cast<unsigned char>(stream[header])) + 1) * 4;
  const std::size_t filter = stream.find("\x21\x01", header);  // LZMA2, a byte of properties
  stream[filter + 2] = 32;
  return stream.replace(header + size - 4, 4, crc_of(stream.substr(header, size - 4)));
}

// The same stream, whose header and footer say that its integrity check is of a type that has no name yet. It was made
// with one as long as that: CRC32.
inline std::string with_unknown_check(std::string stream) {
  stream[7] = 2;
  stream.replace(8, 4, crc_of(stream.substr(6, 2)));
  const std::size_t footer = stream.size() - 12;
  stream[footer + 9] = 2;
  return stream.replace(footer, 4, crc_of(stream.substr(footer + 4, 6)));
}
#endif

#ifdef SLUICE_ZSTD
struct Zstd {
  bool checksum = true, size = true;  // whether the frame has its checksum, and says how large it is
  int window_log = 0;                 // 0: as libzstd chooses
};

// One frame.
inline std::string zstd(const std::string& bytes, const Zstd& how = {}) {
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, how.checksum);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, how.size);
  if (how.window_log) ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, how.window_log);
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  const std::size_t size = ZSTD_compress2(context, out.data(), out.size(), bytes.data(), bytes.size());
  ZSTD_freeCCtx(context);
  if (ZSTD_isError(size)) throw std::runtime_error("libzstd");
  out.resize(size);
  return out;
}
#endif

// A zstd frame of one block that is not compressed, without checksum. window: the byte that says how large its window
// is; dictionary: its number, in a byte.
inline std::string raw_zstd(const std::string& bytes, std::uint8_t window, std::uint8_t dictionary = 0) {
  const auto size = static_cast<std::uint32_t>(bytes.size() << 3 | 1);  // the last block
  std::string frame("\x28\xb5\x2f\xfd", 4);
  frame += static_cast<char>(dictionary ? 1 : 0);
  frame += static_cast<char>(window);
  if (dictionary) frame += static_cast<char>(dictionary);
  for (unsigned shift = 0; shift < 24; shift += 8) frame += static_cast<char>(size >> shift & 0xff);
  return frame + bytes;
}

// One that is passed over, of either of them: its kind is 0 to 15.
inline std::string skippable_zstd(const std::string& bytes, int kind = 0) {
  std::string frame{static_cast<char>(0x50 + kind), 0x2a, 0x4d, 0x18};
  for (unsigned shift = 0; shift < 32; shift += 8) frame += static_cast<char>(bytes.size() >> shift & 0xff);
  return frame + bytes;
}

// One member; of none: the bytes as they are.
inline std::string compressed(Compression compression, const std::string& bytes) {
  switch (compression) {
    case Compression::none:
      return bytes;
    case Compression::gzip:
      return gzip(bytes);
#ifdef SLUICE_BZIP2
    case Compression::bzip2:
      return bzip2(bytes);
#endif
#ifdef SLUICE_LZMA
    case Compression::xz:
      return xz(bytes);
#endif
#ifdef SLUICE_ZSTD
    case Compression::zstd:
      return zstd(bytes);
#endif
    default:
      throw std::runtime_error("not built in");
  }
}

}  // namespace sluice::test
