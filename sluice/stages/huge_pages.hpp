// Memory that is read in random order: on huge pages where it is large and the system has them, so that finding a byte
// takes no walk through page tables.
//
// Memory aligned to a cache line; uninitialised. Thread-safety: that of operator new. Errors: std::bad_alloc.
//
//   Column<std::uint16_t> labels;   // a std::vector on such memory
#pragma once

#include <cstddef>
#include <limits>
#include <new>
#include <vector>

namespace sluice::stages {

// Of a piece of `size` bytes, what is taken: large ones are whole huge pages.
std::size_t bytes_taken(std::size_t size);
// size: bytes, the same for both.
void* take_pages(std::size_t size);
void release_pages(void* memory, std::size_t size);

template <class T>
struct HugePages {
  using value_type = T;
  HugePages() = default;
  template <class U>
  HugePages(const HugePages<U>&) {}
  T* allocate(std::size_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / (2 * sizeof(T))) throw std::bad_array_new_length();
    return static_cast<T*>(take_pages(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t count) { release_pages(memory, count * sizeof(T)); }
  friend bool operator==(const HugePages&, const HugePages&) { return true; }
};

template <class T>
using Column = std::vector<T, HugePages<T>>;

}  // namespace sluice::stages
