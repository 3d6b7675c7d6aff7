// SHA-256, as lower-case hexadecimal digits: of bytes, and of the chunks that a file decodes to.
//
// bytes -> 64 digits. Order and thread-safety: one thread at a time, bytes in order; Digest is a sink. Errors:
// std::runtime_error if OpenSSL fails.
//
//   Sha256 digest; digest.add(data, size); digest.hex();
//   Digest contents; g.sink("digest", std::ref(contents), chunks);   // as `zcat FILE | sha256sum` has it
//
// Source: FIPS 180-4, by OpenSSL.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <sluice/pipeline/verbs.hpp>
#include <sluice/stages/chunk.hpp>

namespace sluice::stages {

class Sha256 {
 public:
  Sha256();
  void add(const void* data, std::size_t size);
  std::string hex();  // once, at the end

 private:
  std::unique_ptr<void, void (*)(void*)> context_;  // EVP_MD_CTX
};

struct Digest {
  void operator()(const Chunk& chunk) { sha256_.add(chunk.data, chunk.size); }
  void finish() { hex_ = sha256_.hex(); }
  void reset() { *this = {}; }
  const std::string& hex() const { return hex_; }  // when all chunks have come

  // State of its own, no options.
  Sha256 sha256_{};
  std::string hex_{};
};

static_assert(verbs::Sink<Digest, Chunk>);

}  // namespace sluice::stages
