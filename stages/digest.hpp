// SHA-256, as lower-case hexadecimal digits.
//
// bytes -> 64 digits. Thread-safety: one Sha256 by one thread at a time. Errors: std::runtime_error if OpenSSL fails.
//
//   Sha256 digest; digest.add(data, size); digest.hex();
//
// Source: FIPS 180-4, by OpenSSL.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace sluice::stages {

class Sha256 {
 public:
  Sha256();
  void add(const void* data, std::size_t size);
  std::string hex();  // once, at the end

 private:
  std::unique_ptr<void, void (*)(void*)> context_;  // EVP_MD_CTX
};

}  // namespace sluice::stages
