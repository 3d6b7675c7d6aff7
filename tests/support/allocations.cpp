#include "tests/support/allocations.hpp"

#include <cstdlib>
#include <new>

#include "tests/support/sanitized.hpp"

// A sanitizer brings an operator new of its own, which stays: nothing is counted then, and every bound holds.
#if !SLUICE_SANITIZED
void* operator new(std::size_t size) {
  sluice::test::Allocations::count(size);
  void* const memory = sluice::test::Allocations::refused() ? nullptr : std::malloc(size ? size : 1);
  if (memory) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
#endif
