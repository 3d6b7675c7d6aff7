// The codecs of codec.hpp, one for each library; those that were not built in are declared and not there.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <sluice/stages/codec.hpp>

namespace sluice::stages {

std::unique_ptr<Codec> gzip_codec();
std::unique_ptr<Codec> bzip2_codec();
std::unique_ptr<Codec> xz_codec(std::size_t decoder_memory);
std::unique_ptr<Codec> zstd_codec(std::size_t decoder_memory);

std::string gzip_codec_version();
std::string bzip2_codec_version();
std::string xz_codec_version();
std::string zstd_codec_version();

}  // namespace sluice::stages
