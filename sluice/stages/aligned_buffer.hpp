// Memory for numbers, on 64-byte boundaries, that is used again: resize() allocates only when the buffer must grow.
//
// The values after a resize() that grew are undefined; it never allocates more than asked for, so a stage can state the
// most memory it will own. Move-only.
// Errors: std::bad_alloc.
//
//   AlignedBuffer<float> values;
//   values.resize(784 * 10);
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace sluice::stages {

template <class T>
class AlignedBuffer {
  static_assert(std::is_trivial_v<T>);

 public:
  AlignedBuffer() = default;
  AlignedBuffer(AlignedBuffer&& other) noexcept { swap(other); }
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept { return swap(other), *this; }
  ~AlignedBuffer() { release(); }

  void resize(std::size_t size) {
    if (size > capacity_) {
      release();
      data_ = static_cast<T*>(::operator new(size * sizeof(T), alignment));
      capacity_ = size;
    }
    size_ = size;
  }

  std::size_t size() const { return size_; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

 private:
  static constexpr std::align_val_t alignment{64};

  void release() {
    if (data_) ::operator delete(data_, alignment);
    data_ = nullptr;
    size_ = capacity_ = 0;
  }
  void swap(AlignedBuffer& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  T* data_ = nullptr;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace sluice::stages
