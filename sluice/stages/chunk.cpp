#include <sluice/stages/chunk.hpp>

#include <sluice/stages/huge_pages.hpp>

namespace sluice::stages {

void ReleaseBytes::operator()(std::uint8_t* memory) const {
  release_pages(memory, size);
}

std::uint8_t* Bytes::reserve(std::size_t size) {
  if (capacity >= size) return data.get();
  data.reset();
  capacity = 0;
  data = {static_cast<std::uint8_t*>(take_pages(size)), ReleaseBytes{size}};
  capacity = size;
  return data.get();
}

}  // namespace sluice::stages
