// What decoding a file takes of memory beside the bytes that it is given and makes: a window, a dictionary, tables.
//
// path -> bytes, as the headers of a regular file say: of an xz file all that its index knows of, of a zstd file those
// of the first 4096 blocks. Where that is not all of them, and of what is no file (a pipe), it is what decoder_memory
// allows; of a file that is not there, or is not compressed, what zlib takes.
// Order and thread-safety: functions that read a file. Errors: none; what cannot be read will be said by who decodes
// it.
//
//   decoder_bytes("a.xz", -1, usual_decoder_memory)   // 8.06 MiB, where it was made by xz -6
//
// Format: see codec.hpp.
#pragma once

#include <cstddef>
#include <string>

namespace sluice::stages {

// input: a descriptor that is read in place of the file; -1: none.
std::size_t decoder_bytes(const std::string& path, int input, std::size_t decoder_memory);

}  // namespace sluice::stages
