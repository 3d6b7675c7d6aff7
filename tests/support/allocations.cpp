#include "tests/support/allocations.hpp"

#include <cstdlib>
#include <new>

// A sanitizer brings an operator new of its own, which stays: nothing is counted then, and every bound holds.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLUICE_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define SLUICE_SANITIZED
#endif
#endif

#ifndef SLUICE_SANITIZED
void* operator new(std::size_t size) {
  sluice::test::Allocations::count(size);
  if (void* const memory = std::malloc(size ? size : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
#endif
