#include <sluice/stages/digest.hpp>

#include <fmt/core.h>
#include <openssl/evp.h>

#include <array>
#include <new>
#include <stdexcept>

namespace sluice::stages {
namespace {
EVP_MD_CTX* context(void* p) {
  return static_cast<EVP_MD_CTX*>(p);
}
void check(int result) {
  if (result != 1) throw std::runtime_error("SHA-256 failed in OpenSSL");
}
}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new(), [](void* p) { EVP_MD_CTX_free(context(p)); }) {
  if (!context_) throw std::bad_alloc();
  check(EVP_DigestInit_ex(context(context_.get()), EVP_sha256(), nullptr));
}

void Sha256::add(const void* data, std::size_t size) {
  check(EVP_DigestUpdate(context(context_.get()), data, size));
}

std::string Sha256::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  check(EVP_DigestFinal_ex(context(context_.get()), digest.data(), &size));
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

}  // namespace sluice::stages
