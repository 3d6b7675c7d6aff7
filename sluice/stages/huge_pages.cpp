#include <sluice/stages/huge_pages.hpp>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace sluice::stages {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20, line = 64;

// Small pieces would waste too much of a huge page.
bool large(std::size_t size) {
  return size >= 2 * huge_page;
}

}  // namespace

// Whole pages, so that nothing else shares the last one.
std::size_t bytes_taken(std::size_t size) {
  return large(size) ? (size + huge_page - 1) / huge_page * huge_page : size;
}

void* take_pages(std::size_t size) {
  if (!large(size)) return ::operator new (size, std::align_val_t{line});
  const std::size_t whole = bytes_taken(size);
  void* const memory = ::operator new (whole, std::align_val_t{huge_page});
#ifdef __linux__
  ::madvise(memory, whole, MADV_HUGEPAGE);  // a wish: without it the pages are small
#endif
  return memory;
}

void release_pages(void* memory, std::size_t size) {
  ::operator delete (memory, std::align_val_t{large(size) ? huge_page : line});
}

}  // namespace sluice::stages
