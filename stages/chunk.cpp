#include "stages/chunk.hpp"

#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace sluice::stages {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20, line = 64;

}  // namespace

void ReleaseBytes::operator()(std::uint8_t* memory) const {
  ::operator delete (memory, std::align_val_t{alignment});
}

std::uint8_t* Bytes::reserve(std::size_t size) {
  if (capacity >= size) return data.get();
  data.reset();
  capacity = 0;
  // Whole pages, so that nothing else shares the last one. Smaller pieces would waste too much of it.
  const bool large = size >= 2 * huge_page;
  const std::size_t alignment = large ? huge_page : line;
  const std::size_t taken = large ? (size + huge_page - 1) / huge_page * huge_page : size;
  data = {static_cast<std::uint8_t*>(::operator new (taken, std::align_val_t{alignment})), ReleaseBytes{alignment}};
  capacity = size;
#ifdef __linux__
  if (large) ::madvise(data.get(), taken, MADV_HUGEPAGE);  // a wish: without it the pages are small
#endif
  return data.get();
}

}  // namespace sluice::stages
